package engine

import (
	"errors"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store/memory"
)

func TestRequestsAreRefusedWhileTooManyWait(t *testing.T) {
	t.Parallel()
	def := unwind.Definition{Name: "wait", Steps: []unwind.Step{{Name: "nap", Kind: unwind.DelayStep, For: unwind.Hour}}}
	e, err := Open(t.Context(), Config{Store: memory.New(), Definitions: []unwind.Definition{def}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	standing, goOn := make(chan struct{}), make(chan struct{})
	e.post(func(node.Moment) { close(standing); <-goOn })
	<-standing // the loop takes no more
	for range mostEvents {
		e.post(func(node.Moment) {})
	}
	overloaded := func(what string, err error) {
		t.Helper()
		var refusal *unwind.Error
		if !errors.As(err, &refusal) || refusal.Code != unwind.Overloaded || refusal.RetryAfter <= 0 {
			t.Errorf("%s while the queue is full: %v; it should be overloaded, with a time to try again", what, err)
		}
	}
	start := unwind.StartRequest{Saga: "wait", Key: "k"}
	_, _, err = e.Start(t.Context(), start)
	overloaded("a start", err)
	batch, err := e.StartBatch(t.Context(), []unwind.StartRequest{start})
	if err != nil {
		t.Fatal(err)
	}
	overloaded("a start in a batch", batch[0].Err)
	_, err = e.Participants(t.Context())
	overloaded("a look at the lanes", err)

	close(goOn)
	for {
		if _, created, err := e.Start(t.Context(), start); err == nil {
			if !created {
				t.Error("a start that was refused has begun a saga")
			}
			return
		} else if unwind.CodeOf(err) != unwind.Overloaded {
			t.Fatal(err)
		}
	}
}
