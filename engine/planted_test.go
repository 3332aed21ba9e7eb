//go:build planted

package engine_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// Each property says what breaks the guarantee beside it; empty: nothing does. With its
// bug it says something, without it nothing: so each can fail.
func TestPlantedBugsOfRemediation(t *testing.T) {
	defer planted.Plant("")
	for _, c := range []struct {
		bug       planted.Bug
		guarantee string
		violated  func(*testing.T) string
	}{
		{planted.ReplayLater, "G2: at rest until an audited replay; the selection is frozen", replaysLater},
		{planted.ForgetItem, "G14: what an operation did is counted as what it came to", outcomesAreLost},
		{planted.CountSkipped, "G14: what an operation did is counted as what it came to", skipsAreOutcomes},
		{planted.SkipCanary, "G2: the rest waits for the canary", canaryIsPassed},
		{planted.ReplayPaused, "G2: a pause holds", pauseIsPassed},
		{planted.DryRunBegins, "G2: a dry run changes nothing", dryRunActs},
		{planted.AcceptTwice, "G14: who comes second is told who was first", twiceIsTaken},
		{planted.AuditApart, "G14: an act and its audit row are one transaction", actsUnaudited},
		{planted.LoseEnd, "liveness: the end of an alert is told", neverEnds},
		{planted.CallOnHold, "G2: a restored backup repeats nothing before it is released", callsOnHold},
	} {
		t.Run(string(c.bug), func(t *testing.T) {
			planted.Plant(c.bug)
			found := c.violated(t)
			planted.Plant("")
			if found == "" {
				t.Errorf("it was not found, and breaks %s", c.guarantee)
			}
			t.Logf("%s: %s", c.guarantee, found)
			if found := c.violated(t); found != "" {
				t.Errorf("without it: %s", found)
			}
		})
	}
}

// looks waits a while for something that must not be so; what it says then ends it. With
// the bug it will be so, however busy the machine is.
func looks(w *world, bug planted.Bug, says func() string) string {
	while := 1500 * time.Millisecond
	if planted.On(bug) {
		while = eventually.Std()
	}
	for begin := time.Now(); time.Since(begin) < while; pause(w.t.Context(), 20*time.Millisecond) {
		if text := says(); text != "" {
			return text
		}
	}
	return ""
}

func (w *world) over(id string) *unwind.Operation {
	w.t.Helper()
	w.until("operation "+id+" is not over", func() bool { return w.operation(id).State.Over() })
	return w.operation(id)
}

// planAll freezes every open dead letter.
func (w *world) planAll() *unwind.OperationPlan {
	w.t.Helper()
	plan, err := w.PlanOperation(w.t.Context(), unwind.OperationRequest{Kind: unwind.OperationReplay, Selection: &unwind.Selection{Saga: "place-order"}})
	if err != nil {
		w.t.Fatal(err)
	}
	return plan
}

func replaysLater(t *testing.T) string {
	w := newWorld(t, pivot(placeOrder()), "ship:409*3,200", nil)
	w.manyDead(2)
	plan := w.planAll()
	later := w.dead("later")
	if _, err := w.StartOperation(t.Context(), unwind.OperationRequest{Kind: unwind.OperationReplay, SelectionID: plan.SelectionID, Reason: "mended"}); err != nil {
		t.Fatal(err)
	}
	w.over(plan.SelectionID)
	if d, err := w.DeadLetter(t.Context(), later.ID); err != nil || d.State != unwind.DeadLetterOpen {
		return fmt.Sprintf("what died after the freeze is %+v, error %v", d.State, err)
	}
	return ""
}

func outcomesAreLost(t *testing.T) string {
	w := newWorld(t, pivot(placeOrder()), "ship:409*3,200", nil)
	w.manyDead(3)
	if c := w.over(w.replayAll(nil).ID).Counts; c.Succeeded != 3 || c.Skipped != 0 {
		return fmt.Sprintf("three replays that succeeded are %+v", c)
	}
	return ""
}

