package node

import (
	"encoding/json"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
)

// An order is a call that is durable: it waits for its grant, or is in flight.
type order struct {
	key        flow.TaskKey
	dir        unwind.Direction
	saga       id.ID
	step       int
	attempt    uint32
	generation uint32
	ask        bool
	resent     bool
	state      orderState
	grant      flow.Grant
	call       uint64
	sentAt     machine.Micros
	sg         *saga         // nil: the saga is not in memory
	plan       *machine.Plan // set when it is sent
	asker      Token         // of a question; 0: the order is a saga's
}

// lane is the name of the lane that the order goes through, for people.
func (o *order) lane() string {
	if o.asker == 0 && o.dir == unwind.Compensation {
		return unwind.CompensationLane
	}
	return unwind.ForwardLane
}

type orderState uint8

const (
	orderQueued orderState = iota
	orderSent
)

// A Call is to be made now.
type Call struct {
	ID         uint64
	Plan       *machine.Plan
	Saga       id.ID
	Step       int
	Dir        unwind.Direction
	Attempt    uint32
	Generation uint32
	// Ask: put the question to the status path.
	Ask bool
	// Question: it is a person's, and the saga knows nothing of it.
	Question bool
	// Probe: the answer decides whether the service's fault is over.
	Probe bool
	Key   string
	Body  json.RawMessage
}

// carryOut does what a transition ordered; it is durable.
func (n *Node) carryOut(m Moment, sg *saga, effects []machine.Effect) {
	for i := range effects {
		e := &effects[i]
		switch e.Kind {
		case machine.CallAction:
			n.enqueue(m, sg, e, false)
		case machine.QueueCompensation:
			n.enqueue(m, sg, e, false)
		case machine.WithdrawAction:
			n.withdraw(m, sg, e)
		case machine.DropCompensation:
			n.takeBack(n.orders[taskKey(sg.ID, e.Step, e.Dir)], m)
		}
	}
}

// enqueue puts an order into its lane.
func (n *Node) enqueue(m Moment, sg *saga, e *machine.Effect, resent bool) {
	if !ordered(sg.State.Side(e.Step, e.Dir), e) {
		return // a later transition has taken it back, or orders it anew
	}
	if n.holds(m, sg, e) {
		return
	}
	task := sg.task(e.Step, e.Dir, e.NotBefore)
	key := task.Key
	if o := n.orders[key]; o != nil { // it is queued anew
		resent = resent || o.resent && o.attempt == e.Attempt && o.generation == e.Generation
		n.takeBack(o, m)
	}
	switch n.sched.Push(task, nanos(m.Now)) {
	case flow.Left:
		return // the queue is full: it stays in the store until its turn
	case flow.Duplicate:
		sg.behind = true // an order that was taken back is still out
		return
	}
	sg.orders++
	n.orders[key] = &order{key: key, dir: e.Dir, saga: sg.ID, step: e.Step, attempt: e.Attempt, generation: e.Generation, ask: e.Ask, resent: resent, sg: sg}
}

// ordered reports whether an effect is what the state orders.
func ordered(side *machine.Side, e *machine.Effect) bool {
	return side.Ordered && side.Attempts+1 == e.Attempt && side.Generation == e.Generation && side.NotBefore == e.NotBefore && side.Asking == e.Ask
}

func class(p *machine.Plan, step int) flow.Class {
	switch p.Steps[step].Undo.Call.Priority {
	case unwind.Money:
		return flow.Money
	case unwind.Low:
		return flow.Low
	}
	return flow.Normal
}

// withdraw takes an action back that has not been sent, and says so.
func (n *Node) withdraw(m Moment, sg *saga, e *machine.Effect) {
	key := taskKey(sg.ID, e.Step, e.Dir)
	o := n.orders[key]
	switch {
	case o == nil:
		// Not in memory (its saga is held), so never sent by this process.
	case o.state == orderQueued && n.sched.Remove(key, nanos(m.Now)):
		n.forget(o)
	case planted.On(planted.WithdrawSent):
	default:
		return
	}
	n.unsent(m, sg, o, e.Step, e.Attempt)
}

// unsent says that an action was not sent, or, where an earlier process may have
// sent it, that nobody knows.
func (n *Node) unsent(m Moment, sg *saga, o *order, step int, attempt uint32) {
	n.apply(m, sg, machine.Event{Kind: machine.Withdrawn, Step: step, Dir: unwind.Action, Attempt: attempt,
		Resent: (o != nil && o.resent || o == nil && sg.resent) && !planted.On(planted.TrustFirstSend)}, nil)
}

