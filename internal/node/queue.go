package node

import (
	"strconv"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// A QueueRead asks for the head of a queue: store.Tasks.
type QueueRead struct {
	Queue store.Queue
	Limit int
	flow  flow.Queue
	room  int
}

func flowQueue(q store.Queue) flow.Queue {
	return flow.Queue{Target: flow.Target{Service: q.Target, Lane: flow.Compensation}, SagaType: q.SagaType, Class: flow.Class(q.Class)}
}

// task is the row of a queued compensation.
func (n *Node) task(sg *saga, e *machine.Effect) store.Task {
	side := sg.State.Side(e.Step, e.Dir)
	return store.Task{
		Saga: sg.ID, Step: e.Step,
		Queue:  store.Queue{Target: sg.Plan.Call(e.Step, e.Dir).Service, SagaType: sg.Plan.Name, Class: uint8(class(sg.Plan, e.Step))},
		Tenant: sg.Tenant, Generation: e.Generation, Attempt: e.Attempt, Due: int64(e.NotBefore), QueuedAt: int64(side.Since), Ask: e.Ask,
	}
}

// inMemory is how many tasks a read may bring that are in memory already.
const inMemory = 2 * flow.DefaultHeads

// readShort asks for the heads of queues that have room and leave tasks in the store.
func (n *Node) readShort(m Moment) {
	for {
		name, room, ok := n.sched.Short(nanos(m.Now))
		if !ok {
			return
		}
		n.out.Reads = append(n.out.Reads, QueueRead{
			Queue: store.Queue{Target: name.Target.Service, SagaType: name.SagaType, Class: uint8(name.Class)},
			Limit: room + inMemory + 1, flow: name, room: room,
		})
	}
}

// TasksRead takes in the answer to one of Output.Reads.
func (n *Node) TasksRead(m Moment, r QueueRead, rows []store.Task, err error) {
	now := nanos(m.Now)
	if err != nil {
		n.sched.Refill(r.flow, nil, nanos(m.Now+sickStart), now)
		return
	}
	rest := int64(flow.Never)
	tasks := make([]flow.Task, 0, r.room)
	byKey := make(map[flow.TaskKey]*store.Task, r.room)
	for i := range rows {
		row := &rows[i]
		key := taskKey(row.Saga, row.Step, unwind.Compensation)
		if n.orders[key] != nil {
			continue
		}
		if len(tasks) == r.room {
			rest = row.Due * 1000
			break
		}
		tasks = append(tasks, flow.Task{Key: key, Target: r.flow.Target, SagaType: row.SagaType, Tenant: row.Tenant, Class: r.flow.Class, Due: row.Due * 1000})
		byKey[key] = row
	}
	if rest == flow.Never && len(rows) == r.Limit {
		rest = rows[len(rows)-1].Due * 1000
	}
	added := n.sched.Refill(r.flow, tasks, rest, now)
	for i := 0; i < len(tasks) && added > 0; i++ {
		row := byKey[tasks[i].Key]
		if n.orders[tasks[i].Key] == nil {
			added--
			n.orders[tasks[i].Key] = &order{key: tasks[i].Key, dir: unwind.Compensation, saga: row.Saga, step: row.Step,
				attempt: row.Attempt, generation: row.Generation, ask: row.Ask,
				resent: row.Epoch != n.cfg.Epoch && machine.Micros(row.Due) <= n.started}
		}
	}
}

// deadLetter is the row of a call that died.
func (sg *saga) deadLetter(e *machine.Effect, m Moment) *store.DeadLetter {
	side := sg.State.Side(e.Step, e.Dir)
	return &store.DeadLetter{
		DeadLetterID: store.DeadLetterID{Saga: sg.ID, Step: e.Step, Direction: e.Dir},
		SagaType:     sg.Plan.Name, Tenant: sg.Tenant,
		StepName: sg.Plan.Steps[e.Step].Name, Service: sg.Plan.Call(e.Step, e.Dir).Service,
		Key:      machine.Key(sg.Facts.ID, sg.Plan.Steps[e.Step].Name, e.Dir, side.Generation),
		Attempts: int(side.Attempts), Throttled: int(side.Throttled),
		FirstAt: int64(side.FirstSent), DeadAt: int64(m.Now), UpdatedAt: int64(m.Now),
		Error: e.Error, Group: e.Group, State: unwind.DeadLetterOpen,
		Amount: string(machine.Amount(sg.Plan, sg.Input)),
	}
}

// deadLetterAlert is the alert that is committed with a dead letter.
func deadLetterAlert(d *store.DeadLetter) store.Alert {
	message := "the " + string(d.Direction) + " of step " + d.StepName + " of saga " + d.SagaType + " (" + d.Saga.String() + ") is a dead letter after " +
		strconv.Itoa(d.Attempts) + " attempts: " + d.Error.Message
	return store.Alert{At: d.DeadAt, Kind: unwind.AlertDeadLetter, Saga: d.Saga, Service: d.Service, Message: message}
}
