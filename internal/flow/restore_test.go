package flow

import "testing"

// A ramp that is taken up after a restart makes the pace slow, and not the wait for
// the first call, which was restored, longer in proportion.
func TestARestoredRampMakesNoWaitLonger(t *testing.T) {
	const sec = int64(1e9)
	limits := Limits{Rate: PerSecond(1000), Breaker: Breaker{Failures: 0.5, Minimum: 2, Open: sec}}
	target := Target{"payments", Forward}
	s := New(Config{Durable: true})
	now := 100 * sec
	s.Configure(target.Scope(), limits, now)
	slow := BreakerRecord{Opens: 1, Ramp: 1, Good: 1_000_000} // a tenth of one call per second
	s.Restore([]Reservation{{Scope: target.Scope(), Until: now + sec/5, Target: TargetState{Breaker: slow.Append(nil)}}}, now)
	snap := s.Snapshot(target.Scope(), now)
	if snap.Rate > 0.11 {
		t.Fatalf("the ramp is not in force: %v calls per second", snap.Rate)
	}
	s.Push(Task{Key: sagaKey(1, Forward), Target: target}, now)
	e, _ := s.Explain(sagaKey(1, Forward), now)
	if most := now + 11*sec; e.Until > most {
		t.Errorf("the first call waits for %d s, and the ramp for 10 s from call to call", (e.Until-now)/sec)
	}
}
