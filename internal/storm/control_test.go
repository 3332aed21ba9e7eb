package storm

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/unwindhq/unwind/internal/gateway"
)

func controlled(t *testing.T, model gateway.Model) (*world, string) {
	t.Helper()
	w, err := openWorld(t.Context(), 0, service{name: payments, options: gateway.Options{Model: model}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	return w, w.url + "/" + payments + "/refund"
}

func TestTheControlTriesFiveTimes(t *testing.T) {
	down, err := gateway.NewPhases(gateway.PhasesOptions{Phases: []gateway.Phase{{Status: http.StatusTooManyRequests}}})
	if err != nil {
		t.Fatal(err)
	}
	w, url := controlled(t, down)
	if n := newControl(url, 3, time.Millisecond, time.Minute, 1).run(t.Context()); n != 3 {
		t.Errorf("%d given up", n)
	}
	if list, _ := w.arrivals[payments].List(); len(list) != 15 || w.books.distinct() != 0 {
		t.Errorf("%d calls, %d refunds", len(list), w.books.distinct())
	}
}

func TestTheControlEndsWhenAllIsDoneOrTheTimeIsOver(t *testing.T) {
	w, url := controlled(t, nil)
	if n := newControl(url, 30, time.Millisecond, time.Minute, 1).run(t.Context()); n != 0 || w.books.distinct() != 30 {
		t.Errorf("%d given up, %d refunds", n, w.books.distinct())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n := newControl(url, 3, time.Hour, time.Second, 1).run(ctx); n != 0 {
		t.Errorf("%d given up, although nobody waited", n)
	}
}
