package flow

import (
	"fmt"
	"testing"
)

// Two hundred thousand tenants with a task each: no call does more than a few
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
