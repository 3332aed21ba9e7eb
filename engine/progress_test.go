package engine

import (
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// What an operation's calls wait behind is no time that is left out.
func TestAnOperationCountsWhatIsAheadOfIt(t *testing.T) {
	const now = machine.Micros(1_000_000_000)
	number := func(r float64) *float64 { return &r }
	lane := func(rate float64, ready, backing int, change func(*unwind.LaneState)) livelane {
		l := livelane{state: unwind.LaneState{Rate: unwind.LaneRate{Effective: &rate}, Depth: unwind.LaneDepth{Ready: ready, BackingOff: backing}}}
		if change != nil {
			change(&l.state)
		}
		return l
	}
	const unknown = -1
	for name, c := range map[string]struct {
		pace           *float64
		queued, called int64
		lanes          []livelane
		want           int64 // ms
	}{
		"nothing ahead":                     {number(20), 100, 0, []livelane{lane(40, 0, 0, nil)}, 5_000},
		"the last are called behind others": {number(20), 0, 5, []livelane{lane(10, 300, 0, nil)}, 30_000},
		"others ahead, and the lane's pace": {number(40), 1000, 0, []livelane{lane(40, 400, 0, nil)}, 35_000},
		"slower than the lane":              {number(20), 1000, 0, []livelane{lane(40, 400, 0, nil)}, 50_000},
		"two lanes, one with more":          {number(20), 10, 0, []livelane{lane(10, 0, 0, nil), lane(10, 600, 0, nil)}, 60_000},
		"calls in vain":                     {number(20), 0, 5, []livelane{lane(10, 100, 0, func(l *unwind.LaneState) { l.Throttled = 0.5 })}, 20_000},
		"a gate": {number(20), 0, 5, []livelane{lane(10, 100, 0, func(l *unwind.LaneState) {
			l.Gate = &unwind.LaneGate{Until: unwind.TimeFromMicros(int64(now) + 60_000_000)}
		})}, 70_000},
		"all that waits backs off": {number(20), 0, 5, []livelane{lane(10, 0, 5, nil)}, unknown},
		"a breaker that is open":   {number(20), 0, 5, []livelane{lane(10, 5, 0, func(l *unwind.LaneState) { l.Breaker.State = "open" }), lane(10, 0, 0, nil)}, unknown},
		"a saga type that is paused": {number(20), 0, 5, []livelane{lane(10, 5, 0, func(l *unwind.LaneState) {
			l.Held = []unwind.LaneHold{{Scope: unwind.Scope{Kind: unwind.ScopeSagaType}}}
		})}, unknown},
		"no rate":                            {nil, 100, 0, []livelane{{}}, unknown},
		"a lane without a rate, calls out":   {number(20), 0, 5, []livelane{{}}, unknown},
		"a lane without a rate, not all out": {number(20), 10, 5, []livelane{{}}, 500},
	} {
		got := int64(unknown)
		if ms := remaining(c.pace, c.queued, c.called, c.lanes, now); ms != nil {
			got = *ms
		}
		if got != c.want {
			t.Errorf("%s: %d ms are left, want %d", name, got, c.want)
		}
	}
}
