package flow

import "slices"

const (
	// sweepGrant is how many steps a grant spends on queues that are to be dropped. It
	// leaves one such queue at most, so it catches up.
	sweepGrant = 4
	// A class that has nothing to do is swept in so many steps each time, so far apart.
	sweepTidy = 64
	tidyEvery = second / 1000
)

// settle notes that the queue has lost something: when it holds no task and
// none is left in the store, it is dropped once its tag is in the past, when it would
// begin anew at the virtual time anyway.
func (s *Scheduler) settle(q *queue) {
	if q.held > 0 || q.rest != Never || q.late != Never || q.asked {
		return
	}
	if q.start > q.target.byRank[q.rank].virtual {
		q.bundle.idle.set(q.slot, q.start, 0)
		return
	}
	s.drop(q)
}

// sweep drops queues of a class that are idle and whose tags are in the past. A
// step drops one, or goes on to the next bundle; however many there are, a call takes
// so many steps and no more. done: nothing is left for tidy. A class with work is left
// to its grants; one without has nothing more to drop once all of its bundles were
// looked at in a row, in however many calls.
func (s *Scheduler) sweep(c *class, steps int) (done bool) {
	empty := c.open.len() == 0
	if empty && c.virtual < c.latest {
		c.virtual, c.looked = c.latest, 0 // it had work since: all of its tags are in the past now
	}
	for ; steps > 0; steps-- {
		l := c.bundles[c.swept]
		if e := l.idle.top(); e.id >= 0 && e.at <= c.virtual {
			s.drop(l.queues[e.id])
			c.looked = 0
			continue
		}
		c.swept = (c.swept + 1) % len(c.bundles)
		if c.looked++; !empty || c.looked >= len(c.bundles) {
			return true
		}
	}
	return !empty
}

// sweepAfter sweeps a class after a grant of it. What is too much for now is left to tidy.
func (s *Scheduler) sweepAfter(c *class, now int64) {
	if s.sweep(c, sweepGrant) || c.messy {
		return
	}
	c.messy = true
	if len(s.messy) == 0 {
		s.tidyAt = now + tidyEvery
	}
	s.messy = append(s.messy, c)
}

// tidy goes on with a class that ran empty: with each of them in turn, for one with new
// work all the time is never done.
func (s *Scheduler) tidy(now int64) {
	if len(s.messy) == 0 || now < s.tidyAt {
		return
	}
	s.tidyAt = now + tidyEvery
	c := s.messy[0]
	s.messy = slices.Delete(s.messy, 0, 1)
	if c.messy = !s.sweep(c, sweepTidy); c.messy {
		s.messy = append(s.messy, c)
	}
}

// drop forgets a queue, and its flow and its tenant if it was their last.
func (s *Scheduler) drop(q *queue) {
	l, f := q.bundle, q.flow
	q.target.queues--
	s.shorts.remove(q.id)
	l.leave(q.slot)
	f.queues[q.rank] = nil
	tenant := q.name.Tenant
	s.queuePool.give(q.id)
	if f.queues != ([classes]*queue{}) {
		return
	}
	if c := f.seat.at; c != nil {
		if f.seat.parked {
			s.leaveSeat(&f.seat)
		}
		c.flows--
		s.leave(c)
	}
	delete(f.branch.flows, tenant)
	s.flowPool.give(f.id)
}

// leave frees the slot of a queue. After a crowd has left its room is given up.
func (l *bundle) leave(slot int32) {
	l.idle.remove(slot)
	l.queues[slot] = nil
	l.spare = append(l.spare, slot)
	if n := len(l.queues); n > spares && n == len(l.spare) {
		l.queues, l.spare, l.open, l.idle = nil, nil, heap{}, heap{}
	}
}
