package flow

import "github.com/unwindhq/unwind/internal/planted"

// SendNow has a task granted next, whatever its due time, pace, gate, breaker or
// pause say: an operator wants it. A task that was left in the store is taken
// into memory for it. It still needs a slot and an entry in each window, and it
// is charged in every scope, so that the pace makes up for it afterwards; while
// the target has a service fault and no probe is out, it is the probe. false: it
// is in flight. Whether its service exists is for the caller to know.
func (s *Scheduler) SendNow(task Task, now int64) bool {
	id := s.index.find(s.nodes, &task.Key)
	switch {
	case id == none:
		s.advance(now)
		id = s.add(s.queue(task.Queue(), now), task, now)
	case s.nodes[id].place == placeGranted:
		return false
	}
	if n := &s.nodes[id]; !n.express {
		n.express = true
		s.express = append(s.express, id)
	}
	return true
}

// expressed grants the first of the tasks to be sent now that has its slots.
func (s *Scheduler) expressed(now int64) (task Task, grant Grant, ok bool) {
	for _, id := range s.express {
		q := s.nodes[id].queue
		if at, free := s.expressAt(q); !free || at > now {
			continue
		}
		if s.covered(q, now) {
			task, grant = s.grant(q, id, now)
			return task, grant, true
		}
		s.refresh(q.target, now)
		for _, c := range q.flow.commons() {
			if c != nil {
				s.alarm(c, now)
			}
		}
	}
	return task, grant, false
}

// expressAt is when every scope of the queue has a slot and an entry; false
// where that takes an event.
func (s *Scheduler) expressAt(q *queue) (at int64, free bool) {
	at = s.lanes[q.target.lane].all.entry()
	at = max(at, q.target.entry())
	for _, c := range q.flow.commons() {
		if c != nil {
			at = max(at, c.entry())
		}
	}
	return at, at != Never
}

// entry is when the scope has a slot and an entry, Never when that takes an event.
func (s *scope) entry() int64 {
	if !s.free() {
		return Never
	}
	if s.window == nil {
		return 0
	}
	return max(0, s.window.eligible(s.inFlight))
}

// starves reports whether a scope of the queue waits for Reserved.
func (s *Scheduler) starves(q *queue) bool {
	ok := s.lanes[q.target.lane].all.starving || q.target.starving
	for _, c := range q.flow.commons() {
		ok = ok || c != nil && c.starving
	}
	return ok
}

// unexpress takes a task out of those to be sent now.
func (s *Scheduler) unexpress(id int32) {
	for i, other := range s.express {
		if other == id {
			s.express = append(s.express[:i], s.express[i+1:]...)
			s.nodes[id].express = false
			return
		}
	}
}

// bill charges a grant in every scope of its queue.
func (s *Scheduler) bill(n *node, now int64) {
	q := n.queue
	t, retry := q.target, n.due != 0
	if n.express && planted.On(planted.FreeSendNow) {
		s.lanes[t.lane].all.inFlight++
		t.inFlight++
		for _, c := range q.flow.commons() {
			if c != nil {
				c.inFlight++
			}
		}
		return
	}
	s.charge(&s.lanes[t.lane].all, now)
	s.charge(&t.scope, now)
	for _, c := range q.flow.commons() {
		if c != nil && retry && planted.On(planted.SkipOnRetry) {
			c.inFlight++
		} else if c != nil {
			s.charge(&c.scope, now)
		}
	}
}
