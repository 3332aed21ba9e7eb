package flow

import "testing"

func TestGrantIsGivenBackOnce(t *testing.T) {
	s := New(Config{})
	target := Target{"payments", Forward}
	s.Push(Task{Key: sagaKey(1, Forward), Target: target}, 0)
	_, g, ok := s.Next(0)
	if !ok {
		t.Fatal("an unlimited lane granted nothing")
	}
	s.Done(g, Feedback{Outcome: OK}, 1)
	s.Push(Task{Key: sagaKey(2, Forward), Target: target}, 1)
	if _, _, ok = s.Next(1); !ok {
		t.Fatal("an unlimited lane granted nothing")
	}
	s.Done(g, Feedback{Outcome: OK}, 1)
	s.Done(Grant{}, Feedback{Outcome: OK}, 1)
	if n := s.Snapshot(target.Scope(), 1).InFlight; n != 1 {
		t.Errorf("in flight after a grant was given back twice: %d, want 1", n)
	}
}

func TestWordsForOperators(t *testing.T) {
	for got, want := range map[string]string{
		Scope{Kind: ScopeForward, Name: "payments"}.String():      "service payments (forward)",
		Scope{Kind: ScopeCompensation, Name: "payments"}.String(): "service payments",
		Scope{Kind: ScopeSagaType, Name: "order"}.String():        "saga type order",
		Scope{}.String():      "all compensations",
		Forward.String():      "forward",
		Compensation.String(): "compensation",
		Money.String() + Normal.String() + Low.String(): "moneynormallow",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestRefillSkipsWhatItWasNotAskedFor(t *testing.T) {
	s := New(Config{CompensationHeads: 2})
	q := Queue{Target: Target{"payments", Compensation}, SagaType: "order", Class: Money}
	task := func(n uint64, class Class) Task {
		return Task{Key: sagaKey(n, Compensation), Target: q.Target, SagaType: q.SagaType, Class: class, Due: int64(n)}
	}
	tasks := []Task{task(1, Money), task(1, Money), task(2, Low), task(3, Money), task(4, Money)}
	if added := s.Refill(q, tasks, Never, 5); added != 2 {
		t.Errorf("added %d, want 2", added)
	}
	if !s.Snapshot(q.Target.Scope(), 5).Left {
		t.Error("the task beyond the room was forgotten")
	}
}
