package machine

import (
	"fmt"

	"github.com/unwindhq/unwind"
)

// Next applies an event to a state. It returns the transition, or a *unwind.Error
// that says why the event is refused (nothing changes then). A transition without
// entries means that there was nothing to do and nothing to commit.
func Next(p *Plan, s State, ev Event) (Transition, error) {
	t := turn{plan: p, ev: &ev, Transition: Transition{State: s.clone()}}
	if err := t.apply(); err != nil {
		return Transition{}, err
	}
	if len(t.Entries) > 0 {
		t.State.Version++
		t.State.UpdatedAt = ev.At
	}
	return t.Transition, nil
}

// A turn is the making of one transition.
type turn struct {
	plan *Plan
	ev   *Event
	Transition
}

func (t *turn) apply() error {
	ev := t.ev
	if ev.Kind == Started {
		t.start()
		return nil
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
	default:
		return fmt.Errorf("applying event %d: it is not known", ev.Kind)
	}
	return nil
}

// expected reports whether the answer is of the call that is out.
func (t *turn) expected() bool {
	side := t.State.Side(t.ev.Step, t.ev.Dir)
	return side.Ordered && !side.Asking && t.ev.Attempt == side.Attempts+1 && t.ev.Generation == side.Generation
}

// late journals an answer that nobody waits for. It changes nothing.
func (t *turn) late() {
	e := t.entry(unwind.EntryLateAnswer)
	e.Attempt, e.Status, e.Message = t.ev.Attempt, t.ev.Answer.Status, t.ev.Answer.Message
	t.log(e)
}

func (t *turn) start() {
	t.State = State{
		CreatedAt: t.ev.At, DeadlineAt: t.ev.At + t.plan.Deadline,
		Steps: make([]Step, len(t.plan.Steps)),
	}
	t.log(Entry{Kind: unwind.EntrySagaStarted, At: t.ev.At, Step: -1})
	t.forward()
}

// entry begins a journal entry on the event's step and direction.
func (t *turn) entry(kind string) Entry {
	return Entry{Kind: kind, At: t.ev.At, Step: t.ev.Step, Dir: t.ev.Dir}
}

func (t *turn) log(e Entry) { t.Entries = append(t.Entries, e) }

func (t *turn) do(e Effect) { t.Effects = append(t.Effects, e) }

// rest brings the saga to rest.
func (t *turn) rest(phase Phase) {
	t.State.Phase = phase
	t.State.Cancelling = false
	t.log(Entry{Kind: unwind.EntrySagaEnded, At: t.ev.At, Step: -1, As: phase.String()})
}

// order has a call made: the action or the compensation of a step, or, with ask,
// the question to its status path. It is sent no earlier than notBefore.
func (t *turn) order(step int, dir unwind.Direction, notBefore Micros, ask bool) {
	side := t.State.Side(step, dir)
	side.Ordered, side.Asking, side.NotBefore = true, ask, notBefore
	if !ask && side.FirstSent == 0 {
		side.FirstSent = notBefore
	}
	kind, effect := unwind.EntryActionOrdered, CallAction
	if dir == unwind.Compensation {
		kind, effect = unwind.EntryCompensationOrdered, QueueCompensation
	}
	t.log(Entry{Kind: kind, At: t.ev.At, Step: step, Dir: dir, Attempt: side.Attempts + 1, Generation: side.Generation, NotBefore: notBefore, Ask: ask,
		Executed: dir == unwind.Compensation && t.State.MayHaveExecuted(step)})
	t.do(Effect{Kind: effect, Step: step, Dir: dir, Attempt: side.Attempts + 1, Generation: side.Generation, NotBefore: notBefore, Ask: ask})
}

// MayHaveExecuted reports whether nobody knows if the action of a step took effect.
func (s *State) MayHaveExecuted(step int) bool {
	return s.Steps[step].Status == StepFailed && s.Steps[step].Action.Uncertain
}
