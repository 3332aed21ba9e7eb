package flow

import (
	"encoding/binary"
	"testing"
)

// When a task is expected to go hangs on every limit that it is charged to, a window as
// well as a rate.
func TestATaskIsExpectedUnderEveryLimit(t *testing.T) {
	target := Target{"payments", Compensation}
	wide := Limits{Rate: PerSecond(10), Concurrency: Unlimited}
	for what, set := range map[string]func(s *Scheduler, now int64){
		"its rate":    func(s *Scheduler, now int64) { s.Configure(target.Scope(), Limits{Rate: PerSecond(2)}, now) },
		"its window":  func(s *Scheduler, now int64) { s.Configure(target.Scope(), with(wide, 20, 10*second), now) },
		"that of all": func(s *Scheduler, now int64) { s.Configure(Scope{Kind: ScopeAll}, Limits{Rate: PerSecond(2)}, now) },
		"of its saga type": func(s *Scheduler, now int64) {
			s.Configure(Scope{Kind: ScopeSagaType, Name: "order"}, Limits{Rate: PerSecond(2)}, now)
		},
		"a window of a type": func(s *Scheduler, now int64) {
			s.Configure(Scope{Kind: ScopeSagaType, Name: "order"}, Limits{Window: Rate{20, 10 * second}}, now)
		},
	} {
		now := 100 * second
		s := New(Config{Durable: false})
		s.Configure(target.Scope(), wide, now)
		set(s, now)
		key := TaskKey{Lane: Compensation}
		for i := range uint64(61) {
			binary.BigEndian.PutUint64(key.Saga[:], i+1)
			if s.Push(Task{Key: key, Target: target, SagaType: "order", Class: Normal}, now) != Queued {
				t.Fatal("there is no room")
			}
		}
		e, _ := s.Explain(key, now)
		if wait := e.Until - now; e.Ahead != 60 || wait < 29*second || wait > 41*second {
			t.Errorf("%s: %s, in %d ms; 60 at 2/s take 30 s", what, e, wait/ms)
		}
		if kind := s.Snapshot(target.Scope(), now); what == "its window" || what == "that of all" {
			if ns := kind.Drain(60, now); ns != 30*second {
				t.Errorf("%s: the lane is empty in %d ms", what, ns/ms)
			}
		}
	}
}

func with(l Limits, n, per int64) Limits {
	l.Window = Rate{n, per}
	return l
}
