package machine

import "github.com/unwindhq/unwind"

// statusAnswered: the status path said what became of the key.
func (t *turn) statusAnswered() {
	i, dir := t.ev.Step, t.ev.Dir
	side := t.State.Side(i, dir)
	if !side.Ordered || !side.Asking {
		return
	}
	side.Ordered, side.Asking = false, false
	switch t.ev.Answer.Outcome {
	case OutcomeDone:
		if t.accepted() || side.Attempts == 0 {
			side.Attempts++ // its own answer did not count
		}
		if dir == unwind.Action {
			t.succeed(i, side.Attempts, t.ev.Answer.Output)
		} else {
			t.undone(i, side.Attempts)
		}
	case OutcomeRefused:
		t.notDone(side)
	default:
		t.askAgain(side)
	}
}

// accepted reports whether the event's call was accepted and is awaited.
func (t *turn) accepted() bool { return t.awaiting(t.ev.Step, t.ev.Dir) }

func (t *turn) awaiting(step int, dir unwind.Direction) bool {
	st := &t.State.Steps[step]
	if dir == unwind.Action {
		return st.Status == StepAwaiting
	}
	return st.Comp == CompAwaiting
}

// notDone: the participant knows that nothing took effect under the key, so the
// call may be made again, as far as the policy allows. An accepted call that came
// to nothing was an attempt.
func (t *turn) notDone(side *Side) {
	i, dir := t.ev.Step, t.ev.Dir
	st, at := &t.State.Steps[i], t.ev.At
	if t.accepted() {
		side.Attempts++
		at += backoff(t.plan.Call(i, dir).Retry, side.Attempts, t.ev.Rand)
	}
	side.Uncertain, side.FirstSent, side.Waits = false, 0, 0
	t.ev.Answer.Message = "the status path says: not done"
	e := t.entry(answerEntries[dir][0])
	e.Attempt, e.Generation, e.Ask, e.Class, e.Message = max(side.Attempts, 1), side.Generation, true, unwind.ClassRefused, t.ev.Answer.Message
	t.log(e)
	switch spent := side.Attempts >= side.Allowed; {
	case dir == unwind.Compensation && spent:
		t.dieUndo(i, unwind.ClassRefused)
	case dir == unwind.Compensation:
		st.Comp = CompQueued
		t.order(i, dir, at, false)
	case t.State.Cancelling:
		t.turnBack(t.cancelCause())
	case spent:
		t.fail(i, unwind.ClassRefused)
	default:
		st.Status = StepRunning
		t.order(i, dir, at, false)
	}
}

// askAgain: the call is in progress, or the status path could not be asked.
func (t *turn) askAgain(side *Side) {
	i, dir := t.ev.Step, t.ev.Dir
	call := t.plan.Call(i, dir)
	side.Waits++
	class := unwind.ClassUncertain
	switch {
	case t.ev.Answer.Outcome == OutcomeInProgress:
		class, side.Misses = unwind.ClassInProgress, 0
	case t.ev.Answer.Fault == FaultLocal:
		class = unwind.ClassLocal
	default:
		side.Misses++
	}
	e := t.entry(answerEntries[dir][1])
	e.Attempt, e.Generation, e.Ask, e.Class, e.Executed = max(side.Attempts, 1), side.Generation, true, class, true
	e.Status, e.Message = t.ev.Answer.Status, t.ev.Answer.Message
	t.log(e)
	// An accepted call may still be completed by its participant.
	stuck := side.Misses >= uint32(call.Retry.Attempts) && !t.accepted()
	switch {
	case dir == unwind.Compensation && t.givenUp(side):
		t.dieUndo(i, class)
	case dir == unwind.Compensation && stuck:
		t.dieUndo(i, unwind.ClassKeyExpired)
	case stuck:
		t.unknowable(i)
	default:
		t.order(i, dir, t.ev.At+max(t.ev.Answer.Hint, backoff(call.Retry, side.Waits, t.ev.Rand)), true)
	}
}

// unknowable: neither the call nor the status path tells what became of an action.
func (t *turn) unknowable(i int) {
	ps := &t.plan.Steps[i]
	if ps.Pivot || ps.PastPivot {
		t.dieForward(i, unwind.ClassUncertain)
		return
	}
	st := &t.State.Steps[i]
	st.Status, st.EndedAt = StepFailed, t.ev.At
	t.turnBack(string(unwind.ClassKeyExpired))
}
