package sim

import (
	"fmt"

	"github.com/unwindhq/unwind"
)

// A Schedule is everything that is decided before a run: what is asked for, and
// what goes wrong. Whatever is taken out of it leaves the rest as it was.
type Schedule struct {
	Seed  uint64
	Swarm Swarm
	// Often is how many calls of a hundred are hit by a fault that is on.
	Often int

	Sagas     []Order
	Incidents []Incident
	Outages   []outage
	Acts      []act

	Heads, MaxActive, ClaimPage int
	Horizon                     int64
	Limits                      [services]lanes
	// Lazy: the process waits for so long before it looks what is to be done.
	Lazy int64
	// Calm is when the trouble is over.
	Calm int64
	// Retention of sagas at rest, where Purge is on.
	Retention int64
}

// keyRetention is longer, so that some keys outlive their sagas.
func (s *Schedule) keyRetention() int64 { return 2 * s.Retention }

// An Order is one saga that a client wants, and what else is done to it.
type Order struct {
	Label   int
	At      int64
	Recipe  int
	Wait    bool
	Again   int64 // the same start once more; 0: no
	Reuse   int64 // the same key with another input
	Cancel  int64
	Signals int64 // when signals begin to come
	Ask     int64 // somebody waits for it, or looks at it
}

// An Incident is a fault of a process or of the store.
type Incident struct {
	Fault Fault
	After int   // events
	Span  int64 // how long it lasts, or by how much
}

// An outage is a time in which a service answers badly.
type outage struct {
	service  int
	from, to int64
	how      Fault
}

// lanes are the limits of a service.
type lanes struct {
	forward, compensation unwind.Limits
	breaker               unwind.Breaker
	backlog               unwind.Backlog
}

// safe: a process may wake up after another took over.
func (s *Schedule) safe() bool { return s.Swarm.Has(TakeOver) }

const (
	millis = int64(1000)
	second = 1000 * millis
)

// NewSchedule draws a schedule.
func NewSchedule(seed uint64) *Schedule {
	c := dice(seed, 1)
	s := &Schedule{Seed: seed, Often: 2 + c.intn(25), Horizon: c.span(200, 3000) * millis, ClaimPage: 1 + c.intn(8), Heads: 1 + c.intn(6), MaxActive: 1 << 17}
	for f := range PauseScope { // the others are drawn apart: seeds that failed once stay what they were
		if c.percent(30) {
			s.Swarm = s.Swarm.With(f)
		}
	}
	if c.percent(15) {
		s.Swarm = s.Swarm.With(Refuse) // much of what there is to see is on the way back
	}
	if c.percent(30) {
		s.MaxActive = 1 + c.intn(6)
	}
	if c.percent(50) {
		s.Lazy = c.span(1, 3000)
	}
	s.Calm = c.span(2500, 9000) * millis
	s.Retention = c.span(300, 1500) * millis
	s.orders(&c)
	s.incidents(&c)
	for i := range s.Limits {
		s.Limits[i] = lanes{forward: limits(&c, 20, 200, 40), compensation: limits(&c, 4, 60, 90)}
	}
	s.feedback()
	s.acts()
	s.backlogs()
	return s
}

func limits(c *chance, slow, fast int64, often int) unwind.Limits {
	l := unwind.Limits{Rate: unwind.PerSecond(c.span(slow, fast)), Burst: int(c.span(1, 3)), Concurrency: int(c.span(1, 8))}
	if !c.percent(often) {
		l.Rate = unwind.PerSecond(1000)
	}
	return l
}

