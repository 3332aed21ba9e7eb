package flow

import "testing"

// flood keeps every given queue full and counts the grants of each.
func flood(s *Scheduler, queues []Queue, grants int) []int {
	count := map[Queue]int{}
	n := uint64(0)
	push := func(q Queue) {
		n++
		s.Push(Task{Key: sagaKey(n, q.Target.Lane), Target: q.Target, SagaType: q.SagaType, Tenant: q.Tenant, Class: q.Class}, 0)
	}
	for _, q := range queues {
		push(q)
		push(q)
	}
	for now := int64(0); grants > 0; {
		task, g, ok := s.Next(now)
		if !ok {
			now = s.Wake()
			continue
		}
		s.Done(g, Feedback{Outcome: OK}, now)
		count[task.Queue()]++
		push(task.Queue())
		grants--
	}
	out := make([]int, len(queues))
	for i, q := range queues {
		out[i] = count[q]
	}
	return out
}

func TestLowerClassesKeepFivePercent(t *testing.T) {
	target := Target{"payments", Compensation}
	s := New(Config{})
	s.Configure(target.Scope(), Limits{Rate: Rate{N: Unlimited}}, 0)
	got := flood(s, []Queue{{Target: target, SagaType: "order", Class: Money}, {Target: target, SagaType: "order", Class: Normal}, {Target: target, SagaType: "order", Class: Low}}, 10_000)
	if got[0] < 8900 || got[1] < 500 || got[2] < 500 {
		t.Errorf("money, normal, low of 10000: %v", got)
	}
	s = New(Config{})
	s.Configure(target.Scope(), Limits{Rate: Rate{N: Unlimited}}, 0)
	got = flood(s, []Queue{{Target: target, SagaType: "order", Class: Normal}, {Target: target, SagaType: "order", Class: Low}}, 10_000)
	if got[0] < 9400 || got[1] < 500 {
		t.Errorf("normal, low of 10000: %v", got)
	}
}

func TestTargetsShareWhatIsScarce(t *testing.T) {
	var queues []Queue
	for _, name := range []string{"a", "b", "c", "d"} {
		queues = append(queues, Queue{Target: Target{name, Compensation}, SagaType: "order"})
	}
	// A money task of one target goes before nobody of another target.
	queues[0].Class = Money
	for _, scarce := range []Scope{{Kind: ScopeAll}, {Kind: ScopeSagaType, Name: "order"}} {
		s := New(Config{})
		for i, q := range queues {
			// Targets of different pace, all faster than their share.
			s.Configure(q.Target.Scope(), Limits{Rate: Rate{int64(500 * i), 0}}, 0)
			if i == 0 {
				s.Configure(q.Target.Scope(), Limits{Rate: Rate{N: Unlimited}}, 0)
			}
		}
		s.Configure(scarce, Limits{Rate: PerSecond(100)}, 0)
		for i, n := range flood(s, queues, 4000) {
			if n < 990 || n > 1010 {
				t.Errorf("%s: target %d had %d of 4000", scarce, i, n)
			}
		}
	}
}

// Forward work never starves compensations, and the other way round.
func TestLanesShareTheScheduler(t *testing.T) {
	s := New(Config{})
	queues := []Queue{{Target: Target{"a", Forward}, SagaType: "order", Class: Money}, {Target: Target{"a", Compensation}, SagaType: "order", Class: Low}}
	for _, q := range queues {
		s.Configure(q.Target.Scope(), Limits{Rate: Rate{N: Unlimited}}, 0)
	}
	for i, n := range flood(s, queues, 1000) {
		if n != 500 {
			t.Errorf("lane %d had %d of 1000", i, n)
		}
	}
}
