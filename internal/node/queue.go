package node

import (
	"strconv"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/alarm"
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
	return flow.Queue{Target: flow.Target{Service: q.Target, Lane: flow.Compensation}, SagaType: q.SagaType, Tenant: q.Tenant, Class: flow.Class(q.Class)}
}

// task is the row of a queued compensation.
func (n *Node) task(sg *saga, e *machine.Effect) store.Task {
	side := sg.State.Side(e.Step, e.Dir)
	return store.Task{
		Saga: sg.ID, Step: e.Step,
		Queue:      store.Queue{Target: sg.Plan.Call(e.Step, e.Dir).Service, SagaType: sg.Plan.Name, Tenant: sg.Tenant, Class: uint8(class(sg.Plan, e.Step))},
		Generation: e.Generation, Attempt: e.Attempt, Due: int64(e.NotBefore), QueuedAt: int64(side.Since), Ask: e.Ask,
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
			Queue: store.Queue{Target: name.Target.Service, SagaType: name.SagaType, Tenant: name.Tenant, Class: uint8(name.Class)},
			Limit: room + inMemory + len(n.stuck) + 1, flow: name, room: room,
		})
	}
}

// A refill is the read of a queue whose sagas are being read: a call is granted
// only when it can be sent at once, so that what leaves is paced as it was granted.
type refill struct {
	QueueRead
	rows   []store.Task
	rest   int64 // when the earliest task is due that stays in the store, ns
	waits  int   // for sagas
	pinned []*saga
}

// TasksRead takes in the answer to one of Output.Reads.
func (n *Node) TasksRead(m Moment, r QueueRead, rows []store.Task, err error) {
	now := nanos(m.Now)
	if err != nil {
		n.sched.Refill(r.flow, nil, nanos(m.Now+sickStart), now)
		return
	}
	f := &refill{QueueRead: r, rest: flow.Never}
	for i := range rows {
		sg := n.sagas[rows[i].Saga]
		known := n.orders[taskKey(rows[i].Saga, rows[i].Step, unwind.Compensation)] != nil || sg != nil && !stands(sg, &rows[i])
		if known || n.stuck[rows[i].Saga] {
			continue
		}
		if len(f.rows) == r.room {
			f.rest = n.soonest(&rows[i])
			break
		}
		f.rows = append(f.rows, rows[i])
	}
	if f.rest == flow.Never && len(rows) == r.Limit {
		f.rest = n.soonest(&rows[len(rows)-1])
	}
	f.waits = 1
	for i := range f.rows {
		if sg := n.sagas[f.rows[i].Saga]; sg != nil {
			sg.pins++
			f.pinned = append(f.pinned, sg)
			continue
		}
		f.waits++
		v := n.visit(f.rows[i].Saga)
		v.refills = append(v.refills, f)
	}
	n.loadedFor(m, f, nil)
}

// loadedFor notes that one saga that a refill waited for is there, or can't be read.
func (n *Node) loadedFor(m Moment, f *refill, sg *saga) {
	if sg != nil {
		sg.pins++
		f.pinned = append(f.pinned, sg)
	}
	if f.waits--; f.waits == 0 {
		n.refill(m, f)
	}
}

// refill queues the tasks of a read.
func (n *Node) refill(m Moment, f *refill) {
	now := nanos(m.Now)
	tasks := make([]flow.Task, 0, len(f.rows))
	kept := f.rows[:0]
	for i := range f.rows {
		row := f.rows[i]
		key := taskKey(row.Saga, row.Step, unwind.Compensation)
		sg := n.sagas[row.Saga]
		switch {
		case n.stuck[row.Saga]:
			continue
		case sg == nil:
			f.rest = min(f.rest, max(n.soonest(&row), nanos(m.Now+sickStart)))
			continue
		case n.orders[key] != nil || !stands(sg, &row):
			continue // it has moved on since it was read
		}
		tasks = append(tasks, flow.Task{Key: key, Target: f.flow.Target, SagaType: row.SagaType, Tenant: row.Tenant, Class: f.flow.Class, Due: nanos(n.dueOf(m, sg, &row))})
		kept = append(kept, row)
	}
	added := n.sched.Refill(f.flow, tasks, f.rest, now)
	for i := 0; i < added; i++ {
		row, sg := &kept[i], n.sagas[kept[i].Saga]
		sg.orders++
		n.orders[tasks[i].Key] = &order{key: tasks[i].Key, dir: unwind.Compensation, saga: row.Saga, step: row.Step,
			attempt: row.Attempt, generation: row.Generation, ask: row.Ask, resent: row.Epoch != n.cfg.Epoch || sg.resent, sg: sg}
	}
	for _, sg := range f.pinned {
		sg.pins--
		n.release(sg)
	}
}

// stands reports whether a task that was read is still the one that the saga
// has, as far as that is durable.
func stands(sg *saga, row *store.Task) bool {
	for _, s := range [...]*machine.State{&sg.State, &sg.saved} {
		if row.Step >= len(s.Steps) {
			return false
		}
		side := &s.Steps[row.Step].Undo
		if !side.Ordered || side.Attempts+1 != row.Attempt || side.Generation != row.Generation || side.Asking != row.Ask || int64(side.NotBefore) != row.Due {
			return false
		}
	}
	return true
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
		FirstAt: int64(sg.firstTried(e)), DeadAt: int64(m.Now), UpdatedAt: int64(m.Now),
		Error: e.Error, Group: e.Group, State: unwind.DeadLetterOpen,
		Amount: string(machine.Amount(sg.Plan, sg.Input)),
	}
}

// firstTried is since when a call was wanted: a replay counts anew.
func (sg *saga) firstTried(e *machine.Effect) machine.Micros {
	if e.Dir == unwind.Compensation {
		return sg.State.Steps[e.Step].Undo.Since
	}
	return sg.State.Steps[e.Step].StartedAt
}

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return strconv.Itoa(n) + " attempts"
}

// deadLetterAlert is the alert that is committed with a dead letter. While one of its
// cause fires, the store writes no other.
func deadLetterAlert(d *store.DeadLetter) store.Alert {
	message := "the " + string(d.Direction) + " of step " + d.StepName + " of saga " + d.SagaType + " (" + d.Saga.String() + ") is a dead letter after " +
		attempts(d.Attempts) + ": " + d.Error.Message
	data := []byte{'{'}
	for _, field := range [...][2]string{{"saga", d.SagaType}, {"step", d.StepName}, {"dead_letter_id", d.Name()}, {"group", d.Group}} {
		data = append(machine.AppendJSONString(append(machine.AppendJSONString(data, field[0]), ':'), field[1]), ',')
	}
	data[len(data)-1] = '}'
	return store.Alert{At: d.DeadAt, Kind: unwind.AlertDeadLetter, Key: alarm.Key(unwind.AlertDeadLetter, d.Group), Saga: d.Saga, Service: d.Service, Message: message, Data: data}
}
