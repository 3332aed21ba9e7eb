package machine

import (
	"time"

	"github.com/unwindhq/unwind"
)

// cancelRequested turns the saga back, unless it is at rest or past its pivot.
func (t *turn) cancelRequested() error {
	switch {
	case t.State.Phase.AtRest():
		return unwind.Errorf(unwind.Conflict, "cancelling the saga: it is at rest as %s since %s; there is nothing to cancel",
			t.State.Phase, time.UnixMicro(int64(t.State.UpdatedAt)).UTC().Format(time.RFC3339))
	case t.State.Phase == Compensating || t.State.Cancelling:
		return nil
	case t.State.PastPivot(t.plan):
		return unwind.Errorf(unwind.PastPivot, "cancelling the saga: its pivot has succeeded, there is only forward; undo it by a saga of its own")
	}
	if i := t.runningPivot(); i >= 0 && t.State.Steps[i].Action.Uncertain {
		return unwind.Errorf(unwind.PastPivot, "cancelling the saga: its pivot %q may have executed, so it can't turn back until that is known; try again once the step has ended", t.plan.Steps[i].Name)
	}
	t.cancel("cancelled")
	return nil
}

// cancel turns back, or, while the pivot is in flight, waits for its answer.
func (t *turn) cancel(cause string) {
	if i := t.runningPivot(); i >= 0 {
		t.State.Cancelling = true
		t.log(Entry{Kind: unwind.EntryCancelRequested, At: t.ev.At, Step: i, Dir: unwind.Action, Actor: t.ev.Actor, Reason: t.ev.Reason, As: cause})
		t.do(Effect{Kind: WithdrawAction, Step: i, Dir: unwind.Action, Attempt: t.State.Steps[i].Action.Attempts + 1})
		return
	}
	t.turnBack(cause)
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
// and the saga goes on.
func (t *turn) deadlineReached() {
	if t.State.Phase != Running || t.State.DeadlinePassed {
		return
	}
	t.State.DeadlinePassed = true
	pivot := t.runningPivot()
	if t.State.PastPivot(t.plan) || pivot >= 0 && t.State.Steps[pivot].Action.Uncertain {
		t.log(Entry{Kind: unwind.EntryTimerFired, At: t.ev.At, Step: -1, As: "deadline"})
		t.do(Effect{Kind: RaiseAlert, Step: -1, Alert: unwind.AlertDeadline, Message: "the saga is past its deadline and past its pivot; it goes on forward"})
		return
	}
	t.cancel("deadline")
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

// callCompleted ends an awaiting asynchronous call.
func (t *turn) callCompleted() error {
	i, refusedIt := t.ev.Step, t.ev.Answer.Outcome == OutcomeRefused
	st := &t.State.Steps[i]
	side := t.State.Side(i, t.ev.Dir)
	awaitingIt := st.Status == StepAwaiting && t.plan.Steps[i].Kind == unwind.ActionStep && !t.State.Phase.AtRest()
	if t.ev.Dir == unwind.Compensation {
		awaitingIt = st.Comp == CompAwaiting
	}
	if !awaitingIt || t.ev.Generation != side.Generation {
		return unwind.Errorf(unwind.Conflict, "completing the %s of step %q: it is not awaited any more", t.ev.Dir, t.plan.Steps[i].Name)
	}
	side.Ordered, side.Asking = false, false
	side.Attempts++
	switch {
	case t.ev.Dir == unwind.Action && !refusedIt:
		t.succeed(i, side.Attempts, t.ev.Output)
	case t.ev.Dir == unwind.Action:
		side.Uncertain = false
		t.logAnswer(refused, side.Attempts)
		t.fail(i, unwind.ClassRefused)
	case !refusedIt:
		t.undone(i, side.Attempts)
	default:
		t.logAnswer(refused, side.Attempts)
		t.dieUndo(i, unwind.ClassRefused)
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
	st, side, call := &t.State.Steps[i], t.State.Side(i, t.ev.Dir), t.plan.Call(i, t.ev.Dir)
	e := t.entry(unwind.EntryReplayed)
	e.Actor, e.Reason, e.Evidence, e.NewKey = t.ev.Actor, t.ev.Reason, t.ev.Evidence, t.ev.NewKey
	t.log(e)
	t.do(Effect{Kind: MoveDeadLetter, Step: i, Dir: t.ev.Dir, State: unwind.DeadLetterReplaying, Actor: t.ev.Actor, Reason: t.ev.Reason, Proof: t.ev.Evidence})
	if t.ev.NewKey {
		side.Generation++
		side.Uncertain, side.FirstSent = false, 0
	}
	side.Allowed = side.Attempts + uint32(call.Retry.Attempts)
	side.Waits, side.Since = 0, t.ev.At
	if t.ev.Dir == unwind.Action {
		st.Status, st.Dead, st.EndedAt = StepRunning, false, 0
		t.State.Phase = Running
	} else {
		st.Comp = CompQueued
		t.State.Phase = Compensating
	}
	t.order(i, t.ev.Dir, t.ev.At, call.HasStatus && t.keyExpired(side, call, t.ev.At))
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
	t.log(e)
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

func (t *turn) isDead() error {
	st := &t.State.Steps[t.ev.Step]
	if t.ev.Dir == unwind.Action && st.Dead || t.ev.Dir == unwind.Compensation && st.Comp == CompDead {
		return nil
	}
	return unwind.Errorf(unwind.Conflict, "the %s of step %q is no open dead letter", t.ev.Dir, t.plan.Steps[t.ev.Step].Name)
}
