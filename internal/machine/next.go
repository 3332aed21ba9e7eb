package machine

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/planted"
)

// Next applies an event to a state. It returns the transition, or a *unwind.Error
// that says why the event is refused (nothing changes then). A transition without
// entries means that there was nothing to do and nothing to commit.
func Next(p *Plan, s State, ev Event) (Transition, error) {
	t := turn{plan: p, ev: ev, Transition: Transition{State: s.clone()}}
	if err := t.apply(); err != nil {
		return Transition{}, err
	}
	if len(t.Entries) == 0 {
		return Transition{State: s}, nil
	}
	t.State.Version++
	if t.Entries[0].Kind != unwind.EntryLateAnswer {
		t.State.UpdatedAt = ev.At
	}
	return t.Transition, nil
}

// A turn is the making of one transition.
type turn struct {
	plan *Plan
	ev   Event
	Transition
}

func (t *turn) apply() error {
	ev := &t.ev
	if ev.Kind == Started {
		return t.start()
	}
	if ev.Kind != CancelRequested && ev.Kind != DeadlineReached && (ev.Step < 0 || ev.Step >= len(t.State.Steps)) {
		return unwind.Errorf(unwind.InvalidRequest, "applying %s to a saga of %d steps: there is no step %d", ev.Kind, len(t.State.Steps), ev.Step)
	}
	switch ev.Kind {
	case Answered:
		if !t.expected() {
			t.late()
		} else if ev.Dir == unwind.Action {
			t.actionAnswered()
		} else {
			t.compensationAnswered()
		}
	case StatusAnswered:
		t.statusAnswered()
	case Withdrawn, Lost:
		t.actionGone()
	case TimerFired:
		t.timerFired()
	case DeadlineReached:
		t.deadlineReached()
	case CancelRequested:
		return t.cancelRequested()
	case Signalled:
		return t.signalled()
	case CallCompleted:
		return t.callCompleted()
	case Replayed:
		return t.replayed()
	case Resolved:
		return t.resolved()
	case Reopened:
		return t.reopened()
	case Hastened:
		return t.hastened()
	default:
		return unwind.Errorf(unwind.Internal, "applying event %d: it is not known", ev.Kind)
	}
	return nil
}

// expected reports whether the answer is of the call that is out.
func (t *turn) expected() bool {
	side := t.State.Side(t.ev.Step, t.ev.Dir)
	if planted.On(planted.TakeStaleAnswer) {
		return side.Ordered
	}
	return side.Ordered && !side.Asking && t.ev.Attempt == side.Attempts+1 && t.ev.Generation == side.Generation
}

// late journals an answer that nobody waits for. It changes nothing.
func (t *turn) late() {
	e := t.entry(unwind.EntryLateAnswer)
	e.Attempt, e.Generation, e.Status, e.Message = t.ev.Attempt, t.ev.Generation, t.ev.Answer.Status, t.ev.Answer.Message
	t.log(e)
}

// take books the answer to the call that is out: what it means, and which
// attempt it ends.
func (t *turn) take(side *Side, call *PlanCall) (v verdict, attempt uint32) {
	side.mayHaveLeft(t.ev.Resent)
	v = judge(t.ev.Answer, call.Call.Async, side.Uncertain)
	if side.FirstSent == 0 && v.executed {
		side.FirstSent = orDefault(t.ev.SentAt, side.NotBefore)
	}
	side.Ordered, side.LastSent = false, orDefault(t.ev.SentAt, t.ev.At)
	attempt = side.Attempts + 1
	switch {
	case v.counted:
		side.Attempts++
	case v.class != unwind.ClassInProgress && !v.awaiting:
		side.Throttled++
	}
	side.Uncertain = side.Uncertain || v.executed && !v.done && !planted.On(planted.ForgetUncertain)
	return v, attempt
}

func (t *turn) start() error {
	if t.State.Version > 0 {
		return unwind.Errorf(unwind.Conflict, "starting the saga: it was started already and is %s", t.State.Phase)
	}
	t.State = State{
		CreatedAt: t.ev.At, DeadlineAt: t.ev.At + t.plan.Deadline,
		Steps: make([]Step, len(t.plan.Steps)),
	}
	t.log(Entry{Kind: unwind.EntrySagaStarted, At: t.ev.At, Step: -1})
	t.forward()
	return nil
}

// entry begins a journal entry on the event's step and direction.
func (t *turn) entry(kind string) Entry {
	return Entry{Kind: kind, At: t.ev.At, Step: t.ev.Step, Dir: t.ev.Dir}
}

func (t *turn) log(e Entry) {
	if t.Entries == nil {
		t.Entries = make([]Entry, 0, 2) // most transitions have two
	}
	t.Entries = append(t.Entries, e)
}

func (t *turn) do(e Effect) { t.Effects = append(t.Effects, e) }

// rest brings the saga to rest.
func (t *turn) rest(phase Phase) {
	t.State.Phase = phase
	t.State.Cancelling = false
	t.log(Entry{Kind: unwind.EntrySagaEnded, At: t.ev.At, Step: -1, As: phase.String()})
}

// order has a call made: the action or the compensation of a step, or, with ask,
// the question to its status path. It is sent no earlier than notBefore, a
// question about a call that was not accepted no sooner than what was sent has
// settled: "not done" is not to be said of a call that is still on its way.
func (t *turn) order(step int, dir unwind.Direction, notBefore Micros, ask bool) {
	side := t.State.Side(step, dir)
	if !ask {
		side.Misses = 0
	} else if !t.State.awaiting(step, dir) && !planted.On(planted.AskUnsettled) {
		notBefore = max(notBefore, side.LastSent+t.plan.Call(step, dir).Settle)
	}
	side.Ordered, side.Asking, side.NotBefore = true, ask, notBefore
	e := Entry{Kind: unwind.EntryActionOrdered, At: t.ev.At, Step: step, Dir: dir, Attempt: side.Attempts + 1, Generation: side.Generation, NotBefore: notBefore, Ask: ask}
	if dir == unwind.Compensation {
		e.Kind, e.Executed = unwind.EntryCompensationOrdered, t.State.MayHaveExecuted(step)
	}
	t.log(e)
	t.do(orderOf(step, dir, side))
}

// orderOf is the effect of an order that stands in the state.
func orderOf(step int, dir unwind.Direction, side *Side) Effect {
	e := Effect{Kind: CallAction, Step: step, Dir: dir, Attempt: side.Attempts + 1, Generation: side.Generation, NotBefore: side.NotBefore, Ask: side.Asking}
	if dir == unwind.Compensation {
		e.Kind = QueueCompensation
	}
	return e
}

// MayHaveExecuted reports whether nobody knows if the action of a step took effect.
func (s *State) MayHaveExecuted(step int) bool {
	return s.Steps[step].Status == StepFailed && s.Steps[step].Action.Uncertain
}
