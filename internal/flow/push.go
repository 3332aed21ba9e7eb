package flow

import "github.com/unwindhq/unwind/internal/planted"

// Pushed says what became of a task that was pushed.
type Pushed uint8

const (
	// Queued: the task waits for its grant.
	Queued Pushed = iota
	// Duplicate: a task with this key is queued or in flight already and stays
	// as it is. A task that is to be tried again is pushed after its Done.
	Duplicate
	// Left: the queue has no room, or older tasks of it wait in the store.
	// The task is to be left there; Short will ask for it.
	Left
)

// Push queues a task. It may be due later: it then waits aside and joins its
// queue when its time has come.
func (s *Scheduler) Push(task Task, now int64) Pushed {
	if s.index.find(s.nodes, &task.Key) != none {
		return Duplicate
	}
	q := s.queue(task.Queue(), now)
	if q.heads >= q.most() || task.Due >= q.rest {
		if planted.On(planted.ForgetRest) {
			return Left
		}
		q.rest = min(q.rest, task.Due)
		if q.asked {
			q.late = min(q.late, task.Due)
		}
		q.bundle.idle.remove(q.slot)
		s.watch(q)
		return Left
	}
	s.advance(now)
	s.add(q, task, now)
	return Queued
}

// add takes a task into memory.
func (s *Scheduler) add(q *queue, task Task, now int64) (id int32) {
	if last := len(s.free) - 1; last >= 0 {
		id = s.free[last]
		s.free = s.free[:last]
	} else {
		id = int32(len(s.nodes))
		s.nodes = append(s.nodes, node{})
	}
	n := &s.nodes[id]
	n.key, n.due, n.queue, n.place = task.Key, task.Due, q, placeDelayed
	s.index.add(id, &task.Key)
	if q.held == 0 {
		q.bundle.idle.remove(q.slot)
	}
	q.heads++
	q.held++
	if q.rest != Never {
		s.watch(q)
	}
	if task.Due <= now {
		q.target.came = now
		s.link(id, now)
		return id
	}
	s.arrivals++
	n.order = s.arrivals
	q.target.delayed++
	s.delayed.set(id, task.Due, n.order)
	return id
}

// withdraw takes a node out of its queue, or from among those not due.
func (s *Scheduler) withdraw(id int32, now int64) {
	n := &s.nodes[id]
	q := n.queue
	if n.express {
		s.unexpress(id)
	}
	if n.place == placeQueued {
		s.unlink(id, now)
	} else {
		s.delayed.remove(id)
		q.target.delayed--
	}
	q.heads--
	if q.rest != Never {
		s.watch(q)
	}
}

// forget frees a node that is in no queue.
func (s *Scheduler) forget(id int32) {
	n := &s.nodes[id]
	q := n.queue
	s.index.remove(id, &n.key)
	*n = node{}
	s.free = append(s.free, id)
	q.held--
	s.settle(q)
}

// advance brings in the tasks that have become due.
func (s *Scheduler) advance(now int64) {
	s.endLingers(now)
	for e := s.delayed.top(); e.at <= now && e.id >= 0; e = s.delayed.top() {
		s.delayed.remove(e.id)
		s.nodes[e.id].queue.target.delayed--
		s.link(e.id, now)
	}
}

// Remove withdraws a task and reports whether it was still queued. A task
// that was granted, left in the store or never pushed is not.
func (s *Scheduler) Remove(key TaskKey, now int64) bool {
	id := s.index.find(s.nodes, &key)
	if id == none || s.nodes[id].place == placeGranted {
		return false
	}
	s.withdraw(id, now)
	s.forget(id)
	return true
}
