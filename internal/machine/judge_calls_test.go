package machine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/unwindhq/unwind"
)

// judgeOrder holds an order to G5: what descends from a step is undone before it.
func (w *world) judgeOrder(e *Effect) error {
	if e.Dir == unwind.Action {
		return nil
	}
	for k := range w.plan.Steps {
		action, undo := w.sides[side{k, unwind.Action}], w.sides[side{k, unwind.Compensation}]
		if !w.order.Descends(k, e.Step) {
			continue
		}
		if action.inFlight && !action.order.Ask && !action.answered {
			return fmt.Errorf("G5: the action of step %d, which descends from it, is in flight", k)
		}
		undone := undo.acknowledged || undo.resolved != "" || w.dead[k] && !w.plan.Block
		if !undone && w.plan.Steps[k].Undo.Exists && (action.executed || action.acknowledged) {
			return fmt.Errorf("G5: step %d descends from it, has executed and is not undone", k)
		}
	}
	return nil
}

// judgeSend holds a call that leaves to what a participant may rely on.
func (w *world) judgeSend(at side) error {
	tr, order, call := w.sides[at], w.sides[at].order, w.plan.Call(at.step, at.dir)
	action := w.sides[side{at.step, unwind.Action}]
	tr.operator = false
	switch {
	case at.dir == unwind.Action && w.state.Phase != Running:
		return errors.New("G6: an action was sent after the turn back")
	case order.Ask:
		return nil
	case w.now < tr.earliest:
		return fmt.Errorf("G9: sent %d µs before the policy allows", tr.earliest-w.now)
	case tr.counted >= tr.allowed:
		return fmt.Errorf("G9: attempt %d of %d", tr.counted+1, tr.allowed)
	case call.KeyLifetime > 0 && tr.uncertain && tr.firstMaybe > 0 && w.now > tr.firstMaybe+call.KeyLifetime:
		return errors.New("sent under a key that its participant may have forgotten")
	case at.dir == unwind.Compensation && action.uncertain && !action.acknowledged && w.now < action.settled:
		return fmt.Errorf("sent %d µs before the uncertain action has settled", action.settled-w.now)
	}
	key, body := w.bodyOf(at)
	if known, ok := tr.bodies[key]; ok && known != body {
		return fmt.Errorf("G8: under key %s the body was %s and is %s", key, known, body)
	}
	tr.bodies[key] = body
	if uncertain := fmt.Sprintf(`"may_have_executed":%v`, action.uncertain && !action.acknowledged); at.dir == unwind.Compensation && !strings.Contains(body, uncertain) {
		return fmt.Errorf("the body %s does not say %s", body, uncertain)
	}
	if !strings.Contains(body, `"amount":`+hugeNumber) || len(call.Call.Body) > 0 && !strings.Contains(body, `"pay `+hugeNumber+`"`) {
		return fmt.Errorf("the numbers of the input did not come through verbatim: %s", body)
	}
	return nil
}
