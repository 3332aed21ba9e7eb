package flow

import "github.com/unwindhq/unwind/internal/planted"

// unit is what a call costs in virtual time, divided by the weight of its flow.
// It is more than the largest weight, and so small that a class can make 2^43
// grants before an int64 ends.
const unit = int64(1) << 20

// MaxWeight bounds the weight of a saga type and that of a tenant.
const MaxWeight = 1000

// class holds one priority of a target. Its flows share by start-time fair
// queueing (Goyal, Vin, Cheng 1996): a call starts at S = max(V, F of the call
// before it in its flow) and ends at F = S + cost/weight; the least S goes next,
// and V is the S of the call that went last.
type class struct {
	bundles []*bundle
	open    heap  // bundles with an open queue whose branch is not parked, by start tag
	virtual int64 // V
	latest  int64 // the greatest F
	passed  int   // grants that went to others while this class waited
	ready   int   // tasks that are due
	swept   int   // the bundle to be looked at next for queues to drop
	looked  int   // bundles in a row that had none, since it ran empty
	messy   bool  // in Scheduler.messy
}

// passedMost is how often a lower class is passed over before it goes first.
// When both lower classes are owed at once, one waits a single grant more: each
// has at least one grant in twenty, 5%.
const passedMost = 18

// choose returns the queue whose head goes next, nil when none is open.
func (t *target) choose() *queue {
	best, owed := -1, passedMost-1
	for i := range t.byRank {
		c := &t.byRank[i]
		if c.open.len() == 0 {
			continue
		}
		if best < 0 {
			best = i
		}
		if i > 0 && c.passed > owed {
			best, owed = i, c.passed
		}
	}
	if best < 0 {
		return nil
	}
	c := &t.byRank[best]
	l := c.bundles[c.open.top().id]
	return l.queues[l.open.top().id]
}

// served keeps the account of who was passed over.
func (t *target) served(rank int) {
	for i := range t.byRank {
		if c := &t.byRank[i]; i == rank {
			c.passed = 0
		} else if c.open.len() > 0 {
			c.passed++
		}
	}
}

// pass moves the class to the start of the queue's head and the queue to its
// end. What the division leaves over is kept, so that no share drifts.
func (q *queue) pass() {
	c := &q.target.byRank[q.rank]
	q.start = max(q.start, q.bundle.floor)
	c.virtual = max(c.virtual, q.start)
	w := q.flow.weight()
	if planted.On(planted.IgnoreWeight) {
		w = 1
	}
	q.left = min(q.left, w-1) // the weight may be another than before
	q.start += (unit + q.left) / w
	q.left = (unit + q.left) % w
	c.latest = max(c.latest, q.start)
}

// Weight sets the share of a saga type, or of a tenant of one, among the flows
// of a class of a target: the weight of a flow is that of its saga type times
// that of its tenant. It takes effect with the next grant and earns nothing for
// the past. It is 1 to MaxWeight, other values count as the nearest of these,
// and 1 where nothing was set. Other scopes have no weight.
func (s *Scheduler) Weight(name Scope, weight int) {
	if name.Kind != ScopeSagaType && name.Kind != ScopeTenant {
		return
	}
	c := s.common(name)
	c.weight = int64(min(max(weight, 1), MaxWeight))
	s.leave(c)
}
