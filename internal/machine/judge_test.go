package machine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/unwindhq/unwind"
)

// judge holds one transition to what must be true of each.
func (w *world) judge(before *State, ev Event, t *Transition) error {
	s := &t.State
	if len(t.Entries) == 0 {
		if !reflect.DeepEqual(*before, *s) || len(t.Effects) > 0 {
			return errors.New("the state changed without an entry")
		}
		return nil
	}
	if s.Version != before.Version+1 {
		return fmt.Errorf("version %d follows %d", s.Version, before.Version)
	}
	if before.Phase.AtRest() && !ofOperator(ev.Kind) {
		return w.unchanged(before, t)
	}
	for _, e := range t.Effects {
		if e.Kind == CallAction && s.Phase == Compensating {
			return fmt.Errorf("G6: the action of step %d was ordered after the turn back", e.Step)
		}
	}
	if ofOperator(ev.Kind) {
		if e := t.Entries[0]; e.Kind != ev.Kind.String() || e.Actor != ev.Actor || e.Reason != ev.Reason || e.Evidence != ev.Evidence {
			return fmt.Errorf("G14: the operator's act is journalled as %+v", e)
		}
	}
	for i := range s.Steps {
		if err := w.judgeStep(i, &s.Steps[i]); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	if err := judgeCodec(s, t.Entries); err != nil {
		return err
	}
	if s.Phase.AtRest() {
		return w.judgeRest()
	}
	return nil
}

func ofOperator(k EventKind) bool { return k == Replayed || k == Resolved || k == Reopened }

// unchanged: nothing but the journal may have grown.
func (w *world) unchanged(before *State, t *Transition) error {
	after := t.State
	after.Version, after.UpdatedAt = before.Version, before.UpdatedAt
	if !reflect.DeepEqual(*before, after) || len(t.Effects) > 0 {
		return errors.New("an event that nobody waits for changed the state")
	}
	return nil
}

// judgeStep compares the machine's books with the truth.
func (w *world) judgeStep(i int, st *Step) error {
	ps, action, undo := &w.plan.Steps[i], w.sides[side{i, unwind.Action}], w.sides[side{i, unwind.Compensation}]
	if ps.Kind == unwind.DelayStep && st.Status == StepSucceeded && w.now < w.startedAt[i]+ps.Wait {
		return errors.New("the delay ended before its time")
	}
	if ps.Kind != unwind.ActionStep {
		return nil
	}
	switch {
	case st.Status == StepSucceeded && !action.acknowledged && action.resolved != "done":
		return errors.New("G7: the action counts as done and nobody said so")
	case st.Comp == CompDone && !undo.acknowledged, st.Comp == CompResolved && undo.resolved == "":
		return errors.New("G7: the compensation counts as done and nobody said so")
	}
	for _, dir := range []unwind.Direction{unwind.Action, unwind.Compensation} {
		s, tr := w.state.Side(i, dir), w.sides[side{i, dir}]
		switch {
		case int(s.Attempts) != tr.counted:
			return fmt.Errorf("G9: %d attempts of the %s are counted, %d were made", s.Attempts, dir, tr.counted)
		case tr.counted > tr.allowed:
			return fmt.Errorf("G9: %d attempts of the %s exceed the policy of %d", tr.counted, dir, tr.allowed)
		case s.Generation != tr.generation:
			return fmt.Errorf("G8: the key of the %s has generation %d, operators asked for %d", dir, s.Generation, tr.generation)
		}
	}
	return nil
}

func judgeCodec(s *State, entries []Entry) error {
	row := AppendState(nil, s)
	back, err := DecodeState(row)
	if err != nil {
		return fmt.Errorf("the state did not come back from the store: %w", err)
	}
	if !reflect.DeepEqual(*s, back) {
		return errors.New("the state came back from the store as another")
	}
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(entries); err != nil {
		return err
	}
	got := AppendEntries(nil, entries)
	if string(got) != strings.TrimSuffix(want.String(), "\n") {
		return fmt.Errorf("the journal row is %s, encoding/json writes %s", got, want.String())
	}
	for i := range entries {
		entries[i].Message = strings.ToValidUTF8(entries[i].Message, "\ufffd")
	}
	again, err := DecodeEntries(got)
	if err != nil {
		return fmt.Errorf("the entries did not come back from the store: %w", err)
	}
	if !reflect.DeepEqual(again, entries) {
		return errors.New("the entries came back from the store as others")
	}
	return nil
}

// judgeRest is G2 and G3.
func (w *world) judgeRest() error {
	dead := false
	for i := range w.plan.Steps {
		ps, st := &w.plan.Steps[i], &w.state.Steps[i]
		action, undo := w.sides[side{i, unwind.Action}], w.sides[side{i, unwind.Compensation}]
		dead = dead || st.Dead || st.Comp == CompDead
		switch {
		case w.state.Phase == Completed && st.Status != StepSucceeded:
			return fmt.Errorf("G3: completed, but step %d is %s", i, st.Status.Status())
		case w.state.Phase == Completed && len(undo.bodies) > 0:
			return fmt.Errorf("G3: completed, but step %d was undone", i)
		case w.state.Phase == Compensated && action.executed && ps.Pivot:
			return fmt.Errorf("G3: compensated, but the pivot %d has executed", i)
		case w.state.Phase == Compensated && action.executed && ps.Undo.Exists && !undo.acknowledged && undo.resolved == "":
			return fmt.Errorf("G3: compensated, but step %d has executed and was not undone", i)
		}
		for _, tr := range []*truth{action, undo} {
			if tr.inFlight && !tr.order.Ask && !tr.answered {
				return fmt.Errorf("G2: at rest with a call of step %d in flight", i)
			}
		}
	}
	if dead != (w.state.Phase == DeadLettered) {
		return fmt.Errorf("at rest as %s with dead letters: %v", w.state.Phase, dead)
	}
	return nil
}

// judgeStanding: nothing hangs, and the node holds what the state says is ordered.
func (w *world) judgeStanding() error {
	timer, armed := NextTimer(w.plan, &w.state)
	if w.state.Phase.AtRest() {
		if orders := Outstanding(&w.state, nil); armed || len(orders) > 0 {
			return fmt.Errorf("G2: at rest with orders %v, timer %v", orders, armed)
		}
		return nil
	}
	alive := armed
	for i := range w.state.Steps {
		st := &w.state.Steps[i]
		alive = alive || st.Status == StepAwaiting || st.Comp == CompAwaiting
		for _, dir := range []unwind.Direction{unwind.Action, unwind.Compensation} {
			s, tr := w.state.Side(i, dir), w.sides[side{i, dir}]
			alive = alive || s.Ordered
			if s.Ordered && (tr.order == nil || tr.order.Attempt != s.Attempts+1 || tr.order.Ask != s.Asking || tr.order.Generation != s.Generation) {
				return fmt.Errorf("the %s of step %d is ordered, but the node has %+v", dir, i, tr.order)
			}
		}
		if st.Comp == CompQueued || st.Comp == CompAwaiting {
			if giveUp := w.sides[side{i, unwind.Compensation}].queuedAt + w.plan.GiveUpAfter; !armed || timer.At > giveUp {
				return fmt.Errorf("no timer gives up the compensation of step %d", i)
			}
		}
	}
	if !alive {
		return errors.New("nothing will ever happen to this saga again")
	}
	return nil
}

func (w *world) judgeRefusal(ev Event, err error) error {
	var refusal *unwind.Error
	if !errors.As(err, &refusal) {
		return fmt.Errorf("%s was refused without a code: %w", ev.Kind, err)
	}
	return nil
}
