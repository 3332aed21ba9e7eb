package flow

import "github.com/unwindhq/unwind/internal/planted"

// common is a scope that spans targets, a saga type or a tenant of one, with
// what is parked at it in the order in which it was refused.
type common struct {
	scope
	id          int32 // among all of them
	weight      int64
	flows       int // of a tenant: in memory
	first, last *seat
}

// seat is what waits at one common: a branch at its saga type, or a flow at
// its tenant. It parks as a whole, so that a lower class never gets a call that
// a higher one was refused.
type seat struct {
	at         *common // nil: nothing limits it
	parked     bool
	prev, next *seat
	branch     *branch // one of the two is set
	flow       *flow
}

// park lets what has the seat wait with its scope, which does not admit a call.
func (s *Scheduler) park(p *seat, now int64) {
	c := p.at
	p.parked, p.prev, p.next = true, c.last, nil
	if c.last == nil {
		c.first = p
	} else {
		c.last.next = p
	}
	c.last = p
	s.reoffer(p, now)
	s.alarm(c, now)
}

// unpark puts it back to work, at the virtual time of now: who could not be
// served has no claim on what others got meanwhile.
func (s *Scheduler) unpark(p *seat, now int64) {
	s.leaveSeat(p)
	s.alarm(p.at, now)
	if !planted.On(planted.CatchUp) {
		p.rejoin()
	}
	s.reoffer(p, now)
}

func (s *Scheduler) leaveSeat(p *seat) {
	c := p.at
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		c.first = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		c.last = p.prev
	}
	p.parked, p.prev, p.next = false, nil, nil
	if c.first == nil {
		s.alarms.remove(c.id)
	}
}

func (p *seat) rejoin() {
	if b := p.branch; b != nil {
		for rank, l := range b.bundles {
			if l != nil {
				l.floor = max(l.floor, b.target.byRank[rank].virtual)
			}
		}
		return
	}
	for rank, q := range p.flow.queues {
		if q != nil {
			q.start = max(q.start, q.target.byRank[rank].virtual)
		}
	}
}

// reoffer shows what has the seat to its target, or takes it away.
func (s *Scheduler) reoffer(p *seat, now int64) {
	if p.branch != nil {
		for _, l := range p.branch.bundles {
			if l != nil {
				s.show(l, now)
			}
		}
		return
	}
	for _, q := range p.flow.queues {
		if q != nil {
			s.offer(q, now)
		}
	}
}

// rouse puts one that is parked back to work if its scope admits a call. One is
// enough: if it can't use the call, because of its target, the next Next
// rouses another. Rousing all of them for one call would make the cost of a
// grant grow with the number of services.
func (s *Scheduler) rouse(now int64) {
	for e := s.alarms.top(); e.at <= now && e.id >= 0; e = s.alarms.top() {
		c := s.commonPool.all[e.id]
		if !c.admits(now) {
			s.alarm(c, now)
			continue
		}
		s.unpark(c.first, now)
		return
	}
}

// alarm sets when to look at what is parked at a scope again: at the time of
// its next call, behind the scopes that are due already. Without a free slot,
// or paused, it leaves that to an event.
func (s *Scheduler) alarm(c *common, now int64) {
	if c.first == nil || !c.open() {
		s.alarms.remove(c.id)
		return
	}
	s.arrivals++
	s.alarms.set(c.id, max(now, c.eligible()), s.arrivals)
}

// common returns a saga type or a tenant, made on first sight.
func (s *Scheduler) common(name Scope) *common {
	c := s.commons[name]
	if c != nil {
		return c
	}
	c, id := s.commonPool.take()
	*c = common{scope: newScope(name), id: id, weight: 1}
	s.commons[name] = c
	return c
}

// leave drops a tenant that has nothing here and that nobody has set anything
// for. Without limits it has no history to keep.
func (s *Scheduler) leave(c *common) {
	if c == nil || c.name.Kind != ScopeTenant || c.flows > 0 || c.inFlight > 0 || c.paused || c.weight != 1 || c.configured != (Limits{}) {
		return
	}
	s.alarms.remove(c.id)
	delete(s.commons, c.name)
	s.commonPool.give(c.id)
}
