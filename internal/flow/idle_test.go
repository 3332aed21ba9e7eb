package flow

import (
	"fmt"
	"testing"
)

// Twenty thousand tenants with a task each: no call does more than a few
// steps for those that have gone, and in the end nothing of them is left.
func TestACrowdThatLeavesMakesNoCallLong(t *testing.T) {
	const crowd = 20_000
	target := Target{"shop", Compensation}
	s := open(target)
	for i := range crowd {
		s.Push(Task{Key: sagaKey(uint64(i), Compensation), Target: target, SagaType: fmt.Sprint("type-", i%3), Tenant: fmt.Sprint(i)}, 0)
	}
	now := int64(0)
	before := s.queuePool.used()
	step := func(what string, most int) {
		t.Helper()
		after := s.queuePool.used()
		if before-after > most {
			t.Fatalf("%s dropped %d queues, want %d at most", what, before-after, most)
		}
		before = after
	}
	for range crowd {
		_, g, ok := s.Next(now)
		if !ok {
			t.Fatal("nothing was granted")
		}
		step("a grant", sweepGrant)
		s.Done(g, Feedback{Outcome: OK}, now)
		step("an answer", 1)
	}
	for wakes := 0; s.Timed() != Never; wakes++ {
		if at := s.Timed(); at <= now || wakes > crowd/sweepTidy+10 {
			t.Fatalf("wake %d at %d for %d, and %d queues are left", wakes, now, at, before)
		}
		now = s.Timed()
		s.Next(now)
		step("a wake", sweepTidy)
	}
	check(t, s)
	kept := 0
	for _, q := range s.queuePool.all {
		if q != nil {
			kept++
		}
	}
	for _, l := range s.target(target, now).byRank[Normal.rank()].bundles {
		kept += cap(l.queues) + cap(l.open.pos) + cap(l.idle.pos)
	}
	if before != 0 || kept > 2*spares || len(s.commons) > 3 {
		t.Errorf("%d queues are left, %d kept, and %d scopes", before, kept, len(s.commons))
	}
}

// manyTypes is more saga types than tidy looks at in one wake.
const manyTypes = 3*sweepTidy + 8

// drain pushes a task of each of many saga types and grants all of them.
func drain(t *testing.T, s *Scheduler, target Target, first uint64, now int64) {
	t.Helper()
	for i := range manyTypes {
		s.Push(Task{Key: sagaKey(first+uint64(i), Compensation), Target: target, SagaType: fmt.Sprint("type-", i)}, now)
	}
	for range manyTypes {
		_, g, ok := s.Next(now)
		if !ok {
			t.Fatal("nothing was granted")
		}
		s.Done(g, Feedback{Outcome: OK}, now)
	}
}

// Where a wake can't look at all saga types, the next goes on from there, and then
// nothing wakes anybody any more. So again after a later crowd.
func TestManySagaTypesComeToRest(t *testing.T) {
	s := open(Target{"shop", Compensation})
	now := int64(0)
	for crowd := range uint64(3) {
		drain(t, s, Target{"shop", Compensation}, crowd*manyTypes, now)
		for wakes := 0; s.Timed() != Never; wakes++ {
			if wakes > 3*manyTypes/sweepTidy+2 { // a drop, a look behind it, and a last look at all
				t.Fatalf("crowd %d: after %d wakes there is another at %d, now is %d", crowd, wakes, s.Timed(), now)
			}
			now = s.Timed()
			s.Next(now)
		}
		if n := s.queuePool.used(); n > 0 {
			t.Errorf("crowd %d: %d queues are left", crowd, n)
		}
		check(t, s)
	}
}

// A class that is never done, because it has work all the time, does not keep another
// from being tidied.
func TestABusyClassLeavesOthersTheirTurn(t *testing.T) {
	quiet, busy := Target{"shop", Compensation}, Target{"post", Compensation}
	s := open(quiet)
	s.Configure(busy.Scope(), Limits{Rate: Rate{N: Unlimited}, Concurrency: Unlimited}, 0)
	drain(t, s, quiet, 0, 0)
	drain(t, s, busy, manyTypes, 0)
	now := int64(0)
	for i := range uint64(20) {
		now += tidyEvery
		s.Push(Task{Key: sagaKey(2*manyTypes+i, Compensation), Target: busy, SagaType: "type-0"}, now)
		_, g, ok := s.Next(now)
		if !ok {
			t.Fatal("nothing was granted")
		}
		s.Done(g, Feedback{Outcome: OK}, now)
	}
	if n := s.target(quiet, now).queues; n > 0 {
		t.Errorf("%d queues of the quiet class are left", n)
	}
}