func skipsAreOutcomes(t *testing.T) string {
	w := newWorld(t, pivot(placeOrder()), "ship:409*2,200", nil)
	w.manyDead(2)
	plan := w.planAll()
	list, err := w.DeadLetters(t.Context(), unwind.DeadLetterFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Resolve(t.Context(), list.Items[0].ID, unwind.ResolveRequest{Reason: "r", Evidence: "e", As: "done"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.StartOperation(t.Context(), unwind.OperationRequest{Kind: unwind.OperationReplay, SelectionID: plan.SelectionID, Reason: "mended"}); err != nil {
		t.Fatal(err)
	}
	if c := w.over(plan.SelectionID).Counts; c.Succeeded != 1 || c.SkippedWhy["resolved"] != 1 {
		return fmt.Sprintf("one that succeeded and one that was settled by hand before are %+v", c)
	}
	return ""
}

func canaryIsPassed(t *testing.T) string {
	w := newWorld(t, pivot(placeOrder()), "ship:409*6,200", nil)
	w.manyDead(6)
	op := w.replayAll(func(r *unwind.OperationRequest) { r.Canary = 2 })
	w.until("it goes on for ever", func() bool { return w.operation(op.ID).State != unwind.OperationRunning })
	if op = w.operation(op.ID); op.Counts.Queued != 4 {
		return fmt.Sprintf("behind a canary of two of six it is %s with %+v", op.State, op.Counts)
	}
	return ""
}

func pauseIsPassed(t *testing.T) string {
	w := newWorld(t, pivot(placeOrder()), "ship:409*40,200", nil)
	w.manyDead(40)
	op := w.replayAll(func(r *unwind.OperationRequest) { r.Rate = &unwind.Rate{Calls: 10, Per: unwind.Second} })
	on := true
	if _, err := w.ChangeOperation(t.Context(), op.ID, unwind.OperationChange{Paused: &on, Reason: "wait"}); err != nil {
		t.Fatal(err)
	}
	w.until("what is out does not end", func() bool { return w.operation(op.ID).Counts.Replaying == 0 })
	before := w.operation(op.ID).Counts.Queued
	return looks(w, planted.ReplayPaused, func() string {
		if now := w.operation(op.ID).Counts.Queued; now < before-1 { // one may have been on its way
			return fmt.Sprintf("while it was paused %d of %d were taken up", before-now, before)
		}
		return ""
	})
}

func dryRunActs(t *testing.T) string {
	w := newWorld(t, pivot(placeOrder()), "ship:409*2,200", nil)
	w.manyDead(2)
	w.planAll()
	return looks(w, planted.DryRunBegins, func() string {
		if n := len(w.script.Calls("/ship")) - 2; n > 0 {
			return fmt.Sprintf("a dry run made %d calls", n)
		}
		return ""
	})
}

func twiceIsTaken(t *testing.T) string {
	w := newWorld(t, placeOrder(), "ship:409 refund:422", nil)
	d := w.dead("o-1")
	for _, who := range []string{"ann", "bob"} {
		_, err := w.Resolve(t.Context(), d.ID, unwind.ResolveRequest{Reason: "r", Evidence: "e", Actor: who})
		if who == "bob" && unwind.CodeOf(err) != unwind.Conflict {
			return fmt.Sprintf("the second to resolve it was told %v", err)
		}
	}
	return ""
}

// once lets one write of an abort through, and then none: as if the process had ended
// there. What the runner writes meanwhile is not counted.
type once struct {
	store.Store
	written *atomic.Bool
}

func (o once) ChangeOperation(ctx context.Context, epoch int64, op store.Operation, a *store.Audit) (store.Operation, error) {
	abort := unwind.OperationState(op.State) == unwind.OperationAborted
	if abort && o.written.Load() {
		return op, errDisk
	}
	changed, err := o.Store.ChangeOperation(ctx, epoch, op, a)
	if abort && err == nil {
		o.written.Store(true)
	}
	return changed, err
}

func actsUnaudited(t *testing.T) string {
	s := newStage(t, pivot(placeOrder()), "ship:409*2,200", nil)
	s.manyDead(2)
	off := true
	if _, err := s.Control(t.Context(), unwind.ControlRequest{Scope: unwind.Scope{Kind: unwind.ScopeForward, Name: "shop"}, Paused: &off, Reason: "nothing is to happen"}); err != nil {
		t.Fatal(err)
	}
	op := s.replayAll(nil)
	written := new(atomic.Bool)
	s.wrap = func(st store.Store) store.Store { return once{st, written} }
	s.crash()
	for begin := time.Now(); !written.Load() && time.Since(begin) < eventually.Std(); { // the runner may have been first
		_, _ = s.AbortOperation(t.Context(), op.ID, unwind.AbortRequest{Reason: "enough", Actor: "ann"})
	}
	s.wrap = nil
	s.crash()
	audit, err := s.Audit(t.Context(), unwind.AuditFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if state := s.operation(op.ID).State; (state == unwind.OperationAborted) != (audit.Items[0].Action == "operation-abort") {
		return fmt.Sprintf("the operation is %s, and the last row of the audit is %s", state, audit.Items[0].Action)
	}
	return ""
}

func neverEnds(t *testing.T) string {
	w := newWorld(t, placeOrder(), "ship:409 refund:422", nil)
	w.dead("o-1")
	w.settleAll()
	while := eventually.Std()
	if planted.On(planted.LoseEnd) {
		while = 5 * time.Second
	}
	for begin := time.Now(); w.marks() != "dead_letter x"; pause(t.Context(), 20*time.Millisecond) {
		if time.Since(begin) > while {
			return fmt.Sprintf("%s after all was settled the alerts are %s", while, w.marks())
		}
	}
	return ""
}

func callsOnHold(t *testing.T) string {
	s := newStage(t, placeOrder(), "charge:never", func(cfg *engine.Config) { patient(cfg) })
	s.begin("o-1")
	s.called("/charge", 1)
	s.drop()
	s.cfg.Hold = true
	s.open()
	return looks(s.world, planted.CallOnHold, func() string {
		if n := len(s.script.Calls("/charge")); n > 1 {
			return fmt.Sprintf("on hold it made %d calls", n-1)
		}
		return ""
	})
}
