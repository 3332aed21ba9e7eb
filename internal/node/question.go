package node

import (
	"encoding/binary"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
)

// A Question asks a service's status path, for a person, what became of a call. It
// costs a grant of the service's forward lane, and moves no saga.
type Question struct {
	Token      Token
	Plan       *machine.Plan
	Saga       id.ID
	Step       int
	Dir        unwind.Direction
	Generation uint32
}

// QuestionKey names a question among the tasks of flow control. It is no saga's: an
// id has its version at its seventh byte.
func QuestionKey(t Token) (key flow.TaskKey) {
	binary.BigEndian.PutUint64(key.Saga[8:], uint64(t))
	return key
}

// Ask puts a question into its lane. The reply has the answer.
func (n *Node) Ask(m Moment, q Question) {
	key := QuestionKey(q.Token)
	target := flow.Target{Service: q.Plan.Call(q.Step, q.Dir).Service}
	if n.sched.Push(flow.Task{Key: key, Target: target}, nanos(m.Now)) != flow.Queued {
		n.out.Replies = append(n.out.Replies, Reply{Token: q.Token, Err: unwind.Errorf(unwind.Overloaded, "asking service %s: its forward queue is full; try again later", target.Service)})
		return
	}
	n.orders[key] = &order{key: key, dir: q.Dir, saga: q.Saga, step: q.Step, generation: q.Generation, ask: true, asker: q.Token, plan: q.Plan}
	n.asked[q.Token] = n.orders[key]
}

// Unask takes a question back that nobody waits for any more; one that is in flight ends
// by itself.
func (n *Node) Unask(m Moment, t Token) {
	if o := n.asked[t]; o != nil {
		delete(n.asked, t)
		o.asker = noAsker
		n.takeBack(o, m)
	}
}

// noAsker stands for one who has gone.
const noAsker = ^Token(0)

// pose sends a granted question.
func (n *Node) pose(m Moment, o *order) {
	n.fly(m, o)
	n.out.Calls = append(n.out.Calls, Call{
		ID: o.call, Plan: o.plan, Saga: o.saga, Step: o.step, Dir: o.dir, Generation: o.generation, Ask: true, Question: true, Probe: o.grant.Probe,
		Key: machine.Key(o.saga.String(), o.plan.Steps[o.step].Name, o.dir, o.generation),
	})
}

// answered gives the answer to a question to whoever asked.
func (n *Node) answered(m Moment, o *order, a machine.Answer) {
	a.Hint = n.learn(m, o, a)
	n.forget(o)
	if n.asked[o.asker] == o {
		delete(n.asked, o.asker)
		n.out.Replies = append(n.out.Replies, Reply{Token: o.asker, Answer: a})
	}
}
