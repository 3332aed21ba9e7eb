package flow

import (
	"encoding/binary"
	"fmt"
	"testing"
)

func sagaKey(n uint64, lane Lane) (k TaskKey) {
	binary.BigEndian.PutUint64(k.Saga[:], n*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(k.Saga[8:], n*0xbf58476d1ce4e5b9+1)
	k.Lane = lane
	return k
}

// cycle returns one Push, Next and Done of a target without limits.
func cycle(lane Lane) func() {
	s := New(Config{})
	target := Target{"payments", lane}
	s.Configure(target.Scope(), Limits{Rate: Rate{N: Unlimited}, Concurrency: Unlimited}, 0)
	task := Task{Target: target, SagaType: "place-order"}
	n := uint64(0)
	return func() {
		n++
		task.Key = sagaKey(n, lane)
		s.Push(task, int64(n))
		_, g, _ := s.Next(int64(n))
		s.Done(g, Feedback{Outcome: OK, Status: 200}, int64(n))
	}
}

func BenchmarkCycle(b *testing.B) {
	for _, lane := range []Lane{Forward, Compensation} {
		b.Run(lane.String(), func(b *testing.B) {
			f := cycle(lane)
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

// backlog returns one grant, answer and replacement with n tasks in memory,
// spread over 100 services, three classes and ten saga types, paced by their
// lanes, and, if contended, each held back by its saga type most of the time.
func backlog(n int, contended bool) func() {
	s := New(Config{CompensationHeads: Unlimited})
	var names, types []string
	for i := range 100 {
		names = append(names, fmt.Sprint("service-", i))
		s.Configure(Scope{Kind: ScopeCompensation, Name: names[i]}, Limits{Rate: PerSecond(100)}, 0)
	}
	for i := range 10 {
		types = append(types, fmt.Sprint("type-", i))
		if contended {
			s.Configure(Scope{Kind: ScopeSagaType, Name: types[i]}, Limits{Rate: PerSecond(50)}, 0)
		}
	}
	push := func(k uint64, now int64) {
		s.Push(Task{Key: sagaKey(k, Compensation), Target: Target{names[k%100], Compensation},
			SagaType: types[k*7%10], Class: Class(k * 11 % 3)}, now)
	}
	k := uint64(0)
	for range n {
		k++
		push(k*0x9e3779b97f4a7c15>>20, 0)
	}
	now := int64(0)
	return func() {
		_, g, ok := s.Next(now)
		for !ok {
			now = s.Wake()
			_, g, ok = s.Next(now)
		}
		s.Done(g, Feedback{Outcome: OK, Status: 200}, now)
		k++
		push(k*0x9e3779b97f4a7c15>>20, now)
	}
}

func BenchmarkBacklog(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		for _, contended := range []bool{false, true} {
			b.Run(fmt.Sprintf("tasks=%d/contended=%v", n, contended), func(b *testing.B) {
				f := backlog(n, contended)
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	for _, lane := range []Lane{Forward, Compensation} {
		if n := testing.AllocsPerRun(10_000, cycle(lane)); n != 0 {
			t.Errorf("%s: %v allocations", lane, n)
		}
	}
	for _, contended := range []bool{false, true} {
		if n := testing.AllocsPerRun(10_000, backlog(10_000, contended)); n != 0 {
			t.Errorf("backlog, contended %v: %v allocations", contended, n)
		}
	}
}
