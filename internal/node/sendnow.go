package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
)

// sendNow has a waiting order sent next, whatever its lane says, once that is durable. It still
// counts.
func (n *Node) sendNow(m Moment, sg *saga, op *Operation) {
	if o := n.orders[taskKey(sg.ID, op.Event.Step, op.Event.Dir)]; o != nil && o.state == orderSent {
		n.out.Replies = append(n.out.Replies, Reply{Token: op.Token, Err: unwind.Errorf(unwind.Conflict, "sending now: the %s of step %s of saga %s is in flight",
			op.Event.Dir, sg.Plan.Steps[op.Event.Step].Name, sg.Facts.ID)})
		n.release(sg)
		return
	}
	ev := op.Event
	ev.Resent = n.resent(sg, ev.Step, ev.Dir)
	n.apply(m, sg, ev, &request{token: op.Token, audit: op.Audit, op: op})
	if side := sg.State.Side(op.Event.Step, op.Event.Dir); side.Ordered && planted.On(planted.SendUnwritten) {
		n.express(m, sg, op.Event.Step, op.Event.Dir, side)
	}
	n.release(sg)
}

// resent reports whether an earlier process may have sent an order. Of a compensation that was
// left in the store nobody knows who has queued it.
func (n *Node) resent(sg *saga, step int, dir unwind.Direction) bool {
	if o := n.orders[taskKey(sg.ID, step, dir)]; o != nil {
		return o.resent
	}
	return sg.resent || dir == unwind.Compensation
}

// hastened puts an order first that is durable so, unless it has left or gone meanwhile.
func (n *Node) hastened(m Moment, sg *saga, e *machine.Effect) {
	if side := sg.State.Side(e.Step, e.Dir); n.sagas[sg.ID] == sg && ordered(side, e) {
		n.express(m, sg, e.Step, e.Dir, side)
	}
}

// express puts an order before all others, unless it is in flight.
func (n *Node) express(m Moment, sg *saga, step int, dir unwind.Direction, side *machine.Side) {
	task := sg.task(step, dir, side.NotBefore)
	o := n.orders[task.Key]
	if o != nil && o.state == orderSent || !n.sched.SendNow(task, nanos(m.Now)) {
		return
	}
	if o == nil { // it was left in the store
		sg.orders++
		n.orders[task.Key] = &order{key: task.Key, dir: dir, saga: sg.ID, step: step, attempt: side.Attempts + 1, generation: side.Generation,
			ask: side.Asking, resent: sg.resent, sg: sg}
	}
}

// task is an order as flow control knows it.
func (s *Snapshot) task(step int, dir unwind.Direction, due machine.Micros) flow.Task {
	t := flow.Task{Key: taskKey(s.ID, step, dir), Target: lane(s.Plan, step, dir), Tenant: s.Tenant, Due: nanos(due)}
	if dir == unwind.Compensation {
		t.SagaType = s.Plan.Name
		t.Class = class(s.Plan, step)
	}
	return t
}
