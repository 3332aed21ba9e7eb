package flow

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// crush is 1,000,000 queued compensations of 1,000 flows in 100 targets, the
// heads of each queue in memory and the rest in a store that is counted only,
// under rates, and windows where asked for, in every scope, all of them durable.
type crush struct {
	s      *Scheduler
	now    int64
	seq    uint64
	flows  []Queue
	rest   map[Queue]int
	refill []Task
	asked  []Reservation
}

func newCrush(queued int, windows bool) *crush {
	c := &crush{s: New(Config{Durable: true}), now: 1000 * second, rest: map[Queue]int{}}
	wide := func(n int64) Limits {
		l := Limits{Rate: PerSecond(n), Concurrency: 1000, Burst: 6}
		if windows {
			l.Window = Rate{n, second}
		}
		return l
	}
	c.s.Configure(Scope{Kind: ScopeAll}, wide(100_000), c.now)
	for i := range 100 {
		target := Target{fmt.Sprint("service-", i), Compensation}
		c.s.Configure(target.Scope(), wide(1000), c.now)
		for k := range 10 {
			q := Queue{Target: target, SagaType: fmt.Sprint("type-", k%5), Tenant: fmt.Sprint("tenant-", (i+k)%20)}
			c.flows = append(c.flows, q)
			c.s.Configure(Scope{Kind: ScopeSagaType, Name: q.SagaType}, wide(30_000), c.now)
			c.s.Configure(Scope{Kind: ScopeTenant, Name: q.SagaType, Tenant: q.Tenant}, wide(3000), c.now)
		}
	}
	for i := range queued {
		c.push(c.flows[i%len(c.flows)])
	}
	return c
}

func (c *crush) task(q Queue) Task {
	c.seq++
	return Task{Key: sagaKey(c.seq, Compensation), Target: q.Target, SagaType: q.SagaType, Tenant: q.Tenant}
}

func (c *crush) push(q Queue) {
	if c.s.Push(c.task(q), c.now) == Left {
		c.rest[q]++
	}
}

// decide makes one decision; its answer comes at once, and a task in its place. ok
// is false when nothing may go: then the store and the clock have to move on.
func (c *crush) decide() (ok bool) {
	task, g, ok := c.s.Next(c.now)
	if ok {
		c.answer(&task, g)
	}
	return ok
}

func (c *crush) answer(task *Task, g Grant) {
	c.s.Done(g, Feedback{Outcome: OK, Status: 200}, c.now)
	c.push(task.Queue())
}

// wait does what the caller does between decisions.
func (c *crush) wait() {
	for name, room, ok := c.s.Short(c.now); ok; name, room, ok = c.s.Short(c.now) {
		c.refill = c.refill[:0]
		for len(c.refill) < room && c.rest[name] > 0 {
			c.rest[name]--
			c.refill = append(c.refill, c.task(name))
		}
		rest := int64(Never)
		if c.rest[name] > 0 {
			rest = 0
		}
		c.s.Refill(name, c.refill, rest, c.now)
	}
	c.asked = c.s.Reservations(c.now, c.asked[:0])
	c.s.Reserved(c.asked, true, c.now)
	if wake := c.s.Wake(); wake != Never {
		c.now = max(wake, c.now+ms) // as often as a loop comes by
	}
}

// BenchmarkDecision prints the percentiles of single decisions, which task goes next
// and what that is charged to (p50 and p99), and of the whole cycle: the decision, its
// answer and a task that is pushed (cycle). Reading the clock (clock) is in each.
func BenchmarkDecision(b *testing.B) {
	b.Run("rates", func(b *testing.B) { decisions(b, false) })
	b.Run("rates-and-windows", func(b *testing.B) { decisions(b, true) })
}

func decisions(b *testing.B, windows bool) {
	c := newCrush(1_000_000, windows)
	for range 200_000 { // the windows have opened, the rings have grown
		if !c.decide() {
			c.wait()
		}
	}
	next, cycle := make([]int64, 0, b.N), make([]int64, 0, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for len(next) < b.N {
		began := time.Now()
		task, g, ok := c.s.Next(c.now)
		decided := time.Since(began)
		if !ok {
			c.wait()
			continue
		}
		c.answer(&task, g)
		next, cycle = append(next, decided.Nanoseconds()), append(cycle, time.Since(began).Nanoseconds())
	}
	began := time.Now()
	for range 1000 {
		time.Now()
	}
	b.ReportMetric(float64(time.Since(began).Nanoseconds())/1000, "clock-ns")
	for name, took := range map[string][]int64{"": next, "cycle-": cycle} {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2]), name+"p50-ns")
		b.ReportMetric(float64(took[len(took)*99/100]), name+"p99-ns")
	}
}

func TestADecisionAllocatesNothing(t *testing.T) {
	c := newCrush(20_000, true)
	for range 100_000 {
		if !c.decide() {
			c.wait()
		}
	}
	allocs := 0.0
	for range 100 {
		c.wait()
		allocs += testing.AllocsPerRun(20, func() { c.decide() })
	}
	if allocs != 0 {
		t.Errorf("%v allocations in 2000 decisions", allocs)
	}
}

// Why one of a million waits is told without a look at each of them.
func BenchmarkExplain(b *testing.B) {
	c := newCrush(1_000_000, true)
	for b.Loop() {
		c.s.Explain(sagaKey(1_000, Compensation), c.now)
	}
}
