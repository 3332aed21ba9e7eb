package flow

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// jain is Jain's index of the shares: 1 when all are equal.
func jain(shares []float64) float64 {
	sum, squares := 0.0, 0.0
	for _, x := range shares {
		sum += x
		squares += x * x
	}
	return sum * sum / (float64(len(shares)) * squares)
}

func open(target Target) *Scheduler {
	s := New(Config{})
	s.Configure(target.Scope(), Limits{Rate: Rate{N: Unlimited}, Concurrency: Unlimited}, 0)
	return s
}

// Equal flows have equal shares in every thousand sends, also when their saga
// types and their targets' classes differ in how much is queued.
func TestEqualFlowsShareEvenly(t *testing.T) {
	target := Target{"payments", Compensation}
	for _, tenants := range []int{2, 7, 50} {
		s := open(target)
		var queues []Queue
		for i := range tenants {
			queues = append(queues, Queue{Target: target, SagaType: fmt.Sprint("type-", i%3), Tenant: fmt.Sprint("tenant-", i)})
		}
		worst := 1.0
		for range 5 {
			shares := make([]float64, tenants)
			for i, n := range flood(s, queues, 1000) {
				shares[i] = float64(n)
			}
			worst = min(worst, jain(shares))
		}
		t.Logf("%d flows: Jain %.5f", tenants, worst)
		if worst < 0.99 {
			t.Errorf("%d flows: Jain %.5f per 1000 sends", tenants, worst)
		}
	}
}

// No flow is ever further from its weighted share than one call of its own and
// one of another's (theorem 1 of the paper), for any weights, changed live, and
// however long the run.
func TestWeightsShareWithoutDrift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := Target{"payments", Compensation}
		s := open(target)
		weights := rapid.SliceOfN(rapid.IntRange(1, MaxWeight), 2, 5).Draw(t, "weights")
		var queues []Queue
		sum := 0
		for i, w := range weights {
			q := Queue{Target: target, SagaType: fmt.Sprint("type-", i%2), Tenant: fmt.Sprint("tenant-", i)}
			queues = append(queues, q)
			s.Weight(Scope{Kind: ScopeTenant, Name: q.SagaType, Tenant: q.Tenant}, w)
			sum += w
		}
		const sends = 3000
		for i, n := range flood(s, queues, sends) {
			ideal := float64(sends) * float64(weights[i]) / float64(sum)
			if off := float64(n) - ideal; off > 2+float64(len(weights)) || off < -2-float64(len(weights)) {
				t.Fatalf("weights %v: flow %d had %d of %d, its share is %.1f", weights, i, n, sends, ideal)
			}
		}
	})
}

func TestALiveWeightTakesEffectAndEarnsNothing(t *testing.T) {
	target := Target{"payments", Compensation}
	s := open(target)
	queues := []Queue{{Target: target, SagaType: "a"}, {Target: target, SagaType: "b"}}
	flood(s, queues, 1000)
	s.Weight(Scope{Kind: ScopeSagaType, Name: "a"}, 3)
	if got := flood(s, queues, 1000); got[0] < 747 || got[0] > 753 {
		t.Errorf("weights 3 and 1: %v of 1000", got)
	}
	s.Weight(Scope{Kind: ScopeSagaType, Name: "a"}, 0)
	if got := flood(s, queues, 1000); got[0] < 497 || got[0] > 503 {
		t.Errorf("weights 1 and 1 again: %v of 1000", got)
	}
}

// A flow that was parked at its own limit takes turns with the others when it
// may go again, and has no more than its turn.
func TestAParkedFlowDoesNotCatchUp(t *testing.T) {
	target := Target{"payments", Compensation}
	for _, scope := range []Scope{{Kind: ScopeTenant, Name: "b", Tenant: "x"}, {Kind: ScopeSagaType, Name: "b"}} {
		s := open(target)
		queues := []Queue{{Target: target, SagaType: "a"}, {Target: target, SagaType: "b", Tenant: "x"}}
		s.Configure(scope, Limits{Concurrency: 1}, 0)
		now, n := int64(0), uint64(0)
		push := func(q Queue) {
			n++
			s.Push(Task{Key: sagaKey(n, Compensation), Target: q.Target, SagaType: q.SagaType, Tenant: q.Tenant}, now)
		}
		for range 100 {
			push(queues[0])
			push(queues[1])
		}
		var stuck Grant // the one slot of b
		for range 50 {
			task, g, ok := s.Next(now)
			if !ok {
				t.Fatal("nothing was granted")
			}
			if task.SagaType == "b" {
				stuck = g
			}
		}
		s.Configure(scope, Limits{}, now)
		s.Done(stuck, Feedback{Outcome: OK}, now)
		count := 0
		for range 20 {
			if task, _, _ := s.Next(now); task.SagaType == "b" {
				count++
			}
		}
		if count < 9 || count > 11 {
			t.Errorf("%s: after it was parked the flow had %d of 20", scope, count)
		}
	}
}

// A flow without tasks is forgotten, and with it its tenant: there may be many.
func TestFlowsWithoutTasksAreForgotten(t *testing.T) {
	target := Target{"payments", Compensation}
	s := open(target)
	now := int64(0)
	for i := range uint64(100_000) {
		now += int64(time.Millisecond)
		s.Push(Task{Key: sagaKey(i, Compensation), Target: target, SagaType: "order", Tenant: fmt.Sprint(i), Class: Class(i % 3)}, now)
		if i%10 == 9 {
			for _, g, ok := s.Next(now); ok; _, g, ok = s.Next(now) {
				s.Done(g, Feedback{Outcome: OK}, now)
			}
		}
	}
	check(t, s)
	if q, c := &s.queuePool, &s.commonPool; len(q.all) > 20 || q.used() > 0 || len(c.all) > 20 || c.used() > 1 {
		t.Errorf("%d queues, %d of them in use; %d scopes, %d of them in use", len(q.all), q.used(), len(c.all), c.used())
	}
}
