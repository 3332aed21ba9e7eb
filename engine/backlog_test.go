package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

// late makes compensations of payments late at once, with the policy.
func late(policy unwind.BacklogPolicy) func(*engine.Config) {
	return func(cfg *engine.Config) {
		p := cfg.Participants["payments"]
		p.Backlog = unwind.Backlog{Objective: 50 * unwind.Millisecond, Policy: policy}
		cfg.Participants["payments"] = p
	}
}

// backlog leaves one refund waiting in a paused lane, and waits until it is late.
func (w *world) backlog(refused func() bool) string {
	w.t.Helper()
	if _, err := w.Control(w.t.Context(), refundLane(true, "the bank is closed")); err != nil {
		w.t.Fatal(err)
	}
	first := w.begin("first")
	var looked time.Time
	w.until("the refund is late", func() bool {
		if time.Since(looked) < 100*time.Millisecond {
			return false // each look begins a saga, all of which are to come to rest
		}
		looked = time.Now()
		return refused()
	})
	return first
}

func (w *world) letPaymentsGo() {
	w.t.Helper()
	if _, err := w.Control(w.t.Context(), refundLane(false, "the bank is open")); err != nil {
		w.t.Fatal(err)
	}
}

func TestStartsAreShedWhileTheirUndoIsLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, placeOrder(), "ship:409", late(unwind.ShedStarts))
	start := func() error {
		_, _, err := w.Start(t.Context(), unwind.StartRequest{Saga: "place-order"})
		return err
	}
	var refusal *unwind.Error
	first := w.backlog(func() bool { return errors.As(start(), &refusal) })
	if refusal.Code != unwind.Overloaded || refusal.RetryAfter < unwind.Second || !strings.Contains(refusal.Message, "service payments") {
		t.Errorf("the start is refused with %+v", refusal)
	}
	w.letPaymentsGo()
	w.until("starts are taken again", func() bool { return start() == nil })
	if inst := w.rest(first); inst.Status != unwind.Compensated {
		t.Errorf("the late saga rests as %s", inst.Status)
	}
}

// What is held has not been called anybody for, may be cancelled meanwhile, survives
// a restart as it is, and goes on by itself.
func TestStartsAreHeldWhileTheirUndoIsLate(t *testing.T) {
	t.Parallel()
	s := newStage(t, placeOrder(), "ship:409", late(unwind.HoldStarts))
	var held []string
	waits := func(id string) bool {
		inst, err := s.Get(t.Context(), id)
		return err == nil && strings.Contains(inst.Steps[0].WaitingFor, "service payments: backlog")
	}
	first := s.backlog(func() bool {
		held = append(held, s.begin(""))
		return waits(held[len(held)-1])
	})
	cancelled := s.begin("cancelled")
	held = append(held, s.begin("kept"))
	if _, err := s.Cancel(t.Context(), cancelled, unwind.CancelRequest{Reason: "changed their mind"}); err != nil {
		t.Fatal(err)
	}
	if inst := s.rest(cancelled); inst.Status != unwind.Compensated || inst.Steps[0].Status != unwind.StepSkipped {
		t.Errorf("cancelled while it was held, the saga rests as %s: %s", inst.Status, steps(inst))
	}
	for _, id := range held { // a refusal that a crash repeats would prove nothing
		s.until("a saga neither is held nor waits for its refund", func() bool {
			return waits(id) || s.step(id, "charge").Compensation.Status == unwind.CompensationQueued
		})
	}
	s.crash()
	s.until("the saga is held again", func() bool { return waits(held[len(held)-1]) })
	before := len(s.script.Calls("/reserve"))
	s.letPaymentsGo()
	for _, id := range append(held, first) {
		if inst := s.rest(id); inst.Status != unwind.Compensated {
			t.Errorf("saga %s rests as %s", id, inst.Status)
		}
	}
	if after := len(s.script.Calls("/reserve")); after == before {
		t.Error("nothing was held: no reservation was made after the lane was opened")
	}
}