// feedback draws what else limits lanes: windows, adaptive rates, breakers.
func (s *Schedule) feedback() {
	c := dice(s.Seed, 7)
	for i := range s.Limits {
		l := &s.Limits[i]
		if c.percent(20) {
			l.compensation.Window = unwind.Rate{Calls: c.span(2, 12), Per: unwind.Duration(c.span(100, 600)) * unwind.Millisecond}
		}
		if c.percent(10) {
			l.forward.Window = unwind.Rate{Calls: c.span(4, 30), Per: unwind.Duration(c.span(100, 600)) * unwind.Millisecond}
		}
		if c.percent(20) {
			l.forward.Rate, l.forward.Window = unwind.Rate{}, unwind.Rate{} // nothing that a call could wait to be durable for
		}
		l.compensation.Adaptive, l.forward.Adaptive = c.percent(15), c.percent(5)
		if c.percent(20) {
			l.breaker = unwind.Breaker{Failures: 0.5, Minimum: int(c.span(2, 8)), Open: unwind.Duration(c.span(20, 800)) * unwind.Millisecond}
		}
	}
}

func (s *Schedule) orders(c *chance) {
	recipe := c.intn(pool)
	at := int64(0)
	sometimes := func(p int) int64 {
		if !c.percent(p) {
			return 0
		}
		return at + c.span(1, 2500)*millis
	}
	spread := []int64{2, 200, 900}[c.intn(3)] * millis
	for i := range 4 + c.intn(9) {
		if c.percent(35) {
			recipe = c.intn(pool)
		}
		at += c.span(0, spread)
		o := Order{Label: i, At: at, Recipe: recipe, Wait: c.percent(25), Again: sometimes(25), Reuse: sometimes(8), Cancel: sometimes(25), Signals: sometimes(50), Ask: sometimes(30)}
		s.Sagas = append(s.Sagas, o)
	}
}

func (s *Schedule) incidents(c *chance) {
	add := func(f Fault, most int, lo, hi int64) {
		if !s.Swarm.Has(f) {
			return
		}
		for range 1 + c.intn(most) {
			s.Incidents = append(s.Incidents, Incident{Fault: f, After: 5 + c.intn(120+40*len(s.Sagas)), Span: c.span(lo, hi)})
		}
	}
	add(Crash, 4, 1*millis, 400*millis)
	add(TakeOver, 2, 200*millis, 1500*millis)
	add(Freeze, 3, 5*millis, 700*millis)
	add(Drain, 2, 1*millis, 300*millis)
	add(ClockStep, 2, -30*second, 30*second)
	add(CommitError, 4, 1, 6)
	add(SlowCommit, 6, 5*millis, 300*millis)
	add(ReadError, 6, 1, 3)
	add(SlowRead, 6, 5*millis, 600*millis)
	add(Conflict, 5, 0, 1)
	add(Purge, 4, 0, 0)
	add(PauseLane, 2, 50*millis, 1500*millis)
	if s.Swarm.Has(Outage) {
		for range 1 + c.intn(3) {
			from := c.span(0, s.Calm)
			how := []Fault{Credential, Unavailable, Throttle, ServerError, NotSent, Hang}[c.intn(6)]
			s.Outages = append(s.Outages, outage{service: c.intn(services - 1), from: from, to: from + c.span(50, 2500)*millis, how: how})
		}
	}
}

// String says what the schedule has.
func (s *Schedule) String() string {
	text := fmt.Sprintf("seed %d: %d sagas, heads %d, max_active %d, claim page %d, horizon %dms\nfaults: %s\n",
		s.Seed, len(s.Sagas), s.Heads, s.MaxActive, s.ClaimPage, s.Horizon/millis, s.Swarm)
	for _, o := range s.Sagas {
		text += fmt.Sprintf("  %+v\n", o)
	}
	for _, i := range s.Incidents {
		text += fmt.Sprintf("  after %d events: %s (%d)\n", i.After, i.Fault, i.Span)
	}
	for i := range s.Acts {
		text += fmt.Sprintf("  %s\n", &s.Acts[i])
	}
	for _, o := range s.Outages {
		text += fmt.Sprintf("  %s answers %s from %dms to %dms\n", kinds[o.service].name, o.how, o.from/millis, o.to/millis)
	}
	return text
}
