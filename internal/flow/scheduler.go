package flow

import "math"

// DefaultHeads is how many tasks of one compensation queue stay in memory.
const DefaultHeads = 256

// Config of a Scheduler.
type Config struct {
	// CompensationHeads bounds the tasks in memory per compensation queue.
	// Defaults to DefaultHeads. Negative means no bound.
	CompensationHeads int
	// ForwardHeads bounds those per forward queue. Defaults to no bound.
	ForwardHeads int
	// Durable: calls are granted only inside of what Reserved has confirmed, so
	// that the limits hold over a crash. Without it they begin EMPTY.
	Durable bool
}

// Scheduler grants calls. Make one with New. Not safe for concurrent use.
type Scheduler struct {
	lanes    [lanes]lane
	bounds   [lanes]int
	services map[string]int32 // first of the two targets of a service
	targets  []*target

	commons    map[Scope]*common
	queuePool  pool[queue]
	flowPool   pool[flow]
	commonPool pool[common]

	index index // nodes by task, until Done
	nodes []node
	free  []int32

	delayed heap // nodes that are not due, by due time
	alarms  heap // saga types and tenants with something parked, by the time of their next call
	shorts  heap // queues that want a refill, by due time of what was left behind
	ends    heap // calls without an answer, by the time at which they have ended

	lingers     []lingering
	freeLingers []int32

	durable bool
	listed  []*scope // used, or to be named by Reservations for another reason
	wanted  bool     // Reservations has something to say
	urgent  int64    // since when something waits for it; Never

	messy  []*class // that ran empty and still hold queues to be dropped
	tidyAt int64    // when to go on with that

	express []int32 // nodes to be sent now, in the order of asking

	arrivals uint64
	grants   uint64
}

// lane is what all targets of a direction share.
type lane struct {
	all   scope // without limits on the forward lane
	ready heap  // targets that wait for time alone, by that time
}

// New returns a Scheduler without limits, services or tasks. Every limit
// starts EMPTY: no burst follows a restart.
func New(c Config) *Scheduler {
	s := &Scheduler{
		services: map[string]int32{},
		commons:  map[Scope]*common{},
		durable:  c.Durable,
		urgent:   Never,
	}
	s.bounds[Forward] = bound(c.ForwardHeads, math.MaxInt)
	s.bounds[Compensation] = bound(c.CompensationHeads, DefaultHeads)
	for i := range s.lanes {
		s.lanes[i].all = newScope(Scope{Kind: ScopeAll})
	}
	return s
}

func bound(n, fallback int) int {
	switch {
	case n < 0:
		return math.MaxInt
	case n == 0:
		return fallback
	}
	return n
}

// target returns the named target. A service is made, with both lanes and
// their defaults, on first sight.
func (s *Scheduler) target(name Target, now int64) *target {
	first, ok := s.services[name.Service]
	if !ok {
		first = int32(len(s.targets))
		s.services[name.Service] = first
		for l := range Lane(lanes) {
			t := &target{id: first + int32(l), lane: l, scope: newScope(Target{name.Service, l}.Scope())}
			s.targets = append(s.targets, t)
		}
		s.limitService(first, now)
	}
	return s.targets[first+int32(name.Lane)]
}

// refresh puts the target where it belongs: into the heap of those that wait
// for time, or out of it. Every change to a target ends here.
func (s *Scheduler) refresh(t *target, now int64) {
	ready := &s.lanes[t.lane].ready
	if !t.runnable() {
		ready.remove(t.id)
		return
	}
	if !ready.has(t.id) {
		t.since = now
	}
	ready.set(t.id, max(t.eligible(), t.since), t.turn)
	s.remember(&t.scope, now)
}

// Wake returns the earliest time at which Next or Short can answer otherwise
// than they just did, if no other method is called before: Never when only an
// event can help. It is exact after a Next that returned false, but for flows
// without a task, which Next forgets bit by bit. It is in the past when something
// waits for Reservations to be called.
func (s *Scheduler) Wake() int64 { return min(s.urgent, s.Timed()) }

// Timed is Wake without what only Reserved can help.
func (s *Scheduler) Timed() int64 {
	at := min(s.delayed.top().at, s.alarms.top().at, s.shorts.top().at, s.ends.top().at)
	if len(s.messy) > 0 {
		at = min(at, s.tidyAt)
	}
	for i := range s.lanes {
		l := &s.lanes[i]
		if l.ready.len() > 0 && l.all.open() {
			at = min(at, max(l.ready.top().at, l.all.eligible()))
		}
	}
	for _, id := range s.express {
		if q := s.nodes[id].queue; !s.starves(q) {
			entry, _ := s.expressAt(q)
			at = min(at, entry)
		}
	}
	return at
}
