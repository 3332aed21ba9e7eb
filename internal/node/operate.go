package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// An Operation is something a person or a participant asks of one saga.
type Operation struct {
	Token Token
	Saga  id.ID
	Event machine.Event
	// StepName, where set, stands for Event.Step, by name.
	StepName string
	// Audit is written with the transition.
	Audit *store.Audit
	// Item is what it is done for; the zero value: nothing. A replay takes it up, a
	// cancel settles it.
	Item store.ItemID
	// Wait: only wait until the saga is at rest.
	Wait bool
}

// Operate applies an operation. The reply comes once it is durable, whenever that is:
// what was begun is written as soon as the store can be.
func (n *Node) Operate(m Moment, op Operation) {
	doing := "acting on saga " + op.Saga.String()
	err := n.Held(doing)
	if err == nil && !op.Wait {
		err = n.unwritable(m, doing)
	}
	if err != nil {
		n.out.Replies = append(n.out.Replies, Reply{Token: op.Token, Err: err})
		return
	}
	if sg := n.sagas[op.Saga]; sg != nil {
		n.operate(m, sg, &op)
		return
	}
	v := n.visit(op.Saga)
	v.operations = append(v.operations, op)
}

func (n *Node) operate(m Moment, sg *saga, op *Operation) {
	if op.Wait {
		if sg.State.Phase.AtRest() && sg.unsaved == 0 {
			n.out.Replies = append(n.out.Replies, Reply{Token: op.Token, Saga: sg.share()})
		} else {
			sg.waiters = append(sg.waiters, op.Token)
		}
		n.release(sg)
		return
	}
	if op.StepName != "" {
		if op.Event.Step = sg.Plan.StepIndex(op.StepName); op.Event.Step < 0 {
			n.out.Replies = append(n.out.Replies, Reply{Token: op.Token, Err: unwind.Errorf(unwind.NotFound,
				"saga %s of type %s has no step %q", sg.Facts.ID, sg.Plan.Name, op.StepName)})
			n.release(sg)
			return
		}
	}
	if op.Event.Kind == machine.Hastened {
		n.sendNow(m, sg, op)
		return
	}
	n.apply(m, sg, op.Event, &request{token: op.Token, audit: op.Audit, op: op})
	if ev := &op.Event; ev.Kind == machine.CallCompleted && ev.Dir == unwind.Action && !sg.State.Steps[ev.Step].Action.Ordered {
		n.takeBack(n.orders[taskKey(sg.ID, ev.Step, ev.Dir)], m) // nothing is left to ask
	}
	n.release(sg)
}

// Forget ends a wait: nobody will read the reply. It returns the saga as it
// stands, or nil where it is not durable (yet) or not in memory.
func (n *Node) Forget(saga id.ID, token Token) *Snapshot {
	sg := n.sagas[saga]
	if sg == nil || sg.saved.Version == 0 {
		return nil
	}
	for i, t := range sg.waiters {
		if t == token {
			sg.waiters = append(sg.waiters[:i], sg.waiters[i+1:]...)
			break
		}
	}
	shared := sg.share()
	n.release(sg)
	return shared
}

// forItem writes into a transition for which item of an operation it is made.
func forItem(row *store.Transition, op *Operation) {
	if op.Event.Kind == machine.CancelRequested {
		row.Done = op.Item
	}
	for i := range row.DeadLetters {
		if m := row.DeadLetters[i].Move; m != nil && m.State == unwind.DeadLetterReplaying {
			m.Item = op.Item
		}
	}
}
