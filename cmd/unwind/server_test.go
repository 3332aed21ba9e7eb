package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

// A failing store commits so often, and then fails for good.
type failing struct {
	store.Store
	err  error
	left int
}

func (f *failing) Commit(ctx context.Context, b *store.Batch) ([]store.Result, error) {
	if f.left--; f.left < 0 {
		return nil, f.err
	}
	return f.Store.Commit(ctx, b)
}

func TestAServerWhoseEngineStopsEndsWithTheReasonAndWhatToDo(t *testing.T) {
	for _, c := range []struct {
		err  error
		want []string
	}{
		{store.ErrFenced, []string{"the server has stopped by itself", "another process has taken over the store", "run one server per store"}},
		{store.ErrFatal, []string{"the server has stopped by itself", "the store can't be trusted any more", "what was acknowledged is kept"}},
	} {
		cfg := config.Config{Listen: "127.0.0.1:0", Sagas: map[string]unwind.Definition{
			"wait": {Name: "wait", Steps: []unwind.Step{{Name: "approval", Kind: unwind.SignalStep, Timeout: unwind.Hour}}},
		}}.WithDefaults()
		listener, err := listen(t.Context(), cfg.Listen)
		if err != nil {
			t.Fatal(err)
		}
		s := &server{listener: listener, log: slog.New(slog.DiscardHandler)}
		if err := s.open(t.Context(), &cfg, nil, &failing{memory.New(), c.err, 1}, false); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.run(t.Context()) }()
		if _, _, err := s.engine.Start(t.Context(), unwind.StartRequest{Saga: "wait"}); err != nil {
			t.Errorf("the first start: %v", err)
		}
		if _, _, err := s.engine.Start(t.Context(), unwind.StartRequest{Saga: "wait"}); unwind.CodeOf(err) != unwind.StoreUnavailable {
			t.Errorf("the second start: %v", err)
		}
		err = <-ended
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: the server ends with %v; want %q", c.err, err, want)
			}
		}
	}
}
