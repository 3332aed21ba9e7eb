package main

import (
	"testing"

	"github.com/unwindhq/unwind"
)

func TestALaneSaysWhatKeepsItBack(t *testing.T) {
	late := &unwind.Backlog{Objective: 5 * unwind.Minute, Policy: unwind.ShedStarts}
	held := &unwind.Backlog{Objective: 5 * unwind.Minute, Policy: unwind.HoldStarts}
	for want, lane := range map[string]unwind.LaneState{
		"open":                      {Breaker: unwind.LaneBreaker{State: "closed"}},
		"breaker half_open":         {Breaker: unwind.LaneBreaker{State: "half_open"}, Fault: "401"},
		"service fault: 401":        {Fault: "401", Gate: &unwind.LaneGate{Reason: "401"}, Backlog: late},
		"gate until 00:00:00Z: 503": {Gate: &unwind.LaneGate{Until: unwind.TimeFromMicros(0), Reason: "503"}, Backlog: late},
		"open, a compensation waits for longer than 5m0s: new sagas are refused": {Backlog: late},
		"open, a compensation waits for longer than 5m0s: new sagas are held":    {Backlog: held},
	} {
		if got := laneState(&lane); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}
