package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
)

// A now is an order that an operator wants sent at once, as soon as that is durable.
type now struct {
	sg    *saga
	step  int
	dir   unwind.Direction
	token Token
}

// sendNow has a waiting order sent next, whatever its lane says. It still counts.
func (n *Node) sendNow(m Moment, sg *saga, op *Operation) {
	o := n.orders[taskKey(sg.ID, op.Event.Step, op.Event.Dir)]
	var err error
	switch what := "the " + string(op.Event.Dir) + " of step " + sg.Plan.Steps[op.Event.Step].Name + " of saga " + sg.Facts.ID; {
	case !sg.durable(op.Event.Step, op.Event.Dir):
		err = unwind.Errorf(unwind.Conflict, "sending now: %s does not wait to be sent; look at unwind saga get", what)
	case o != nil && o.state == orderSent:
		err = unwind.Errorf(unwind.Conflict, "sending now: %s is in flight", what)
	case m.Now < machine.Settles(sg.Plan, &sg.State, op.Event.Step, op.Event.Dir) && !planted.On(planted.SendUnsettled):
		err = unwind.Errorf(unwind.Conflict, "sending now: until %s what was sent before %s may still take effect, and it must not overtake that; try again then",
			unwind.TimeFromMicros(int64(machine.Settles(sg.Plan, &sg.State, op.Event.Step, op.Event.Dir))).Format("15:04:05.000Z"), what)
	}
	if err != nil {
		n.out.Replies = append(n.out.Replies, Reply{Token: op.Token, Err: err})
		n.release(sg)
		return
	}
	sg.pins++
	b := n.building
	b.rows.Audit = append(b.rows.Audit, *op.Audit)
	b.nows = append(b.nows, now{sg, op.Event.Step, op.Event.Dir, op.Token})
}

// durable reports whether a call is ordered, and the order is durable as it stands.
func (s *saga) durable(step int, dir unwind.Direction) bool {
	now := s.State.Side(step, dir)
	if !now.Ordered || s.unsaved == 0 || planted.On(planted.SendUnwritten) {
		return now.Ordered
	}
	if step >= len(s.saved.Steps) {
		return false
	}
	was := s.saved.Side(step, dir)
	return was.Ordered && was.Attempts == now.Attempts && was.Generation == now.Generation && was.NotBefore == now.NotBefore && was.Asking == now.Asking
}

// nowsSet: it is durable that orders are to be sent at once.
func (n *Node) nowsSet(m Moment, b *batch) {
	for _, w := range b.nows {
		sg := w.sg
		sg.pins--
		reply := Reply{Token: w.token, Saga: sg.share()}
		if side := sg.State.Side(w.step, w.dir); n.sagas[sg.ID] != sg || !sg.durable(w.step, w.dir) || !n.express(m, sg, w.step, w.dir, side) {
			reply = Reply{Token: w.token, Err: unwind.Errorf(unwind.Conflict, "sending now: saga %s has moved on meanwhile; look at it again", sg.Facts.ID)}
		}
		n.out.Replies = append(n.out.Replies, reply)
		n.release(sg)
	}
}

// express puts an order before all others; false: it is in flight.
func (n *Node) express(m Moment, sg *saga, step int, dir unwind.Direction, side *machine.Side) bool {
	task := sg.task(step, dir, side.NotBefore)
	o := n.orders[task.Key]
	if o != nil && o.state == orderSent || !n.sched.SendNow(task, nanos(m.Now)) {
		return false
	}
	if o == nil { // it was left in the store
		sg.orders++
		n.orders[task.Key] = &order{key: task.Key, dir: dir, saga: sg.ID, step: step, attempt: side.Attempts + 1, generation: side.Generation,
			ask: side.Asking, resent: sg.resent, sg: sg}
	}
	return true
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
