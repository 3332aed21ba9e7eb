package machine

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/unwindhq/unwind"
)

// apply gives an event to the machine, judges the transition, and carries out
// its effects as a node does.
func (w *world) apply(ev Event) error {
	ev.At, ev.Rand = w.now, uint64(w.d.pick(1<<10, "rand"))<<54
	before := w.state
	given := before
	given.Steps = slices.Clone(before.Steps)
	t, err := Next(w.plan, before, ev)
	if !reflect.DeepEqual(before, given) {
		return fmt.Errorf("%s: Next changed the state it was given", ev.Kind)
	}
	again, err2 := Next(w.plan, given, ev)
	if !reflect.DeepEqual(t, again) || fmt.Sprint(err) != fmt.Sprint(err2) {
		return fmt.Errorf("%s: the same arguments gave another result", ev.Kind)
	}
	if err != nil {
		w.note("%s %d %s refused: %v", ev.Kind, ev.Step, ev.Dir, err)
		return w.judgeRefusal(ev, err)
	}
	w.note("%s %d %s #%d %+v -> %s %d entries", ev.Kind, ev.Step, ev.Dir, ev.Attempt, ev.Answer, t.State.Phase, len(t.Entries))
	w.state = t.State
	for i := range t.Entries {
		w.read(&t.Entries[i])
	}
	if err := w.judge(&before, ev, &t); err != nil {
		return fmt.Errorf("%s of step %d: %w", ev.Kind, ev.Step, err)
	}
	var withdrawn []Event
	for i := range t.Effects {
		more, err := w.carryOut(&t.Effects[i])
		if err != nil {
			return fmt.Errorf("%s of step %d: %w", ev.Kind, ev.Step, err)
		}
		withdrawn = append(withdrawn, more...)
	}
	w.following++
	for _, more := range withdrawn {
		if err := w.apply(more); err != nil {
			return err
		}
	}
	if w.following--; w.following > 0 {
		return nil
	}
	return w.judgeStanding()
}

// read keeps what the journal says.
func (w *world) read(e *Entry) {
	switch e.Kind {
	case unwind.EntryActionSucceeded, unwind.EntryResolved:
		if e.Output != nil && e.Dir == unwind.Action {
			w.facts.Outputs[e.Step] = e.Output
		}
	case unwind.EntryDeadLettered:
		w.dead[e.Step] = w.dead[e.Step] || e.Dir == unwind.Compensation
	case unwind.EntryActionAwaiting:
		if w.startedAt[e.Step] == 0 {
			w.startedAt[e.Step] = e.At
		}
	}
}

func (w *world) carryOut(e *Effect) ([]Event, error) {
	tr := w.sides[side{e.Step, e.Dir}]
	switch e.Kind {
	case CallAction, QueueCompensation:
		if tr.inFlight && !tr.answered {
			return nil, fmt.Errorf("a call was ordered while one is in flight")
		}
		if tr.queuedAt == 0 || tr.operator {
			tr.queuedAt = w.now
		}
		order := *e
		tr.order, tr.resent, tr.inFlight, tr.answered = &order, false, false, false
		return nil, w.judgeOrder(e)
	case WithdrawAction:
		if tr.order != nil && !tr.inFlight {
			tr.order = nil
			if tr.resent {
				tr.settled = w.now
			}
			return []Event{{Kind: Withdrawn, Step: e.Step, Dir: e.Dir, Attempt: e.Attempt, Resent: tr.resent}}, nil
		}
	case DropCompensation:
		if !tr.inFlight {
			tr.order = nil
		}
	}
	return nil, nil
}

// advance moves the clock to t, and fires what falls due on the way. The timer of
// a call in flight is held back.
func (w *world) advance(to Micros) error {
	for {
		timer, ok := NextTimer(w.plan, &w.state)
		if !ok || timer.At > to {
			break
		}
		tr := w.sides[side{timer.Step, timer.Dir}]
		if timer.Kind == TimerFired && tr.inFlight && !tr.answered {
			break
		}
		w.now = max(w.now, timer.At)
		if timer.Kind == TimerFired && timer.Dir == unwind.Compensation {
			tr.order = nil // taken back from its queue
		}
		version := w.state.Version
		if err := w.apply(Event{Kind: timer.Kind, Step: timer.Step, Dir: timer.Dir, Resent: timer.Kind == TimerFired && tr.resent}); err != nil {
			return err
		}
		if w.state.Version == version {
			return fmt.Errorf("nothing came of the timer %+v", timer)
		}
	}
	w.now = max(w.now, to)
	return nil
}

