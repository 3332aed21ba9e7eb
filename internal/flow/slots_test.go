package flow

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// crowding is a service that does less the more it has to do at once: up to knee
// calls each take base, more of them base*(n/knee)^4. Callers wait for 2 s, and
// what they gave up is done all the same. With fixed, calls take base whatever
// is in flight, and from slower on longer times as much.
type crowding struct {
	knee   int
	base   time.Duration
	fixed  bool
	slower time.Duration
	longer int64
	limits Limits
	tasks  int
	seed   uint64
}

type crowdedDrain struct {
	took   int64 // ns until all were done
	calls  int
	gaveUp int   // callers of them
	slots  []int // in each second
}

const crowdTimeout = 2 * second

// run plays a drain in virtual time, for a minute at most.
func (c crowding) run(t failer) (o crowdedDrain) {
	t.Helper()
	s := New(Config{CompensationHeads: Unlimited})
	target := Target{"payments", Compensation}
	s.Configure(target.Scope(), c.limits, 0)
	random := splitmix(c.seed)
	for n := range c.tasks {
		s.Push(Task{Key: sagaKey(uint64(n), Compensation), Target: target}, 0)
	}
	type call struct {
		task          Task
		grant         Grant
		ends          int64
		given, served bool
	}
	var calls []call
	var todo heap
	done := map[TaskKey]bool{}
	inService, now := 0, int64(0)
	for now < 60*second && len(done) < c.tasks {
		for task, g, ok := s.Next(now); ok; task, g, ok = s.Next(now) {
			inService++
			took := float64(c.base) + float64(random(int64(c.base)/20))
			switch {
			case !c.fixed:
				took *= math.Pow(max(1, float64(inService)/float64(c.knee)), 4)
			case c.longer > 0 && now >= int64(c.slower):
				took *= float64(c.longer)
			}
			calls = append(calls, call{task: task, grant: g, ends: now + int64(took)})
			todo.set(int32(len(calls)-1), now+min(int64(took), crowdTimeout), uint64(len(calls)))
		}
		o.calls = len(calls)
		next := min(s.Wake(), todo.top().at)
		for at := len(o.slots); int64(at+1)*second <= next && at < 60; at++ {
			o.slots = append(o.slots, s.Snapshot(target.Scope(), now).Slots)
		}
		if now = next; now < todo.top().at {
			continue
		}
		id := todo.top().id
		todo.remove(id)
		k := &calls[id]
		if now >= k.ends {
			inService--
			done[k.task.Key], k.served = true, true
		}
		if k.given {
			continue
		}
		k.given = true
		if k.served {
			s.Done(k.grant, Feedback{Outcome: OK, Status: 200}, now)
			continue
		}
		o.gaveUp++
		todo.set(id, k.ends, uint64(id))
		s.Done(k.grant, Feedback{Outcome: Error, Ends: k.grant.At + 2*crowdTimeout}, now)
		k.task.Due = now + second + random(second)
		s.Push(k.task, now)
	}
	o.took = now
	return o
}

func (c crowding) efficiency(o *crowdedDrain) float64 {
	return float64(c.tasks) * float64(c.base) / float64(c.knee) / float64(o.took)
}

// One that bears fewer than are configured does most of what it could, and next
// to no caller gives up.
func TestACrowdedServiceGetsFewerAtOnce(t *testing.T) {
	for _, c := range []struct {
		knee, concurrency int
		efficiency        float64
	}{{2, 10, 0.80}, {4, 5, 0.85}, {4, 10, 0.85}, {4, 40, 0.85}, {8, 10, 0.80}, {8, 40, 0.80}} {
		var efficiency spread
		for seed := range uint64(10) {
			limits := unknown
			limits.Concurrency = c.concurrency
			w := crowding{knee: c.knee, base: 80 * time.Millisecond, limits: limits, tasks: 500, seed: seed}
			o := w.run(t)
			efficiency.add(w.efficiency(&o))
			if o.gaveUp > 5 {
				t.Errorf("bears %d, concurrency %d: %d of %d callers gave up", c.knee, c.concurrency, o.gaveUp, o.calls)
			}
			if last := o.slots[len(o.slots)-1]; last > c.knee+1 || last < c.knee-1 {
				t.Errorf("bears %d, concurrency %d: %d at the end", c.knee, c.concurrency, last)
			}
		}
		t.Logf("bears %d, concurrency %-2d  efficiency %.1f%% (least %.1f%%)", c.knee, c.concurrency, 100*efficiency.mean(), 100*efficiency.least)
		if efficiency.mean() < c.efficiency {
			t.Errorf("want an efficiency of %.0f%%", 100*c.efficiency)
		}
	}
	for seed := range uint64(20) {
		if err := crowded(seed); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// One that gets slower by itself is not crowded: fewer at once would carry less.
func TestASlowServiceKeepsItsCalls(t *testing.T) {
	for seed := range uint64(10) {
		w := crowding{knee: 1, base: 5 * time.Millisecond, fixed: true, slower: 5 * time.Second, longer: 20, limits: unknown, tasks: 3000, seed: seed}
		o := w.run(t)
		if last := o.slots[len(o.slots)-1]; last != unknown.Concurrency || o.took > 28*second {
			t.Errorf("seed %d: %d of %d at the end, which came after %.1f s", seed, last, unknown.Concurrency, float64(o.took)/1e9)
		}
	}
}

// crowded: an adaptive lane does not drown a service that does less the more it
// has to do at once.
func crowded(seed uint64) error {
	w := crowding{knee: 2 + int(seed%4), base: 80 * time.Millisecond, limits: unknown, tasks: 300, seed: seed}
	if o := w.run(failing{}); w.efficiency(&o) < 0.6 {
		return fmt.Errorf("a service that bears %d at once: %d calls in %.0f s, of which %d were given up", w.knee, o.calls, float64(o.took)/1e9, o.gaveUp)
	}
	return nil
}
