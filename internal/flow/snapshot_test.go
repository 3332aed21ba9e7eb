package flow

import (
	"math"
	"testing"
)

func TestADrainIsEstimatedByWhatGetsThrough(t *testing.T) {
	now := 100 * second
	for what, c := range map[string]struct {
		snap  Snapshot
		tasks int
		want  int64
	}{
		"nothing waits":            {Snapshot{Paused: true}, 0, 0},
		"at its rate":              {Snapshot{Rate: 20}, 40, 2 * second},
		"a gate that was":          {Snapshot{Rate: 20, GateUntil: now - second}, 40, 2 * second},
		"a gate that is":           {Snapshot{Rate: 20, GateUntil: now + 30*second}, 40, 32 * second},
		"half of the calls fail":   {Snapshot{Rate: 20, Throttled: 0.25, Failed: 0.25}, 40, 4 * second},
		"none gets through":        {Snapshot{Rate: 20, Throttled: 1}, 40, Never},
		"paused":                   {Snapshot{Rate: 20, Paused: true}, 40, Never},
		"its breaker is open":      {Snapshot{Rate: 20, Breaker: BreakerTripped}, 40, Never},
		"a window":                 {Snapshot{Rate: 20, Most: 2}, 40, 20 * second},
		"a window alone":           {Snapshot{Rate: math.Inf(1), Most: 2}, 40, 20 * second},
		"a window that is wide":    {Snapshot{Rate: 20, Most: 200}, 40, 2 * second},
		"nobody bounds it":         {Snapshot{Rate: math.Inf(1)}, 40, Never},
		"more than can be counted": {Snapshot{Rate: 1e-12}, 1 << 40, longest},
	} {
		if got := c.snap.Drain(c.tasks, now); got != c.want {
			t.Errorf("%s: %d ns, want %d", what, got, c.want)
		}
	}
}
