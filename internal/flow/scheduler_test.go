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
	s.Done(g, Feedback{Outcome: OK}, 1)
	s.Done(Grant{}, Feedback{Outcome: OK}, 1)
	if n := s.Snapshot(target.Scope(), 1).InFlight; n != 0 {
		t.Errorf("in flight after Done twice: %d, want 0", n)
	}
}
