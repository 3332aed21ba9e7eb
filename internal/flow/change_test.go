package flow

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// changes is a scope whose window is changed live under full demand, answered
// at once. What the change gives must open evenly: at no time after it have
// more calls gone than that part of the new span carries.
func changes(seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 2))
	target := Target{"payments", Compensation}
	s := New(Config{CompensationHeads: Unlimited})
	draw := func() Rate { return Rate{int64(1 + r.IntN(50)), int64(1+r.IntN(20)) * 100 * ms} }
	limits := Limits{Rate: Rate{N: Unlimited}, Concurrency: Unlimited}
	now, n := 100_000*ms, uint64(0)
	s.Configure(target.Scope(), limits, now)
	run := func(until int64) (count int) {
		for now < until {
			n++
			s.Push(Task{Key: sagaKey(n, Compensation), Target: target, SagaType: "order"}, now)
			if _, g, ok := s.Next(now); ok {
				s.Done(g, Feedback{Outcome: OK}, now)
				count++
				continue
			}
			if now = s.Wake(); now > until {
				now = until
			}
		}
		return count
	}
	before := Rate{}
	if r.IntN(4) > 0 {
		before = draw()
		limits.Window = before
		s.Configure(target.Scope(), limits, now)
		now += 3 * before.Per // its room has opened
		run(now + 1)          // and is taken at once
	}
	after := draw()
	idle := r.Int64N(2*before.per() + 1)
	if before.N > 0 && r.IntN(2) == 0 {
		after.Per = before.Per
		idle = r.Int64N(after.Per / 2)
	}
	used := now
	now += min(idle, max(0, before.Per-2)) // not until they have ended
	limits.Window = after
	s.Configure(target.Scope(), limits, now)
	changed := now
	span := r.Int64N(after.Per) + 1
	if held := used + after.Per - changed - 2; before.N > 0 && held > -2 {
		span = min(span, max(held, 1)) // until the calls of before end by themselves
	}
	if count := run(now + span); int64(count) > after.N*span/after.Per+1 {
		return fmt.Errorf("%d calls went in %dms after a change from %v to %v", count, span/ms, before, after)
	}
	return nil
}

func TestAChangeOfAWindowIsNotFollowedByABurst(t *testing.T) {
	for seed := range uint64(2000) {
		if err := changes(seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// shares is a target with flows of random weights, one of which was parked at
// its limit for a while; every flow gets its share.
func shares(seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 3))
	target := Target{"payments", Compensation}
	s := open(target)
	var queues []Queue
	var weights []int
	sum := 0
	for i := range 2 + r.IntN(4) {
		q := Queue{Target: target, SagaType: fmt.Sprint("type-", i%2), Tenant: fmt.Sprint("tenant-", i)}
		w := 1 + r.IntN(10)
		s.Weight(Scope{Kind: ScopeTenant, Name: q.SagaType, Tenant: q.Tenant}, w)
		queues, weights, sum = append(queues, q), append(weights, w), sum+w
	}
	away := Scope{Kind: ScopeTenant, Name: queues[0].SagaType, Tenant: queues[0].Tenant}
	if r.IntN(2) == 0 {
		s.Pause(away, "test", Never, 0)
		flood(s, queues, r.IntN(500))
		s.Resume(away, 0)
	}
	const sends = 600
	for i, n := range flood(s, queues, sends) {
		ideal := float64(sends) * float64(weights[i]) / float64(sum)
		if off := float64(n) - ideal; off > 3+float64(len(queues)) || off < -3-float64(len(queues)) {
			return fmt.Errorf("weights %v: flow %d had %d of %d, its share is %.1f", weights, i, n, sends, ideal)
		}
	}
	return nil
}

func TestEveryFlowGetsItsShare(t *testing.T) {
	for seed := range uint64(200) {
		if err := shares(seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// A window of a year, set by mistake, is put right: the lane goes on.
func TestAShorterWindowOpensWithinItsSpan(t *testing.T) {
	s := New(Config{})
	name := Scope{Kind: ScopeCompensation, Name: "shop"}
	limits := func(n int64, per time.Duration) Limits {
		return Limits{Rate: PerSecond(1000), Concurrency: 100, Window: Rate{n, int64(per)}}
	}
	s.Configure(name, limits(1000, 8760*time.Hour), 0)
	s.Configure(name, limits(10, time.Second), 1)
	s.Push(Task{Key: TaskKey{Lane: Compensation}, Target: name.Target()}, 2)
	if at := s.Wake(); at > int64(2*time.Second) {
		t.Errorf("the first call goes after %s, and the window spans 1s", time.Duration(at))
	}
}

// Whatever held a lane back, and whoever ends that: what the lane's own bucket saved up
// meanwhile does not go at once.
func TestNoChangeIsFollowedByABurst(t *testing.T) {
	lane := Target{"payments", Compensation}.Scope()
	all, order, acme := Scope{Kind: ScopeAll}, Scope{Kind: ScopeSagaType, Name: "order"}, Scope{Kind: ScopeTenant, Name: "order", Tenant: "acme"}
	limits := Limits{Rate: PerSecond(10), Burst: 6, Concurrency: 20}
	for _, scope := range []Scope{all, order, acme, lane} {
		own := Limits{}
		if scope == lane {
			own = limits
		}
		for name, hold := range map[string]func(s *Scheduler, on bool, now int64){
			"a pause": func(s *Scheduler, on bool, now int64) {
				if on {
					s.Pause(scope, "test", Never, now)
				} else {
					s.Resume(scope, now)
				}
			},
			"a concurrency": func(s *Scheduler, on bool, now int64) {
				l := own
				if on {
					l.Concurrency = 1
				}
				s.Configure(scope, l, now)
			},
			"a window": func(s *Scheduler, on bool, now int64) {
				l := own
				if on {
					l.Window = Rate{1, 100 * second}
				}
				s.Configure(scope, l, now)
			},
			"a rate": func(s *Scheduler, on bool, now int64) {
				l := own
				if on {
					l.Rate = Rate{1, 100 * second}
				}
				s.Configure(scope, l, now)
			},
		} {
			s := New(Config{})
			s.Configure(lane, limits, 0)
			now := second
			hold(s, true, now)
			for i := range uint64(40) {
				s.Push(Task{Key: sagaKey(i, Compensation), Target: lane.Target(), SagaType: "order", Tenant: "acme"}, now)
			}
			for _, _, ok := s.Next(now); ok; _, _, ok = s.Next(now) { // one of them stays out
			}
			now += 10 * second
			for _, _, ok := s.Next(now); ok; _, _, ok = s.Next(now) {
			}
			now += 10 * second
			hold(s, false, now)
			n := 0
			for _, _, ok := s.Next(now); ok; _, _, ok = s.Next(now) {
				n++
			}
			if n > 1 {
				t.Errorf("%s: %d calls went at once when %s ended", scope, n, name)
			}
		}
	}
}
