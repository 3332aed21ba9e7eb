package flow

import "github.com/unwindhq/unwind/internal/planted"

// Grant allows one call. It is to be given back with Done. The zero value is
// no grant.
type Grant struct {
	// At is when it was granted, ns.
	At int64
	// Probe: the target has a service fault or an open breaker, and the answer
	// to this call decides whether that is over. It needs a hard timeout: until
	// its Done nothing else goes.
	Probe bool

	number uint64
	nth    int // in flight at its target, with it
	node   int32
	target *target
	flow   *flow
}

// Next grants the next task that may go now, over all targets; ok is false
// when there is none, and Wake then says when to ask again.
func (s *Scheduler) Next(now int64) (task Task, grant Grant, ok bool) {
	s.advance(now)
	s.tidy(now)
	if len(s.express) > 0 {
		if task, grant, ok = s.expressed(now); ok {
			return task, grant, ok
		}
	}
	for {
		s.rouse(now)
		t := s.first(now)
		if t == nil {
			if s.alarms.top().at <= now {
				continue // another parked branch may be able to go
			}
			return Task{}, Grant{}, false
		}
		for q := t.choose(); q != nil; q = t.choose() {
			refused := q.flow.refuses(now)
			if refused != nil {
				s.remember(&refused.at.scope, now)
				s.park(refused, now)
				continue
			}
			t.hush(now)
			if s.covered(q, now) {
				task, grant = s.grant(q, q.head, now)
				return task, grant, true
			}
			s.refresh(t, now)
			if t.starving || s.lanes[t.lane].all.starving {
				break
			}
		}
	}
}

// refuses returns the seat to wait in when the saga type or the tenant does
// not admit a call.
func (f *flow) refuses(now int64) *seat {
	if p := &f.branch.seat; p.at != nil && !p.at.admits(now) {
		return p
	}
	if p := &f.seat; p.at != nil && !p.at.admits(now) && (p.at.starving || !planted.On(planted.SkipTenant)) {
		return p
	}
	return nil
}

// first returns the target that has been able to go for longest, both by
// itself and by what its lane shares.
func (s *Scheduler) first(now int64) *target {
	best := entry{at: Never, id: -1}
	for i := range s.lanes {
		l := &s.lanes[i]
		if e := l.ready.top(); e.at <= now && e.id >= 0 && (best.id < 0 || e.before(best)) {
			if l.all.admits(now) {
				best = e
			} else {
				s.remember(&l.all, now)
			}
		}
	}
	if best.id < 0 {
		return nil
	}
	return s.targets[best.id]
}

// grant charges every scope of a task and takes it out of its queue. All of them
// have admitted it.
func (s *Scheduler) grant(q *queue, id int32, now int64) (Task, Grant) {
	t := q.target
	s.grants++
	g := Grant{At: now, Probe: t.suspect() && !t.probing, number: s.grants, node: id, target: t, flow: q.flow}
	s.bill(&s.nodes[id], now)
	t.took(now)
	g.nth = t.inFlight
	t.since, t.turn = now, s.grants
	t.served(q.rank)
	q.pass()

	s.withdraw(g.node, now)
	n := &s.nodes[g.node]
	n.place, n.order = placeGranted, g.number
	s.refresh(t, now)
	s.sweepAfter(&t.byRank[q.rank], now)
	return n.task(), g
}

// Done gives the grant's slots back, now or at Feedback.Ends, and applies what the
// call came to. A grant that was given back before, or is none, changes nothing.
func (s *Scheduler) Done(g Grant, f Feedback, now int64) Result {
	if g.target == nil {
		return Result{}
	}
	if n := &s.nodes[g.node]; n.place != placeGranted || n.order != g.number {
		return Result{}
	}
	t := g.target
	if f.Ends > now {
		s.linger(g, f.Ends)
	} else {
		s.release(t, g.flow.commons(), g.At, max(f.Arrives, now), now)
	}
	switch {
	case planted.On(planted.LeakSlot) && f.Outcome == Unsent:
		t.inFlight++
	case planted.On(planted.ReleaseTwice) && f.Outcome == Throttled:
		t.inFlight--
	}
	r := t.learn(g, f, s.grants, now)
	if r.Gated || r.BreakerChanged {
		s.note(t)
	}
	s.refresh(t, now)
	s.forget(g.node)
	return r
}
