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
func (t *turn) accepted() bool { return t.State.awaiting(t.ev.Step, t.ev.Dir) }

func (s *State) awaiting(step int, dir unwind.Direction) bool {
	st := &s.Steps[step]
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

// askFirst is when an accepted call is asked about for the first time. What it was
// made to wait before it was accepted says nothing of how long it takes.
func (t *turn) askFirst(side *Side, call *PlanCall) Micros {
	side.Waits = 1
	return t.ev.At + max(t.ev.Answer.Hint, backoff(call.Retry, 1, t.ev.Rand))
}

// missedMost bounds how long a question is put off that the service could not be
// asked: the call may be done by then, and its lane keeps a service that is down
// from being asked too often.
const missedMost = 15 * unwind.Second

// missed is the wait after the n-th question in a row that could not be put.
func missed(r unwind.Retry, n uint32, rand uint64) Micros {
	r.Max = min(r.Max, missedMost)
	return backoff(r, n, rand)
}

// askAgain: the call is in progress, or the status path could not be asked.
func (t *turn) askAgain(side *Side) {
	i, dir := t.ev.Step, t.ev.Dir
	call := t.plan.Call(i, dir)
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
	accepted := t.accepted() // it may still be completed by its participant
	var wait Micros
	if accepted && class != unwind.ClassInProgress {
		wait = missed(call.Retry, side.Misses, t.ev.Rand)
	} else {
		side.Waits++
		wait = backoff(call.Retry, side.Waits, t.ev.Rand)
	}
	stuck := side.Misses >= uint32(call.Retry.Attempts) && !accepted
	switch {
	case dir == unwind.Compensation && t.givenUp(side):
		t.dieUndo(i, class)
	case dir == unwind.Compensation && stuck:
		t.dieUndo(i, unwind.ClassKeyExpired)
	case stuck:
		t.unknowable(i)
	default:
		t.order(i, dir, t.ev.At+max(t.ev.Answer.Hint, wait), true)
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
