package engine_test

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

// An operation goes on where it was when its process ended, and its dead letters
// are each called again once.
func TestAnOperationOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	s := newStage(t, pivot(placeOrder()), "ship:409*60,200", nil)
	s.manyDead(60)
	op := s.replayAll(func(r *unwind.OperationRequest) { r.Rate = &unwind.Rate{Calls: 100, Per: unwind.Second} })
	for _, n := range []int64{5, 20, 40} {
		s.until("some are through", func() bool { return s.operation(op.ID).Counts.Succeeded >= n })
		s.crash()
	}
	if c := s.operated(op.ID, unwind.OperationFinished).Counts; c.Succeeded != 60 {
		t.Errorf("it came to %+v", c)
	}
	keys := map[string]int{}
	for _, call := range s.script.Calls("/ship") {
		keys[call.Header.Get("Idempotency-Key")+" "+call.Header.Get("Unwind-Attempt")]++
	}
	if len(keys) != 120 {
		t.Errorf("%d attempts were made; each of 60 was called, and again once", len(keys))
	}
}

// A paused lane holds an operation: nothing is taken up that would only wait.
func TestAnOperationWaitsForItsLane(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pivot(placeOrder()), "ship:409*4,200", nil)
	w.manyDead(4)
	set := func(paused bool) {
		t.Helper()
		if _, err := w.Control(t.Context(), unwind.ControlRequest{Scope: unwind.Scope{Kind: unwind.ScopeForward, Name: "shop"}, Paused: &paused, Reason: "they move house", Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	set(true)
	op := w.replayAll(nil)
	w.until("it says what it waits for", func() bool {
		return w.operation(op.ID).WaitingFor == "the lane of shop: paused by ann: they move house"
	})
	if c := w.operation(op.ID).Counts; c.Queued != 4 {
		t.Errorf("it has taken up %+v", c)
	}
	set(false)
	if c := w.operated(op.ID, unwind.OperationFinished).Counts; c.Succeeded != 4 {
		t.Errorf("it came to %+v", c)
	}
}

func TestOperationsAreInTheStreamOfEvents(t *testing.T) {
	w := newWorld(t, pivot(placeOrder()), "ship:409*2,200", nil)
	w.manyDead(2)
	_, cursor, err := w.Events(t.Context(), "not a cursor", 1)
	if err != nil {
		t.Fatal(err)
	}
	op := w.replayAll(nil)
	var last string
	for last == "" {
		var events []unwind.Event
		if events, cursor, err = w.Events(t.Context(), cursor, 100); err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Kind == unwind.EventOperation && strings.Contains(string(e.Data), `"state":"finished"`) {
				last = string(e.Data)
			}
		}
	}
	if !strings.Contains(last, `"id":"`+op.ID+`"`) || !strings.Contains(last, `"succeeded":2`) {
		t.Errorf("the last event is %s", last)
	}
}

// An operation that can't be gone on with, for whatever reason, is in nobody's way.
func TestAnOperationInTroubleHoldsNoOtherUp(t *testing.T) {
	st := &itemsFail{Store: memory.New()}
	w := newWorld(t, pivot(placeOrder()), "ship:409*4,200", func(cfg *engine.Config) { cfg.Store = st })
	w.manyDead(4)
	dead, err := w.DeadLetters(t.Context(), unwind.DeadLetterFilter{})
	if err != nil {
		t.Fatal(err)
	}
	newest := int64(0)
	st.fails.Store(-1)
	for i := range 3 {
		op := w.replayAll(func(r *unwind.OperationRequest) { r.Selection = &unwind.Selection{IDs: []string{dead.Items[i].ID}} })
		newest, _ = strconv.ParseInt(op.ID, 10, 64)
	}
	st.fails.Store(newest) // which comes before the others
	w.operated("1", unwind.OperationFinished)
	w.operated("2", unwind.OperationFinished)
	if op := w.operation("3"); op.State != unwind.OperationRunning || op.Counts.Queued != 1 {
		t.Errorf("the one in trouble is %+v", op)
	}
	st.fails.Store(0)
	w.operated("3", unwind.OperationFinished)
}

// itemsFail can't read the items of an operation, or of all where it is -1.
type itemsFail struct {
	store.Store
	fails atomic.Int64
}

func (s *itemsFail) Items(ctx context.Context, operation int64, outcome store.ItemOutcome, after int64, limit int) ([]store.Item, error) {
	if f := s.fails.Load(); f == operation || f == -1 {
		return nil, errDisk
	}
	return s.Store.Items(ctx, operation, outcome, after, limit)
}
