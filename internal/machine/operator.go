package machine

import (
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/planted"
)

// Cancelled is the cause of an entry by which a person has turned a saga back.
const Cancelled = "cancelled"

// cancelRequested turns the saga back, unless it is at rest or past its pivot.
func (t *turn) cancelRequested() error {
	switch {
	case t.State.Phase.AtRest():
		return unwind.Errorf(unwind.Conflict, "cancelling the saga: it is at rest as %s since %s; there is nothing to cancel",
			t.State.Phase, time.UnixMicro(int64(t.State.UpdatedAt)).UTC().Format(time.RFC3339))
	case t.State.Phase == Compensating || t.State.Cancelling:
		return nil
	case t.State.PastPivot(t.plan) && !planted.On(planted.CancelPastPivot):
		return unwind.Errorf(unwind.PastPivot, "cancelling the saga: its pivot has succeeded, there is only forward; undo it by a saga of its own")
	}
	if i := t.runningPivot(); i >= 0 && t.State.Steps[i].Action.Uncertain {
		return unwind.Errorf(unwind.PastPivot, "cancelling the saga: its pivot %q may have executed, so it can't turn back until that is known; try again once the step has ended", t.plan.Steps[i].Name)
	}
	t.cancel(Cancelled)
	return nil
}

// cancel turns back, or, while the pivot is in flight, waits for its answer.
func (t *turn) cancel(cause string) {
	if i := t.runningPivot(); i >= 0 {
		t.State.Cancelling = true
		t.log(Entry{Kind: unwind.EntryCancelRequested, At: t.ev.At, Step: i, Dir: unwind.Action, Actor: t.ev.Actor, Reason: t.ev.Reason, As: cause})
		t.withdraw(i)
		return
	}
	t.turnBack(cause)
}

// cancelCause says why a saga turns back that was told to.
func (t *turn) cancelCause() string {
	if t.State.DeadlinePassed {
		return "deadline"
	}
	return Cancelled
}

func (t *turn) runningPivot() int {
	for i := range t.State.Steps {
		if s := t.State.Steps[i].Status; t.plan.Steps[i].Pivot && (s == StepRunning || s == StepAwaiting) {
			return i
		}
	}
	return -1
}

// deadlineReached acts as a cancel before the pivot; after it a person is told
// and the saga goes on. A pivot that may have executed keeps it from turning back
// until that is known.
func (t *turn) deadlineReached() {
	if t.State.Phase != Running || t.State.DeadlinePassed || t.ev.At < t.State.DeadlineAt {
		return
	}
	t.State.DeadlinePassed = true
	message := "the saga is past its deadline and past its pivot; it goes on forward"
	if !t.State.PastPivot(t.plan) {
		pivot := t.runningPivot()
		if pivot < 0 || !t.State.Steps[pivot].Action.Uncertain {
			t.cancel("deadline")
			return
		}
		t.State.Cancelling = true
		message = "the saga is past its deadline and its pivot may have executed; it turns back only once it is known that it did not"
	}
	t.log(Entry{Kind: unwind.EntryTimerFired, At: t.ev.At, Step: -1, As: "deadline"})
	t.do(Effect{Kind: RaiseAlert, Step: -1, Alert: unwind.AlertDeadline, Message: message})
}

// signalled answers a waiting signal step.
func (t *turn) signalled() error {
	st, ps := &t.State.Steps[t.ev.Step], &t.plan.Steps[t.ev.Step]
	if t.State.Phase != Running || st.Status != StepAwaiting || ps.Kind != unwind.SignalStep {
		return unwind.Errorf(unwind.Conflict, "signalling step %q: it is %s and the saga %s; only a waiting signal step can be signalled", ps.Name, st.Status.Status(), t.State.Phase)
	}
	t.log(Entry{Kind: unwind.EntrySignalReceived, At: t.ev.At, Step: t.ev.Step, Dir: unwind.Action, Actor: t.ev.Actor})
	t.succeed(t.ev.Step, 0, t.ev.Output)
	return nil
}

