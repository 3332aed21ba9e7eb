package storm

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/gateway"
)

const ms = time.Millisecond

var origin = time.Unix(1000, 0)

func moments(at ...time.Duration) []time.Time {
	list := make([]time.Time, len(at))
	for i, d := range at {
		list[i] = origin.Add(d)
	}
	return list
}

func steady(rate float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return rate }
}

func TestOvershootIsWhatAnyWindowHasTooMuch(t *testing.T) {
	paced := unwind.Limits{Rate: unwind.PerSecond(10), Burst: 1}
	windowed := unwind.Limits{Window: unwind.Rate{Calls: 2, Per: unwind.Second}}
	for _, test := range []struct {
		name   string
		limits unwind.Limits
		at     []time.Time
		want   float64
	}{
		{"on pace", paced, moments(0, 100*ms, 200*ms), 0},
		{"a twin", paced, moments(0, 100*ms, 100*ms), 1},
		{"half an interval early", paced, moments(0, 50*ms, 150*ms), 0.5},
		{"late, then three at once", paced, moments(0, 900*ms, 900*ms, 900*ms), 2},
		{"the burst is allowed", unwind.Limits{Rate: unwind.PerSecond(10), Burst: 3}, moments(0, 0, 0), 0},
		{"two is the burst that nobody named", unwind.Limits{Rate: unwind.PerSecond(10)}, moments(0, 0, 0), 1},
		{"a window that is full", windowed, moments(0, 500*ms, 1000*ms, 1500*ms), 0},
		{"one more within a second", windowed, moments(0, 500*ms, 999*ms), 1},
		{"no limit", unwind.Limits{}, moments(0, 0, 0, 0), 0},
	} {
		if got := max(overRate(test.at, test.limits), overWindow(test.at, test.limits)); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestAGatewayThatStoodStillSawCallsCloserTogether(t *testing.T) {
	limits := unwind.Limits{Rate: unwind.PerSecond(10), Burst: 1, Window: unwind.Rate{Calls: 2, Per: unwind.Second}}
	e := &evidence{owed: map[string]int{"s": 1}, reigns: []reign{{origin, limits}}, capacity: steady(1), takes: atOnce, stood: 150 * ms, ended: origin.Add(time.Second)}
	for _, at := range moments(0, 0, 50*ms) {
		e.arrivals = append(e.arrivals, gateway.Arrival{At: at, Compensation: true})
	}
	// The rate forgives what 150 ms explain, and the window nothing.
	if o := judge(e); o.Overshoot != 1 {
		t.Errorf("overshoot %v", o.Overshoot)
	}
	e.reigns[0].limits.Window = unwind.Rate{}
	if o := judge(e); o.Overshoot != 0 {
		t.Errorf("overshoot of the rate alone %v", o.Overshoot)
	}
	e.stood = 0
	if o := judge(e); math.Abs(o.Overshoot-1.5) > 1e-9 {
		t.Errorf("overshoot of a gateway that never stood still %v", o.Overshoot)
	}
}

func TestEveryReignHasItsOwnLimit(t *testing.T) {
	slow, fast := unwind.Limits{Rate: unwind.PerSecond(10), Burst: 1}, unwind.Limits{Rate: unwind.PerSecond(20), Burst: 1}
	reigns := []reign{{origin, slow}, {origin.Add(time.Second), fast}}
	for _, test := range []struct {
		name string
		at   []time.Time
		want float64
	}{
		{"each at its pace", moments(0, 100*ms, 1000*ms, 1050*ms), 0},
		{"too fast too soon", moments(0, 50*ms, 1000*ms, 1050*ms), 0.5},
		{"too fast for both", moments(0, 1000*ms, 1000*ms), 1},
		{"a burst across the border", moments(0, 990*ms, 1000*ms), 0.8},
	} {
		if got := overReigns(test.at, reigns, 0); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestOvershootIsThatOfEveryPairOfCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := unwind.Limits{Rate: unwind.PerSecond(rapid.Int64Range(1, 50).Draw(t, "rate")), Burst: rapid.IntRange(1, 5).Draw(t, "burst")}
		var at []time.Time
		now := origin
		for range rapid.IntRange(1, 60).Draw(t, "calls") {
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "gap")) * ms)
			at = append(at, now)
		}
		want := 0.0
		for i := range at {
			for j := i; j < len(at); j++ {
				want = max(want, float64(j-i+1)-float64(limits.Burst)-limits.Rate.CallsPerSecond()*at[j].Sub(at[i]).Seconds())
			}
		}
		if got := overRate(at, limits); math.Abs(got-want) > 1e-6 {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

func atOnce(time.Duration) time.Duration { return 0 }

// The last call has its effect when it has taken what it takes by then, not when it comes.
func TestTheIdealEndsWithAnEffect(t *testing.T) {
	slower := func(at time.Duration) time.Duration { return at / 10 }
	if got := (&evidence{capacity: steady(50), takes: slower, burst: 6}).ideal(0); got != 0 {
		t.Errorf("no call takes %v", got)
	}
	if got := (&evidence{capacity: steady(50), takes: slower, burst: 6}).ideal(1006); got != 22*time.Second {
		t.Errorf("%v", got)
	}
}

func TestTheIdealFollowsTheCapacity(t *testing.T) {
	of := func(capacity func(time.Duration) float64, burst, n int) time.Duration {
		return (&evidence{capacity: capacity, takes: atOnce, burst: burst}).ideal(n)
	}
	if got := of(steady(50), 6, 1006); got != 20*time.Second {
		t.Errorf("steady: %v", got)
	}
	drop := func(at time.Duration) float64 {
		if at < time.Second {
			return 50
		}
		return 10
	}
	if got := of(drop, 1, 71); got != 3*time.Second {
		t.Errorf("with a drop: %v", got)
	}
	if got := of(steady(0), 1, 2); got != time.Hour {
		t.Errorf("none: %v", got)
	}
}

func TestARefundThatNobodyMakesIsLost(t *testing.T) {
	e := &evidence{
		owed: map[string]int{"made": 1, "twice": 1, "tried": 1, "dead": 2, "denied": 1, "unknown": 1},
		standing: map[string]unwind.Status{
			"made": unwind.Compensated, "twice": unwind.Compensated, "tried": unwind.Compensating, "dead": unwind.DeadLettered, "denied": unwind.Compensated,
		},
		refunds: []effect{{saga: "made", step: "a", at: origin}, {saga: "twice", step: "a", at: origin}, {saga: "twice", step: "a", at: origin}, {saga: "dead", step: "a", at: origin}},
		arrivals: []gateway.Arrival{
			{At: origin, Compensation: true, Borne: true}, {At: origin.Add(ms), Compensation: true, Status: 429},
			{At: origin.Add(ms), Compensation: true, Fate: gateway.Hung}, {At: origin.Add(ms), Status: 429},
		},
		ended: origin.Add(time.Second), capacity: steady(1), takes: atOnce,
	}
	got := judge(e)
	got.curve = curve{}
	want := Outcome{Owed: 7, Done: 3, Duplicated: 1, Left: 1, Dead: 1, Lost: 2, Accepted: 1, Rejected: 2, Drain: unwind.Second, Efficiency: 2}
	if got.Owed != want.Owed || got.Done != want.Done || got.Duplicated != want.Duplicated || got.Left != want.Left || got.Dead != want.Dead || got.Lost != want.Lost ||
		got.Accepted != want.Accepted || got.Rejected != want.Rejected || got.Drain != want.Drain || math.Abs(got.Efficiency-want.Efficiency) > 0.01 {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestReactionsAreReadFromTheCurve(t *testing.T) {
	var c curve
	for at := time.Duration(0); at < 5*time.Second; {
		c.calls, c.borne = append(c.calls, at), append(c.borne, at)
		switch { // fast until 2.5 s, slow until 4 s, and fast again
		case at < 2500*ms || at >= 4*time.Second:
			at += 20 * ms
		default:
			at += 100 * ms
		}
	}
	// The second before 3.2 s still has 15 fast calls and 7 slow ones.
	if at := c.lastAbove(2*time.Second, 4*time.Second, 13); at < 3300*ms || at > 3500*ms {
		t.Errorf("slower at %v", at)
	}
	if at, ok := c.firstBorne(4*time.Second, 45); !ok || at < 4800*ms || at > 5*time.Second {
		t.Errorf("faster at %v", at)
	}
	if _, ok := c.firstBorne(4*time.Second, 60); ok {
		t.Error("as fast as it never was")
	}
}