// waiting lists the sides whose order waits to be sent, or is in flight.
func (w *world) waiting(inFlight bool) (found []side) {
	for i := range w.plan.Steps {
		for _, dir := range []unwind.Direction{unwind.Action, unwind.Compensation} {
			if tr := w.sides[side{i, dir}]; tr.order != nil && tr.inFlight == inFlight {
				found = append(found, side{i, dir})
			}
		}
	}
	return found
}

// send lets an order leave, unless something falls due before.
func (w *world) send(at side) error {
	tr := w.sides[at]
	order := tr.order
	if err := w.advance(max(w.now, order.NotBefore)); err != nil || tr.order != order {
		return err
	}
	if s := w.state.Side(at.step, at.dir); !s.Ordered || s.Asking != order.Ask || s.Attempts+1 != order.Attempt {
		tr.order = nil // a later transition has taken it back
		return nil
	}
	if Expired(w.plan, &w.state, at.step, at.dir, tr.resent, w.now) {
		if at.dir == unwind.Compensation {
			tr.order = nil
		}
		return w.apply(Event{Kind: TimerFired, Step: at.step, Dir: at.dir, Resent: tr.resent})
	}
	tr.inFlight, tr.sentAt = true, w.now
	w.note("send %d %s #%d ask %v", at.step, at.dir, order.Attempt, order.Ask)
	return w.judgeSend(at)
}

// crash ends the process. Calls in flight may have executed; the state is read
// back and what it holds is ordered again.
func (w *world) crash() error {
	for _, at := range append(w.waiting(true), w.waiting(false)...) {
		tr := w.sides[at]
		if s := w.state.Side(at.step, at.dir); tr.answered || !s.Ordered || s.Asking != tr.order.Ask {
			tr.order, tr.inFlight, tr.answered = nil, false, false // nobody waits for it
			continue
		}
		if tr.inFlight && !tr.order.Ask && chance(w.d, 50, "executed before the crash") {
			tr.executed = true
		}
	}
	state, err := DecodeState(AppendState(nil, &w.state))
	if err != nil {
		return err
	}
	w.state = state
	w.note("crash")
	got := map[side]Effect{}
	for _, e := range Outstanding(&w.state, nil) {
		got[side{e.Step, e.Dir}] = e
	}
	for at, tr := range w.sides {
		e, ok := got[at]
		lost := at.dir == unwind.Action && w.state.Phase == Compensating
		switch {
		case ok != (tr.order != nil && !lost):
			return fmt.Errorf("after a restart the order of %v is outstanding: %v; the node has %+v", at, ok, tr.order)
		case ok && !reflect.DeepEqual(e, *tr.order):
			return fmt.Errorf("after a restart the order %+v came back as %+v", *tr.order, e)
		}
	}
	for i := range w.plan.Steps {
		for _, dir := range []unwind.Direction{unwind.Action, unwind.Compensation} {
			if err := w.restart(side{i, dir}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) restart(at side) error {
	tr := w.sides[at]
	if tr.order == nil {
		return nil
	}
	order := tr.order
	sent := tr.inFlight && !order.Ask
	tr.inFlight = false
	if !order.Ask {
		tr.resent = true // the process that starts does not know whether it left
		tr.uncertain = true
		if tr.firstMaybe == 0 {
			tr.firstMaybe = order.NotBefore
		}
	}
	if at.dir == unwind.Action && w.state.Phase == Compensating {
		tr.order = nil
		if sent {
			tr.settled = w.now
		}
		return w.apply(Event{Kind: Lost, Step: at.step, Dir: at.dir, Attempt: order.Attempt})
	}
	return nil
}

// bodyOf renders the body and remembers it by its key.
func (w *world) bodyOf(at side) (key, body string) {
	key = Key(w.facts.ID, w.plan.Steps[at.step].Name, at.dir, w.state.Side(at.step, at.dir).Generation)
	raw := Body(w.plan, &w.facts, &w.state, at.step, at.dir)
	if !json.Valid(raw) {
		panic("body is not JSON: " + string(raw))
	}
	return key, string(raw)
}
