package flow

import (
	"encoding/binary"
	"testing"
)

func sagaKey(n uint64, lane Lane) (k TaskKey) {
	binary.BigEndian.PutUint64(k.Saga[:], n*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(k.Saga[8:], n*0xbf58476d1ce4e5b9+1)
	k.Lane = lane
	return k
}

// BenchmarkCycle is one Push, Next and Done of a target without limits.
func BenchmarkCycle(b *testing.B) {
	for _, lane := range []Lane{Forward, Compensation} {
		b.Run(lane.String(), func(b *testing.B) {
			s := New(Config{})
			t := Target{"payments", lane}
			s.Configure(t.Scope(), Limits{Rate: Rate{N: Unlimited}, Concurrency: Unlimited}, 0)
			task := Task{Target: t, SagaType: "place-order"}
			b.ReportAllocs()
			n := uint64(0)
			for b.Loop() {
				n++
				task.Key = sagaKey(n, lane)
				s.Push(task, int64(n))
				_, g, _ := s.Next(int64(n))
				s.Done(g, Feedback{Outcome: OK, Status: 200}, int64(n))
			}
		})
	}
}
