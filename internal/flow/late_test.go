package flow

import "testing"

// afterALateCall has an adaptive lane make two calls, the second of which takes 10 ms
// longer, and returns when the third may go. Another lane may make calls meanwhile.
func afterALateCall(t *testing.T, busy bool) int64 {
	t.Helper()
	const ms = second / 1000
	lane, other := Target{"payments", Compensation}, Target{"post", Compensation}
	s := open(other)
	s.Configure(lane.Scope(), Limits{Rate: PerSecond(100), Adaptive: true}, 0)
	for n := range uint64(3) {
		s.Push(Task{Key: sagaKey(n, Compensation), Target: lane}, 0)
	}
	now := int64(0)
	for n := range int64(2) {
		now = s.target(lane, now).eligible()
		_, g, ok := s.Next(now)
		if !ok || g.target.name != lane.Scope() {
			t.Fatalf("at %d the adaptive lane may call, and nothing of it was granted", now)
		}
		if busy {
			s.Push(Task{Key: sagaKey(uint64(10+n), Compensation), Target: other}, now)
			if _, _, ok := s.Next(now); !ok {
				t.Fatal("nothing of the other lane was granted")
			}
		}
		now += (20 + 10*n) * ms
		s.Done(g, Feedback{Outcome: OK}, now)
	}
	return s.target(lane, now).eligible()
}

// The call behind one that was late keeps its distance, whatever other lanes do.
func TestTheDistanceBehindALateCallIsTheLanesOwn(t *testing.T) {
	if alone, busy := afterALateCall(t, false), afterALateCall(t, true); alone != busy {
		t.Errorf("the next call may go at %d, with another lane busy at %d", alone, busy)
	}
}
