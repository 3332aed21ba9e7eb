package flow

import (
	"fmt"
	"testing"
	"time"
)

// arrivals notes when calls come to a gateway.
type arrivals struct {
	gatewayModel
	at []int64
}

func (a *arrivals) take(at int64) (bool, int64) {
	a.at = append(a.at, at)
	return a.gatewayModel.take(at)
}

// lastAbove is when a second with more than most calls ended for the last time between from
// and to, after from.
func (a *arrivals) lastAbove(from, to int64, most int) int64 {
	last, first := from, 0
	for i, at := range a.at {
		for a.at[first] < at-second {
			first++
		}
		if at > from && at < to && i-first+1 > most {
			last = at
		}
	}
	return last - from
}

// lessBetween is a capacity of less from one time to another.
func lessBetween(full, less float64, from, to int64) func(at int64) float64 {
	return func(at int64) float64 {
		if at >= from && at < to {
			return less
		}
		return full
	}
}

// After a fall from 50 to 10/s no second has more than 13 calls from 3 s on: as the storm
// capacity-drop counts it.
func TestADrainIsSlowSoonAfterAFall(t *testing.T) {
	var took spread
	for seed := range uint64(300) {
		random := splitmix(seed)
		from := 5*second + random(2*second)
		gateway := &arrivals{gatewayModel: &tokens{rate: lessBetween(50, 10, from, from+10*second), burst: 6, level: 6}}
		jitter := time.Duration(100+random(2900)) * time.Microsecond
		storm{rtt: 5 * time.Millisecond, jitter: jitter, limits: unknown, length: 2 * time.Minute, seed: seed, tasks: 1500, late: seed%2 > 0, gateway: gateway}.run(t)
		took.add(float64(gateway.lastAbove(from, from+10*second, 13)) / 1e9)
	}
	if t.Logf("slow after %.1f s (at most %.2f s)", took.mean(), took.most); took.most > 3 {
		t.Error("want 3 s")
	}
}

// fallAndReturn drains 1,500 calls, in the midst of which the capacity falls to a third or a fifth for
// 3 to 20 s, and returns how much of it was kept, and which share was refused.
func fallAndReturn(t failer, seed uint64) (kept, refused float64) {
	random := splitmix(seed + 99)
	c := [...]struct{ part, burst float64 }{{5, 3}, {5, 6}, {5, 12}, {3, 6}, {3, 12}}[seed%5]
	full := 40 + float64(random(2000))/100
	from, length := 4*second+random(4*second), 3*second+random(17*second)
	st := storm{rtt: 5 * time.Millisecond, jitter: time.Duration(100+random(2000)) * time.Microsecond, limits: unknown, length: 2 * time.Minute, seed: seed, tasks: 1500, late: true}
	st.gateway = &tokens{rate: lessBetween(full, full/c.part, from, from+length), burst: c.burst, level: c.burst}
	o := st.run(t)
	return ((1500-c.burst)/full*1e9 + float64(length)*(1-1/c.part)) / float64(o.took), o.rejectedShare()
}

// regains: what a service gives again after a fall is found soon.
func regains(seed uint64) error {
	if kept, refused := fallAndReturn(failing{}, seed); kept < 0.84 || refused > 0.0145 {
		return fmt.Errorf("%.0f%% of the capacity taken, %.2f%% refused", 100*kept, 100*refused)
	}
	return nil
}

func TestWhatComesBackAfterAFallIsFound(t *testing.T) {
	var kept, refused spread
	for seed := range uint64(400) {
		k, r := fallAndReturn(t, seed)
		kept.add(k)
		refused.add(r)
		if err := regains(seed); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	if t.Logf("%.1f%% taken (least %.1f%%), %.2f%% refused (most %.2f%%)", 100*kept.mean(), 100*kept.least, 100*refused.mean(), 100*refused.most); kept.mean() < 0.94 || refused.mean() > 0.0105 {
		t.Error("want 94% taken, 1.05% refused")
	}
}