// forget takes an order out of memory.
func (n *Node) forget(o *order) {
	if n.orders[o.key] == o {
		delete(n.orders, o.key)
	}
	if o.sg != nil {
		o.sg.orders--
		o.sg = nil
	}
}

// pump makes every call that may go now.
func (n *Node) pump(m Moment) {
	if n.draining || n.doubts {
		return
	}
	for {
		task, grant, ok := n.sched.Next(nanos(m.Now))
		if !ok {
			break
		}
		o := n.orders[task.Key]
		if o == nil {
			n.sched.Done(grant, flow.Feedback{Outcome: flow.Dropped}, nanos(m.Now))
			continue
		}
		o.grant = grant
		if o.asker != 0 {
			n.pose(m, o)
			continue
		}
		n.send(m, o)
	}
	n.readShort(m)
}

func (n *Node) tie(o *order, sg *saga) {
	o.sg = sg
	sg.orders++
}

// stands reports whether the order is the one that the state has.
func (o *order) stands(side *machine.Side) bool {
	return side.Ordered && side.Attempts+1 == o.attempt && side.Generation == o.generation && side.Asking == o.ask
}

// prune takes back what is queued and does not stand any more, as the question
// about an action that the way back has made idle.
func (n *Node) prune(m Moment, sg *saga) {
	if sg.orders == 0 {
		return
	}
	n.eachOrder(sg, func(o *order) {
		if side := sg.State.Side(o.step, o.dir); o.state == orderQueued && !side.Ordered {
			n.takeBack(o, m)
		}
	})
}

// catchUp makes the orders of a saga that are durable and not in memory, once
// nothing about it is being written.
func (n *Node) catchUp(m Moment, sg *saga) {
	if !sg.behind || sg.unsaved > 0 || n.sagas[sg.ID] != sg {
		return
	}
	sg.behind = false
	for _, e := range machine.Outstanding(&sg.State, nil) {
		switch o := n.orders[taskKey(sg.ID, e.Step, e.Dir)]; {
		case o == nil:
			n.enqueue(m, sg, &e, sg.resent)
		case !o.stands(sg.State.Side(e.Step, e.Dir)):
			sg.behind = true // once the call that is out has ended
		}
	}
}

// send makes a granted call, unless it has been taken back meanwhile.
func (n *Node) send(m Moment, o *order) {
	sg := o.sg
	side := sg.State.Side(o.step, o.dir)
	turned := o.dir == unwind.Action && sg.State.Phase != machine.Running && !planted.On(planted.ResendAfterTurn)
	if !o.stands(side) || turned {
		n.sched.Done(o.grant, flow.Feedback{Outcome: flow.Dropped}, nanos(m.Now))
		n.forget(o)
		if o.stands(side) {
			n.unsent(m, sg, o, o.step, o.attempt)
		}
		n.catchUp(m, sg)
		n.release(sg)
		return
	}
	if machine.Expired(sg.Plan, &sg.State, o.step, o.dir, o.resent, m.Now) && !planted.On(planted.TrustOldKey) {
		n.sched.Done(o.grant, flow.Feedback{Outcome: flow.Dropped}, nanos(m.Now))
		n.forget(o)
		n.apply(m, sg, machine.Event{Kind: machine.TimerFired, Step: o.step, Dir: o.dir, Resent: o.resent}, nil)
		return
	}
	o.plan = sg.Plan
	n.fly(m, o)
	c := Call{
		ID: o.call, Plan: sg.Plan, Saga: sg.ID, Step: o.step, Dir: o.dir, Attempt: o.attempt, Generation: o.generation,
		Ask: o.ask, Probe: o.grant.Probe,
		Key: machine.Key(sg.Facts.ID, sg.Plan.Steps[o.step].Name, o.dir, o.generation),
	}
	if !o.ask {
		c.Body = machine.Body(sg.Plan, &sg.Facts, &sg.State, o.step, o.dir)
	}
	n.out.Calls = append(n.out.Calls, c)
}

// fly notes that an order is in flight.
func (n *Node) fly(m Moment, o *order) {
	n.lastCall++
	o.call, o.state, o.sentAt = n.lastCall, orderSent, m.Now
	n.flights[o.call] = o
	if o.abroad() {
		n.abroad++
	}
}

// abroad reports whether a call in flight goes to a service.
func (o *order) abroad() bool {
	return o.asker == 0 && o.plan.Call(o.step, o.dir).Service != ""
}
