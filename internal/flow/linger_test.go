package flow

import "testing"

// A call without an answer keeps its slot and its entry in the window until it has
// surely ended; its task may be queued again at once.
func TestACallWithoutAnAnswerKeepsItsSlotUntilItHasEnded(t *testing.T) {
	const sec = int64(1e9)
	s := New(Config{})
	target := Target{"payments", Compensation}
	s.Configure(target.Scope(), Limits{Rate: Rate{N: Unlimited}, Concurrency: 1, Window: Rate{N: 2, Per: 10 * sec}}, 0)
	now := 20 * sec // the window has opened
	task := Task{Key: sagaKey(1, Compensation), Target: target, SagaType: "order"}
	s.Push(task, now)
	_, g, ok := s.Next(now)
	if !ok {
		t.Fatal("the first call was not granted")
	}
	timeout := now + 5*sec
	s.Done(g, Feedback{Outcome: Error, Ends: now + 8*sec}, timeout)
	if s.Push(task, timeout) != Queued {
		t.Fatal("the task could not be queued again")
	}
	if _, _, ok := s.Next(timeout); ok {
		t.Fatal("a second call went out while the first may still be carried out")
	}
	if at := s.Wake(); at != now+8*sec {
		t.Errorf("wakes at %d, want %d", at, now+8*sec)
	}
	if _, g, ok = s.Next(now + 8*sec); !ok {
		t.Fatal("the call was not granted when the first had ended")
	}
	s.Done(g, Feedback{Outcome: OK}, now+8*sec)
	task.Key = sagaKey(2, Compensation)
	s.Push(task, now+8*sec)
	if _, _, ok := s.Next(now + 18*sec - 1); ok {
		t.Error("a third call went out within ten seconds of the end of the first")
	}
	if _, _, ok := s.Next(now + 18*sec); !ok {
		t.Error("the third call was not granted when the window had room")
	}
}

// Its flow may be forgotten meanwhile: what it gives back is its own tenant's.
func TestACallWithoutAnAnswerGivesBackItsOwnTenantsSlot(t *testing.T) {
	target := Target{"payments", Compensation}
	s := open(target)
	call := func(n uint64, tenant string, now int64) Grant {
		s.Push(Task{Key: sagaKey(n, Compensation), Target: target, SagaType: "order", Tenant: tenant}, now)
		_, g, ok := s.Next(now)
		if !ok {
			t.Fatalf("tenant %s: nothing was granted", tenant)
		}
		return g
	}
	s.Done(call(1, "acme", 0), Feedback{Outcome: Error, Ends: second}, 0)
	call(2, "globex", 0)
	inFlight := func(tenant string) int {
		return s.Snapshot(Scope{Kind: ScopeTenant, Name: "order", Tenant: tenant}, second).InFlight
	}
	if n := inFlight("acme"); n != 1 {
		t.Errorf("%d in flight of acme before its call has ended, want 1", n)
	}
	s.Next(second)
	if a, b := inFlight("acme"), inFlight("globex"); a != 0 || b != 1 {
		t.Errorf("%d in flight of acme and %d of globex, want 0 and 1", a, b)
	}
	if n := s.commonPool.used(); n != 2 {
		t.Errorf("%d saga types and tenants are in memory, want those of the call that is out", n)
	}
}
