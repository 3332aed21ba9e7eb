package machine

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/planted"
)

// A Timer is the next thing that time alone will bring about.
type Timer struct {
	At   Micros
	Kind EventKind // TimerFired or DeadlineReached
	Step int
	Dir  unwind.Direction
}

// NextTimer returns the saga's earliest timer; ok is false where time alone
// changes nothing. It is a function of the state, so that nothing is lost with
// the process that waits. The timer of a call that is in flight is held back
// until its answer is in: the answer decides first.
func NextTimer(p *Plan, s *State) (next Timer, ok bool) {
	add := func(at Micros, kind EventKind, step int, dir unwind.Direction) {
		if at > 0 && (!ok || at < next.At) {
			next, ok = Timer{At: at, Kind: kind, Step: step, Dir: dir}, true
		}
	}
	if s.Phase.AtRest() {
		return Timer{}, false
	}
	if s.Phase == Running && !s.DeadlinePassed {
		add(s.DeadlineAt, DeadlineReached, 0, "")
	}
	for i := range s.Steps {
		st, ps := &s.Steps[i], &p.Steps[i]
		if s.Phase == Running {
			switch a := &st.Action; {
			case st.Status == StepAwaiting && !a.Ordered:
				add(a.NotBefore, TimerFired, i, unwind.Action)
			case a.Ordered && !a.Asking:
				add(keyEnds(a, &ps.Action), TimerFired, i, unwind.Action)
			}
		}
		if u := &st.Undo; st.Comp == CompQueued || st.Comp == CompAwaiting {
			if !planted.On(planted.ForgetGiveUp) {
				add(u.Since+p.GiveUpAfter, TimerFired, i, unwind.Compensation)
			}
			switch {
			case !u.Ordered:
				add(u.NotBefore, TimerFired, i, unwind.Compensation)
			case !u.Asking:
				add(keyEnds(u, &ps.Undo), TimerFired, i, unwind.Compensation)
			}
		}
	}
	return next, ok
}

// TurnsBack reports whether time alone turns a running saga back by then.
func TurnsBack(p *Plan, s *State, by Micros) bool {
	if s.PastPivot(p) {
		return false
	}
	turns := !s.DeadlinePassed && s.DeadlineAt > 0 && s.DeadlineAt <= by
	for i := range s.Steps {
		st, ps := &s.Steps[i], &p.Steps[i]
		at := st.Action.NotBefore
		switch {
		case ps.Pivot && st.Action.Uncertain: // not until it is known
			return false
		case ps.Kind == unwind.SignalStep && st.Status == StepAwaiting && at > 0 && at <= by:
			turns = true
		}
	}
	return turns
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
		if st.Action.Ordered && s.Phase == Running {
			to = append(to, orderOf(i, unwind.Action, &st.Action))
		}
		if st.Undo.Ordered && !planted.On(planted.LoseOrder) {
			to = append(to, orderOf(i, unwind.Compensation, &st.Undo))
		}
	}
	return to
}

// Expired reports whether an order may not be sent any more, because its
// participant may have forgotten the key and the call may have executed under it.
// Whoever is about to send then reports [TimerFired] for it instead. resent says
// that another process may have sent it before.
func Expired(p *Plan, s *State, step int, dir unwind.Direction, resent bool, now Micros) bool {
	side := *s.Side(step, dir)
	side.mayHaveLeft(resent)
	return !side.Asking && keyExpired(&side, p.Call(step, dir), now)
}

// mayHaveLeft: what is ordered may have been sent by a process that has ended.
func (s *Side) mayHaveLeft(resent bool) {
	if resent && s.Ordered && !s.Asking {
		s.Uncertain, s.FirstSent = true, orDefault(s.FirstSent, s.NotBefore)
	}
}

// timerFired: a wait is over.
func (t *turn) timerFired() {
	i, dir := t.ev.Step, t.ev.Dir
	st, side := &t.State.Steps[i], t.State.Side(i, dir)
	if side.mayHaveLeft(t.ev.Resent); t.ev.Resent && side.Ordered {
		side.LastSent = t.ev.At // when that was, nobody knows
	}
	waits, asks := side.NotBefore > 0 && !side.Ordered && t.ev.At >= side.NotBefore, side.Ordered && !side.Asking && keyExpired(side, t.plan.Call(i, dir), t.ev.At)
	switch {
	case dir == unwind.Compensation && (st.Comp == CompQueued || st.Comp == CompAwaiting):
		t.undoTimerFired(side, waits, asks)
	case dir != unwind.Action || t.State.Phase != Running:
	case asks:
		t.actionKeyExpired()
	case st.Status == StepAwaiting && (waits || planted.On(planted.EarlyTimer)):
		t.waitOver()
	}
}

// waitOver: a delay has passed, a signal did not come, or an accepted call has
// not been completed yet.
func (t *turn) waitOver() {
	kind := t.plan.Steps[t.ev.Step].Kind
	if kind == unwind.ActionStep {
		t.order(t.ev.Step, unwind.Action, t.ev.At, true)
		return
	}
	t.log(t.entry(unwind.EntryTimerFired))
	if kind == unwind.DelayStep {
		t.succeed(t.ev.Step, 0, nil)
	} else {
		t.fail(t.ev.Step, unwind.ClassRefused)
	}
}

func (t *turn) undoTimerFired(side *Side, waits, asks bool) {
	switch i := t.ev.Step; {
	case t.givenUp(side):
		t.ev.Answer.Message = "given up: it was not acknowledged within give_up_after"
		why := unwind.ClassThrottled
		if side.Uncertain {
			why = unwind.ClassUncertain
		}
		t.dieUndo(i, why)
	case asks && !t.plan.Steps[i].Undo.HasStatus:
		t.ev.Answer.Message = "its key ran out while it waited to be sent again"
		t.dieUndo(i, unwind.ClassKeyExpired)
	case asks, waits:
		t.order(i, unwind.Compensation, t.ev.At, true)
	}
}

// actionKeyExpired: an uncertain action waited so long to be sent again that its
// participant may have forgotten the key.
func (t *turn) actionKeyExpired() {
	i := t.ev.Step
	ps, side := &t.plan.Steps[i], &t.State.Steps[i].Action
	switch {
	case ps.Action.HasStatus:
		t.withdraw(i)
		t.order(i, unwind.Action, t.ev.At, true)
	case ps.Pivot || ps.PastPivot:
		t.withdraw(i)
		side.Ordered = false
		t.ev.Answer.Message = "its key ran out while it waited to be sent again"
		t.dieForward(i, unwind.ClassKeyExpired)
	default:
		t.turnBack(string(unwind.ClassKeyExpired))
	}
}
