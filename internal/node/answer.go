package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/alarm"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// CallEnded takes in the answer to a call.
func (n *Node) CallEnded(m Moment, call uint64, a machine.Answer) {
	o := n.flights[call]
	if o == nil {
		return
	}
	delete(n.flights, call)
	if o.abroad() {
		n.abroad--
	}
	if o.asker != 0 {
		n.answered(m, o, a)
		return
	}
	sg := o.sg
	if a.Fault != machine.FaultLocal {
		a.Asked = a.Hint
	}
	a.Hint = n.learn(m, o, a)
	n.forget(o)
	ev := machine.Event{Kind: machine.Answered, Step: o.step, Dir: o.dir, Attempt: o.attempt, Generation: o.generation,
		Resent: o.resent && !planted.On(planted.TrustFirstSend), Answer: a, SentAt: o.sentAt}
	if o.ask {
		ev.Kind = machine.StatusAnswered
	}
	if sg == nil {
		sg = n.sagas[o.saga]
	}
	if sg == nil {
		v := n.visit(o.saga)
		v.answers = append(v.answers, ev)
		return
	}
	n.apply(m, sg, ev, nil)
	n.catchUp(m, sg)
	n.release(sg)
}

// A LateAnswer is what a participant said after nobody waited any more.
type LateAnswer struct {
	Call   Call
	Answer machine.Answer
}

// CallAnsweredLate journals an answer that came after the call's timeout.
func (n *Node) CallAnsweredLate(m Moment, late LateAnswer) {
	if late.Call.Question {
		return
	}
	ev := machine.Event{Kind: machine.Answered, Step: late.Call.Step, Dir: late.Call.Dir, Attempt: late.Call.Attempt, Generation: late.Call.Generation, Answer: late.Answer}
	if sg := n.sagas[late.Call.Saga]; sg != nil {
		n.late(m, sg, ev)
		return
	}
	v := n.visit(late.Call.Saga)
	v.late = append(v.late, ev)
}

// late applies a late answer, unless the same attempt is out again: then the
// answer to that one will say the same.
func (n *Node) late(m Moment, sg *saga, ev machine.Event) {
	side := sg.State.Side(ev.Step, ev.Dir)
	if side.Ordered && side.Attempts+1 == ev.Attempt {
		return
	}
	n.apply(m, sg, ev, nil)
	n.release(sg)
}

// learn tells flow control what a call came to, and returns the hint that the
// call itself is to wait for.
func (n *Node) learn(m Moment, o *order, a machine.Answer) machine.Micros {
	call := o.plan.Call(o.step, o.dir)
	f := flow.Feedback{Status: a.Status, Hint: nanos(a.Hint), Reason: a.Message, Rand: m.Rand,
		Quota: flow.Quota{Remaining: a.Quota.Remaining, Reset: nanos(a.Quota.Reset), Limit: a.Quota.Limit, Window: nanos(a.Quota.Window)}}
	switch a.Class(call.Call.Async) {
	case unwind.ClassThrottled:
		f.Outcome = flow.Throttled
	case unwind.ClassServiceFault:
		f.Outcome = flow.Fault
	case unwind.ClassLocal:
		f.Outcome = flow.Dropped
	case unwind.ClassNotSent:
		f.Outcome = flow.Unsent
	case unwind.ClassUncertain:
		f.Outcome = flow.Error
	case unwind.ClassRefused, unwind.ClassInvalid, unwind.ClassInProgress:
		f.Outcome = flow.Answered
	default:
		f.Outcome = flow.OK
	}
	switch ends := nanos(o.sentAt + call.Timeout + call.Settle); a.Fault {
	case machine.FaultTimeout: // nobody knows whether it is still worked on
		f.Ends = ends
	case machine.FaultBroken: // whoever worked on it has lost the caller, but it may still be on its way
		if !planted.On(planted.BrokenHasEnded) {
			f.Arrives = ends
		}
	}
	r := n.sched.Done(o.grant, f, nanos(m.Now))
	if r.Cap > 0 {
		n.raise(m, o.saga, alarm.Capped(call.Service, o.lane(), unwind.Duration(f.Hint), unwind.Duration(r.Cap)))
	}
	if r.FaultOpened {
		n.raise(m, o.saga, alarm.Fault(call.Service, o.lane(), a.Message))
	}
	if r.BreakerOpened {
		n.raise(m, o.saga, alarm.Breaker(call.Service, o.lane()))
	}
	if f.Outcome == flow.Throttled && a.Hint > 0 {
		return machine.Micros(r.Wait / 1000)
	}
	return min(a.Hint, machine.Micros(flow.DefaultHintCap/1000))
}

// guard counts dead letters in a row; five of one cause pause the lane.
func (n *Node) guard(m Moment, sg *saga, e *machine.Effect) {
	target := lane(sg.Plan, e.Step, e.Dir)
	if e.Dir != unwind.Compensation || !n.sched.DeadLettered(target, sg.ID, machine.Cause(e.Error), nanos(m.Now)) {
		return
	}
	reason := "lane guard: five sagas in a row died of the same cause (group " + e.Group + "): " + e.Error.Message
	c, _ := n.Control(storeScope(target.Scope()))
	c.Paused, c.Reason, c.By, c.At = true, reason, Guard, int64(m.Now)
	n.write(m, c)
	n.raise(m, sg.ID, alarm.Guarded(target.Service, unwind.CompensationLane, reason))
}

// Guard is who pauses a lane that guards itself.
const Guard = "lane guard"

// raise tells of the lane that a call of a saga went through.
func (n *Node) raise(m Moment, saga id.ID, a *store.Alert) {
	a.At, a.Saga = int64(m.Now), saga
	n.alert(*a)
}

// Raise puts alerts, and ends of alerts, into the next batch; the reply comes once
// they are durable.
func (n *Node) Raise(_ Moment, token Token, alerts []store.Alert) {
	n.building.rows.Alerts = append(n.building.rows.Alerts, alerts...)
	n.building.controls = append(n.building.controls, token)
}

func (n *Node) alert(a store.Alert) { n.building.rows.Alerts = append(n.building.rows.Alerts, a) }
