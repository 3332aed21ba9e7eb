package flow

import "testing"

// A breaker that only operators open and close keeps the time of that, whatever is
// configured afterwards.
func TestABreakerThatNobodyConfiguredKeepsItsTime(t *testing.T) {
	s, name := New(Config{}), Target{"payments", Compensation}
	since := func() int64 { return s.Snapshot(name.Scope(), 9*second).BreakerSince }
	for i, mode := range []BreakerMode{BreakerOpen, BreakerAuto} {
		at := int64(1+i) * second
		s.SetBreaker(name, mode, at)
		s.Configure(name.Scope(), Limits{Rate: PerSecond(at)}, 8*second)
		if got := since(); got != at {
			t.Errorf("mode %d was set at %d, and a change of limits says since %d", mode, at, got)
		}
	}
}
