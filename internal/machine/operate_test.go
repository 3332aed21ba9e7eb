package machine

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/unwindhq/unwind"
)

func (w *world) cancel() error {
	past := false
	for i := range w.plan.Steps {
		tr := w.sides[side{i, unwind.Action}]
		past = past || w.plan.Steps[i].Pivot && (tr.acknowledged || tr.resolved == "done")
	}
	before := w.state
	if err := w.apply(Event{Kind: CancelRequested, Actor: "ann", Reason: "why"}); err != nil {
		return err
	}
	if past && w.state.Phase == Compensating && before.Phase != Compensating {
		return errors.New("a cancel turned the saga back past its pivot")
	}
	return nil
}

// hasten has a call sent now, whatever it waits for.
func (w *world) hasten(at side) error {
	tr, before := w.sides[at], w.state
	was := before.Side(at.step, at.dir)
	refused := !was.Ordered || at.dir == unwind.Action && before.Phase != Running || w.now < Settles(w.plan, &before, at.step, at.dir)
	if !refused {
		tr.earliest = min(tr.earliest, w.now)
	}
	if err := w.apply(Event{Kind: Hastened, Step: at.step, Dir: at.dir, Resent: tr.resent, Actor: "ann", Reason: "why"}); err != nil {
		return err
	}
	switch side := w.state.Side(at.step, at.dir); {
	case refused != (w.state.Version == before.Version):
		return fmt.Errorf("the %s of step %d is sent now: refused %v, want %v", at.dir, at.step, !refused, refused)
	case !refused && side.NotBefore != min(was.NotBefore, w.now):
		return fmt.Errorf("the %s of step %d is sent now, and its time is %d after %d", at.dir, at.step, side.NotBefore, was.NotBefore)
	}
	return nil
}

// deadLetters lists the open ones.
func (w *world) deadLetters() (found []side) {
	for i := range w.state.Steps {
		if w.state.Steps[i].Dead {
			found = append(found, side{i, unwind.Action})
		}
		if w.state.Steps[i].Comp == CompDead {
			found = append(found, side{i, unwind.Compensation})
		}
	}
	return found
}

// replay has a dead letter called again. The operator asks for a new key only
// where the old one took no effect.
func (w *world) replay(at side) error {
	tr, call := w.sides[at], w.plan.Call(at.step, at.dir)
	ev := Event{Kind: Replayed, Step: at.step, Dir: at.dir, Actor: "ann", Reason: "fixed"}
	if !tr.executed && (w.healing || chance(w.d, 30, "new key")) {
		ev.NewKey, ev.Evidence = true, "looked it up"
	}
	was, version := *tr, w.state.Version
	tr.allowed, tr.operator, tr.earliest = tr.counted+call.Retry.Attempts, true, w.now
	if ev.NewKey {
		tr.generation++
		tr.uncertain, tr.firstMaybe = false, 0
	}
	w.startedAt[at.step] = 0
	err := w.apply(ev)
	if err == nil && w.state.Version == version {
		*tr = was // refused
		if w.healing {
			return w.resolve(at)
		}
	}
	return err
}

// resolve settles a dead letter, by what is true.
func (w *world) resolve(at side) error {
	tr := w.sides[at]
	ev := Event{Kind: Resolved, Step: at.step, Dir: at.dir, Actor: "ann", Reason: "settled", Evidence: "ticket"}
	if at.dir == unwind.Compensation {
		tr.resolved = "done"
		return w.apply(ev)
	}
	ev.As, ev.Output = "done", json.RawMessage(`1`)
	if !tr.executed && !w.plan.Steps[at.step].PastPivot && chance(w.d, 50, "as refused") {
		ev.As, ev.Output = "refused", nil
		tr.uncertain = false
	}
	tr.resolved = ev.As
	return w.apply(ev)
}

// reopen takes back what was settled by hand, if anything was. Only at rest is
// that granted.
func (w *world) reopen() error {
	for i := range w.state.Steps {
		if w.state.Steps[i].Comp != CompResolved {
			continue
		}
		tr, rests := w.sides[side{i, unwind.Compensation}], w.state.Phase.AtRest()
		if rests {
			tr.resolved = ""
		}
		err := w.apply(Event{Kind: Reopened, Step: i, Dir: unwind.Compensation, Actor: "ann", Reason: "a mistake"})
		if reopened := w.state.Steps[i].Comp == CompDead; err == nil && reopened != rests {
			return fmt.Errorf("reopened: %v; at rest: %v", reopened, rests)
		}
		return err
	}
	return nil
}

// disturb sends something that nobody waits for, or that comes too early.
func (w *world) disturb() error {
	i := w.d.pick(len(w.plan.Steps), "step")
	dir := draw(w.d, "direction", unwind.Action, unwind.Compensation)
	s := w.state.Side(i, dir)
	ev := Event{Step: i, Dir: dir, Attempt: uint32(w.d.pick(4, "attempt")), Generation: uint32(w.d.pick(2, "generation")), Answer: draw(w.d, "reply", replies...).Answer}
	switch w.d.pick(5, "disturbance") {
	case 0:
		ev.Kind = Answered
		if s.Ordered && !s.Asking && ev.Attempt == s.Attempts+1 && ev.Generation == s.Generation {
			return nil
		}
	case 1:
		ev.Kind = StatusAnswered
		if s.Asking {
			return nil
		}
	case 2:
		ev.Kind, ev.Dir = draw(w.d, "gone", Withdrawn, Lost), unwind.Action
		if a := w.state.Side(i, unwind.Action); a.Ordered && !a.Asking && ev.Attempt == a.Attempts+1 {
			return nil
		}
	case 3:
		ev.Kind = draw(w.d, "timer", TimerFired, DeadlineReached)
		if timer, ok := NextTimer(w.plan, &w.state); ok && timer.At <= w.now {
			return nil
		}
	case 4:
		ev.Kind = Started
	}
	return w.stale(ev)
}