// callCompleted ends an asynchronous call by its participant's word. It may come
// before the answer that accepts the call.
func (t *turn) callCompleted() error {
	i, side, call := t.ev.Step, t.State.Side(t.ev.Step, t.ev.Dir), t.plan.Call(t.ev.Step, t.ev.Dir)
	open := call.Exists && (t.accepted() || side.Ordered && call.Call.Async)
	if !open || t.ev.Generation != side.Generation {
		return unwind.Errorf(unwind.Conflict, "completing the %s of step %q: it is not awaited any more", t.ev.Dir, t.plan.Steps[i].Name)
	}
	side.Ordered, side.Asking = false, false
	side.Attempts++
	done := t.ev.Answer.Outcome != OutcomeRefused
	if !done {
		side.Uncertain = false
		t.logAnswer(refused, side.Attempts)
	}
	switch {
	case done && t.ev.Dir == unwind.Action:
		t.succeed(i, side.Attempts, t.ev.Output)
	case done:
		t.undone(i, side.Attempts)
	case t.ev.Dir == unwind.Compensation:
		t.dieUndo(i, unwind.ClassRefused)
	case t.State.Phase == Compensating:
		t.settleStep(i)
		t.undo()
	default:
		t.fail(i, unwind.ClassRefused)
	}
	return nil
}

// replayed has a dead letter called again, under the same key unless the
// operator brings evidence for a new one.
func (t *turn) replayed() error {
	if err := t.isDead(); err != nil {
		return err
	}
	i := t.ev.Step
	st, ps, side, call := &t.State.Steps[i], &t.plan.Steps[i], t.State.Side(i, t.ev.Dir), t.plan.Call(i, t.ev.Dir)
	ask := keyExpired(side, call, t.ev.At) && !t.ev.NewKey
	switch {
	case t.ev.Dir == unwind.Compensation && t.plan.Block && !t.undoReady(i):
		return unwind.Errorf(unwind.Conflict, "replaying the compensation of step %q: a step that descends from it was reopened and is not undone yet; replay or resolve that one first", ps.Name)
	case t.ev.NewKey && t.ev.Evidence == "":
		return unwind.Errorf(unwind.InvalidRequest, "replaying the %s of step %q under a new key: bring evidence that it did not take effect under the old one", t.ev.Dir, ps.Name)
	case ask && !call.HasStatus:
		return unwind.Errorf(unwind.Conflict, "replaying the %s of step %q: %q may have forgotten its key, and it may have taken effect already; find out, then replay it with a new key and evidence, or resolve it", t.ev.Dir, ps.Name, call.Service)
	}
	e := t.entry(unwind.EntryReplayed)
	e.Actor, e.Reason, e.Evidence, e.NewKey = t.ev.Actor, t.ev.Reason, t.ev.Evidence, t.ev.NewKey
	t.log(e)
	t.do(Effect{Kind: MoveDeadLetter, Step: i, Dir: t.ev.Dir, State: unwind.DeadLetterReplaying, Actor: t.ev.Actor, Reason: t.ev.Reason, Proof: t.ev.Evidence})
	if t.ev.NewKey || planted.On(planted.ReplayNewKey) {
		side.Generation++
		side.Uncertain, side.FirstSent = false, 0
	}
	side.Allowed = side.Attempts + uint32(call.Retry.Attempts)
	side.Replayed, side.Waits, side.Misses, side.Since = true, 0, 0, t.ev.At
	if t.ev.Dir == unwind.Compensation {
		st.Comp = CompQueued
		t.State.Phase = Compensating
		t.order(i, t.ev.Dir, t.ev.At, ask)
		return nil
	}
	t.State.Phase = Running
	// The operator has seen that the deadline is past.
	t.State.DeadlinePassed = t.State.DeadlinePassed || t.ev.At >= t.State.DeadlineAt
	st.Dead, st.EndedAt = false, 0
	if ps.Kind != unwind.ActionStep {
		t.startStep(i)
		return nil
	}
	st.Status = StepRunning
	t.order(i, t.ev.Dir, t.ev.At, ask)
	return nil
}

