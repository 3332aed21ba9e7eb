package flow

import "testing"

// narrow is a lane of one window under full demand.
func narrow(limits Limits) (*Scheduler, Target) {
	target := Target{"payments", Compensation}
	s := New(Config{CompensationHeads: Unlimited})
	s.Configure(target.Scope(), limits, 0)
	for n := range uint64(8) {
		s.Push(Task{Key: sagaKey(n+1, Compensation), Target: target, SagaType: "order"}, 0)
	}
	return s, target
}

func (s *Scheduler) answer(t *testing.T, f Feedback, now int64) {
	t.Helper()
	_, g, ok := s.Next(now)
	if !ok {
		t.Fatalf("nothing is granted at %dms", now/ms)
	}
	s.Done(g, f, now)
}

// A call whose connection broke may come in later: its windows count it from then on,
// and its slot is free at once.
func TestACallWhoseConnectionBrokeIsCountedFromItsArrival(t *testing.T) {
	s, _ := narrow(Limits{Rate: Rate{N: Unlimited}, Concurrency: 1, Window: Rate{2, 100 * ms}})
	now := 1000 * ms
	s.answer(t, Feedback{Outcome: Error, Arrives: now + 50*ms}, now)
	s.answer(t, Feedback{Outcome: OK}, now+ms)
	s.answer(t, Feedback{Outcome: OK}, now+101*ms)
	if _, _, ok := s.Next(now + 150*ms - 1); ok {
		t.Error("a third call went within 100ms of one that may have come in after 50ms")
	}
	s.answer(t, Feedback{Outcome: OK}, now+150*ms)
}

// What a window has forgotten counts in the longer one that takes its place.
func TestALongerWindowDoesNotTrustWhatTheShorterForgot(t *testing.T) {
	limits := Limits{Rate: Rate{N: Unlimited}, Concurrency: 9, Window: Rate{2, 100 * ms}}
	s, target := narrow(limits)
	now := 1000 * ms
	s.answer(t, Feedback{Outcome: OK}, now)
	s.answer(t, Feedback{Outcome: OK}, now)
	limits.Window = Rate{2, 1000 * ms}
	s.Configure(target.Scope(), limits, now+200*ms)
	if _, _, ok := s.Next(now + 1000*ms - 1); ok {
		t.Error("a third call went within a second of two")
	}
	s.answer(t, Feedback{Outcome: OK}, now+1200*ms)
}
