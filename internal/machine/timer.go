package machine

import "github.com/unwindhq/unwind"

// A Timer is the next thing that time alone will bring about.
type Timer struct {
	At   Micros
	Kind EventKind // TimerFired or DeadlineReached
	Step int
	Dir  unwind.Direction
}

// NextTimer returns the saga's earliest timer; ok is false where time alone
// changes nothing. It is a function of the state, so that nothing is lost with
// the process that waits.
func NextTimer(p *Plan, s *State) (next Timer, ok bool) {
	add := func(t Timer) {
		if t.At > 0 && (!ok || t.At < next.At) {
			next, ok = t, true
		}
	}
	if s.Phase.AtRest() {
		return Timer{}, false
	}
	if s.Phase == Running && !s.DeadlinePassed {
		add(Timer{At: s.DeadlineAt, Kind: DeadlineReached})
	}
	for i := range s.Steps {
		st := &s.Steps[i]
		if s.Phase == Running && st.Status == StepAwaiting && !st.Action.Ordered {
			add(Timer{At: st.Action.NotBefore, Kind: TimerFired, Step: i, Dir: unwind.Action})
		}
		switch {
		case st.Comp == CompQueued && !st.Undo.Asking:
			add(Timer{At: st.Undo.Since + p.GiveUpAfter, Kind: TimerFired, Step: i, Dir: unwind.Compensation})
		case st.Comp == CompAwaiting && !st.Undo.Ordered:
			add(Timer{At: st.Undo.Since + p.GiveUpAfter, Kind: TimerFired, Step: i, Dir: unwind.Compensation})
			add(Timer{At: st.Undo.NotBefore, Kind: TimerFired, Step: i, Dir: unwind.Compensation})
		}
	}
	return next, ok
}

// Outstanding appends the orders that are out: after a restart they are made
// again, under the same attempt and key. Actions of a saga that has turned back
// are not among them: they are [Lost].
func Outstanding(s *State, to []Effect) []Effect {
	if s.Phase.AtRest() {
		return to
	}
	for i := range s.Steps {
		st := &s.Steps[i]
		if a := &st.Action; a.Ordered && s.Phase == Running {
			to = append(to, Effect{Kind: CallAction, Step: i, Dir: unwind.Action, Attempt: a.Attempts + 1, Generation: a.Generation, NotBefore: a.NotBefore, Ask: a.Asking})
		}
		if u := &st.Undo; u.Ordered {
			to = append(to, Effect{Kind: QueueCompensation, Step: i, Dir: unwind.Compensation, Attempt: u.Attempts + 1, Generation: u.Generation, NotBefore: u.NotBefore, Ask: u.Asking})
		}
	}
	return to
}

// timerFired: a wait is over.
func (t *turn) timerFired() {
	st, ps := &t.State.Steps[t.ev.Step], &t.plan.Steps[t.ev.Step]
	if t.ev.Dir == unwind.Compensation {
		t.undoTimerFired(st)
		return
	}
	if t.State.Phase != Running || st.Status != StepAwaiting || st.Action.Ordered || st.Action.NotBefore == 0 || t.ev.At < st.Action.NotBefore {
		return
	}
	switch ps.Kind {
	case unwind.DelayStep:
		t.log(Entry{Kind: unwind.EntryTimerFired, At: t.ev.At, Step: t.ev.Step, Dir: unwind.Action})
		t.succeed(t.ev.Step, 0, nil)
	case unwind.SignalStep:
		t.log(Entry{Kind: unwind.EntryTimerFired, At: t.ev.At, Step: t.ev.Step, Dir: unwind.Action})
		t.fail(t.ev.Step, unwind.ClassRefused)
	default:
		t.order(t.ev.Step, unwind.Action, t.ev.At, true)
	}
}

func (t *turn) undoTimerFired(st *Step) {
	switch {
	case st.Comp != CompQueued && st.Comp != CompAwaiting:
	case t.givenUp(&st.Undo):
		t.ev.Answer.Message = "given up: it was not acknowledged within give_up_after"
		t.dieUndo(t.ev.Step, unwind.ClassUncertain)
	case st.Comp == CompAwaiting && !st.Undo.Ordered && st.Undo.NotBefore > 0 && t.ev.At >= st.Undo.NotBefore:
		t.order(t.ev.Step, unwind.Compensation, t.ev.At, true)
	}
}

// statusAnswered: the status path said what became of the key.
func (t *turn) statusAnswered() {
	i, dir := t.ev.Step, t.ev.Dir
	side := t.State.Side(i, dir)
	if !side.Ordered || !side.Asking {
		return
	}
	side.Ordered, side.Asking = false, false
	call := t.plan.Call(i, dir)
	switch t.ev.Answer.Outcome {
	case OutcomeDone:
		side.Attempts++
		if dir == unwind.Action {
			t.succeed(i, side.Attempts, t.ev.Answer.Output)
		} else {
			t.undone(i, side.Attempts)
		}
	case OutcomeRefused:
		t.notDone(i, dir, side)
	default:
		side.Waits++
		v := inProgress
		if t.ev.Answer.Outcome == NoOutcome {
			v = uncertain
		}
		v.counted = false
		t.logAnswer(v, side.Attempts+1)
		stuck := t.ev.Answer.Outcome == NoOutcome && side.Waits >= uint32(call.Retry.Attempts)
		switch {
		case dir == unwind.Action && stuck:
			t.unknowable(i)
		case dir == unwind.Compensation && (stuck || t.givenUp(side)):
			t.dieUndo(i, unwind.ClassKeyExpired)
		default:
			t.order(i, dir, t.ev.At+max(t.ev.Answer.Hint, backoff(call.Retry, side.Waits, t.ev.Rand)), true)
		}
	}
}

// notDone: the participant knows that nothing took effect under the key.
func (t *turn) notDone(i int, dir unwind.Direction, side *Side) {
	side.Uncertain, side.FirstSent, side.Waits = false, 0, 0
	st := &t.State.Steps[i]
	e := t.entry(answerEntries[dir][0])
	e.Attempt, e.Class, e.Message = side.Attempts+1, unwind.ClassRefused, "the status path says: not done"
	t.log(e)
	switch {
	case dir == unwind.Action && t.plan.Steps[i].Pivot && side.Attempts >= side.Allowed:
		t.fail(i, unwind.ClassRefused)
	case dir == unwind.Action:
		st.Status = StepRunning
		t.order(i, dir, t.ev.At, false)
	default:
		st.Comp = CompQueued
		t.order(i, dir, t.ev.At, false)
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
	t.turnBack(string(unwind.ClassUncertain))
}