// resolved settles a dead letter by hand; nobody is called.
func (t *turn) resolved() error {
	if err := t.isDead(); err != nil {
		return err
	}
	i := t.ev.Step
	st, ps := &t.State.Steps[i], &t.plan.Steps[i]
	forward := t.ev.Dir == unwind.Action
	switch {
	case !forward && t.ev.As != "" && t.ev.As != "done":
		return unwind.Errorf(unwind.InvalidRequest, "resolving the compensation of %q as %q: a compensation can only be resolved as done", ps.Name, t.ev.As)
	case forward && t.ev.As != "done" && t.ev.As != "refused":
		return unwind.Errorf(unwind.InvalidRequest, "resolving the action of %q: say as what, done (with its output) or refused", ps.Name)
	case forward && t.ev.As == "refused" && ps.PastPivot:
		return unwind.Errorf(unwind.PastPivot, "resolving the action of %q as refused: it lies past the pivot, where there is only forward; resolve it as done or replay it", ps.Name)
	}
	e := t.entry(unwind.EntryResolved)
	e.Actor, e.Reason, e.Evidence, e.As = t.ev.Actor, t.ev.Reason, t.ev.Evidence, t.ev.As
	if forward && t.ev.As == "done" {
		e.Output = t.ev.Output
	}
	if !planted.On(planted.ResolveUnaudited) {
		t.log(e)
	}
	t.do(Effect{Kind: MoveDeadLetter, Step: i, Dir: t.ev.Dir, State: unwind.DeadLetterResolved, Actor: t.ev.Actor, Reason: t.ev.Reason, Proof: t.ev.Evidence})
	switch {
	case !forward:
		st.Comp = CompResolved
		t.State.Phase = Compensating
		t.undo()
	case t.ev.As == "done":
		st.Status, st.Dead, st.EndedAt = StepSucceeded, false, t.ev.At
		t.State.Phase = Running
		t.forward()
	default:
		st.Dead, st.Action.Uncertain = false, false
		t.turnBack("resolved as refused")
	}
	return nil
}

// reopened makes a compensation that was settled by hand a dead letter again. Only
// at rest: while others are being undone they may have been let go because of it
// (G5). A forward resolution is not taken back: what followed was built on it.
func (t *turn) reopened() error {
	i := t.ev.Step
	st, name := &t.State.Steps[i], t.plan.Steps[i].Name
	switch {
	case t.ev.Dir == unwind.Action:
		return unwind.Errorf(unwind.Conflict, "reopening the action of step %q: the saga went on from how it was settled; only a compensation can be reopened", name)
	case st.Comp != CompResolved:
		return unwind.Errorf(unwind.Conflict, "reopening the compensation of step %q: it is %s, and only what was resolved by hand can be reopened", name, st.Comp.Status())
	case !t.State.Phase.AtRest():
		return unwind.Errorf(unwind.Conflict, "reopening the compensation of step %q: the saga is %s; try again once it is at rest", name, t.State.Phase)
	}
	e := t.entry(unwind.EntryReopened)
	e.Actor, e.Reason, e.Evidence = t.ev.Actor, t.ev.Reason, t.ev.Evidence
	t.log(e)
	t.do(Effect{Kind: MoveDeadLetter, Step: i, Dir: t.ev.Dir, State: unwind.DeadLetterOpen, Actor: t.ev.Actor, Reason: t.ev.Reason, Proof: t.ev.Evidence})
	st.Comp = CompDead
	t.State.Phase = Compensating
	t.undo()
	return nil
}

// hastened has what is ordered sent now. Its time is now then, if it was later, so that whoever
// finds the order after a crash takes its key for as old as it may be.
func (t *turn) hastened() error {
	i, dir, side := t.ev.Step, t.ev.Dir, t.State.Side(t.ev.Step, t.ev.Dir)
	what := "the " + string(dir) + " of step " + t.plan.Steps[i].Name
	switch settles := Settles(t.plan, &t.State, i, dir); {
	case !side.Ordered, dir == unwind.Action && t.State.Phase != Running:
		return unwind.Errorf(unwind.Conflict, "sending now: %s does not wait to be sent; look at unwind saga get", what)
	case t.ev.At < settles && !planted.On(planted.SendUnsettled):
		return unwind.Errorf(unwind.Conflict, "sending now: until %s what was sent before %s may still take effect, and it must not overtake that; try again then",
			unwind.TimeFromMicros(int64(settles)).Format("15:04:05.000Z"), what)
	}
	if !planted.On(planted.ForgetHaste) {
		side.NotBefore = min(side.NotBefore, t.ev.At)
	}
	if side.mayHaveLeft(t.ev.Resent); t.ev.Resent && !side.Asking {
		side.LastSent = t.ev.At // when that was, nobody knows
	}
	t.order(i, dir, side.NotBefore, side.Asking)
	e := &t.Entries[len(t.Entries)-1]
	e.Actor, e.Reason = t.ev.Actor, t.ev.Reason
	return nil
}

func (t *turn) isDead() error {
	st := &t.State.Steps[t.ev.Step]
	settled := planted.On(planted.AcceptTwice) && t.ev.Kind == Resolved && st.Comp == CompResolved
	if t.ev.Dir == unwind.Action && st.Dead || t.ev.Dir == unwind.Compensation && (st.Comp == CompDead || settled) {
		return nil
	}
	return unwind.Errorf(unwind.Conflict, "the %s of step %q is no open dead letter", t.ev.Dir, t.plan.Steps[t.ev.Step].Name)
}
