package flow

import (
	"testing"
	"time"
)

// The lane of a drain: its owner does not know what the gateway bears.
var unknown = Limits{Rate: PerSecond(200), Concurrency: 10, Adaptive: true}

func full(burst, cost float64) func() gatewayModel {
	return func() gatewayModel { return &tokens{rate: steady, burst: burst, cost: cost, level: burst} }
}

// A thousand tasks at once, from an empty start.
func TestAColdDrainReachesItsFigures(t *testing.T) {
	for _, c := range []struct {
		name                 string
		gateway              func() gatewayModel
		burst                float64
		rtt, jitter          time.Duration
		late                 bool
		efficiency, rejected float64
	}{
		{"burst 6", full(6, 0), 6, 5 * time.Millisecond, 0, false, 0.98, 0.01},
		{"burst 6, uneven", full(6, 0), 6, 5 * time.Millisecond, 2 * time.Millisecond, false, 0.98, 0.01},
		{"a rejection costs half", full(6, 0.5), 6, 5 * time.Millisecond, time.Millisecond, false, 0.98, 0.01},
		{"burst 6, far away", full(6, 0), 6, 100 * time.Millisecond, time.Millisecond, false, 0.95, 0.01},
		{"burst 1", full(1, 0), 1, 5 * time.Millisecond, 0, false, 0.95, 0.01},
		{"burst 1, uneven", full(1, 0), 1, 5 * time.Millisecond, time.Millisecond, false, 0.92, 0.01},
		{"burst 1, some late", full(1, 0), 1, 5 * time.Millisecond, time.Millisecond, true, 0.92, 0.01},
	} {
		var efficiency, rejected spread
		for seed := range uint64(40) {
			st := storm{rtt: c.rtt, jitter: c.jitter, noHint: seed%2 > 0, limits: unknown, length: time.Minute, seed: seed, gateway: c.gateway(), tasks: 1000, late: c.late}
			o := st.run(t)
			efficiency.add((1000 - c.burst) / 50 * 1e9 / float64(o.took))
			rejected.add(o.rejectedShare())
		}
		t.Logf("%-22s efficiency %.1f%% (least %.1f%%), rejected %.2f%% (most %.2f%%)", c.name, 100*efficiency.mean(), 100*efficiency.least, 100*rejected.mean(), 100*rejected.most)
		if efficiency.mean() < c.efficiency || rejected.mean() > c.rejected {
			t.Errorf("%s: want an efficiency of %.1f%% and %.1f%% rejected", c.name, 100*c.efficiency, 100*c.rejected)
		}
	}
}

// One answer in twenty is lost: the gateway has taken the call all the same.
func TestADrainWithLostAnswersIsNoSlower(t *testing.T) {
	var efficiency spread
	for seed := range uint64(40) {
		answers := 0
		st := storm{rtt: 5 * time.Millisecond, jitter: time.Millisecond, limits: unknown, length: time.Minute, seed: seed, gateway: full(6, 0)(), tasks: 1000,
			feedback: func(f *Feedback, _ int64) {
				if answers++; f.Outcome == OK && answers%20 == 0 {
					*f = Feedback{Outcome: Error}
				}
			}}
		o := st.run(t)
		efficiency.add((1000 - 6) / 50.0 * 1e9 / float64(o.took))
	}
	if t.Logf("efficiency %.1f%% (least %.1f%%)", 100*efficiency.mean(), 100*efficiency.least); efficiency.mean() < 0.98 {
		t.Error("want 98%")
	}
}

// A hundred sagas owe ten compensations each, one after another: the queue is short
// all the time, and the drain does not end before it does.
func TestAShortQueueThatIsFedIsNoEnd(t *testing.T) {
	var efficiency spread
	for seed := range uint64(40) {
		st := storm{rtt: 5 * time.Millisecond, jitter: time.Millisecond, noHint: true, limits: unknown, length: time.Minute, seed: seed, gateway: full(6, 0)(), tasks: 1000, open: 90}
		o := st.run(t)
		efficiency.add((1000 - 6) / 50.0 * 1e9 / float64(o.took))
	}
	if t.Logf("efficiency %.1f%% (least %.1f%%)", 100*efficiency.mean(), 100*efficiency.least); efficiency.mean() < 0.97 {
		t.Error("want 97%")
	}
}

// The capacity falls to a fifth in the midst of a drain, and comes back.
func TestADrainOutlastsAFall(t *testing.T) {
	for _, c := range []struct {
		burst                       float64
		rtt                         time.Duration
		efficiency, least, rejected float64
	}{{6, 5 * time.Millisecond, 0.94, 0.94, 0.01}, {6, 20 * time.Millisecond, 0.94, 0.94, 0.012}, {1, 5 * time.Millisecond, 0.86, 0.86, 0.01}} {
		var efficiency, rejected spread
		for seed := range uint64(40) {
			fall := 6*second + int64(seed)*50*ms
			rate := func(at int64) float64 {
				if at >= fall && at < fall+10*second {
					return 10
				}
				return 50
			}
			st := storm{rtt: c.rtt, jitter: time.Millisecond, noHint: seed%2 > 0, limits: unknown, length: 2 * time.Minute, seed: seed, tasks: 1500}
			st.gateway = &tokens{rate: rate, burst: c.burst, level: c.burst}
			o := st.run(t)
			efficiency.add(((1500-c.burst)/50 + 8) * 1e9 / float64(o.took))
			rejected.add(o.rejectedShare())
		}
		t.Logf("burst %g rtt %-5s efficiency %.1f%% (least %.1f%%), rejected %.2f%% (most %.2f%%)", c.burst, c.rtt, 100*efficiency.mean(), 100*efficiency.least, 100*rejected.mean(), 100*rejected.most)
		if efficiency.mean() < c.efficiency || efficiency.least < c.least || rejected.mean() > c.rejected {
			t.Errorf("burst %g, rtt %s: want an efficiency of %.1f%%, %.1f%% at the least, and %.1f%% rejected", c.burst, c.rtt, 100*c.efficiency, 100*c.least, 100*c.rejected)
		}
	}
}

// A service that is down for some seconds counts no windows: the lane goes on about
// as fast as before.
func TestAnOutageIsNoWindow(t *testing.T) {
	var refused int64
	st := storm{rtt: 5 * time.Millisecond, noHint: true, limits: unknown, length: time.Minute, gateway: &outage{tokens: tokens{rate: steady, burst: 6}, from: 10 * second, until: 16 * second}}
	st.feedback = func(f *Feedback, at int64) {
		if f.Outcome == Throttled && at >= 10*second && at < 16*second+100*ms {
			f.Status, refused = 503, refused+1
		}
	}
	o := st.run(t)
	least := 50
	for _, n := range o.perSecond[25:60] {
		least = min(least, n)
	}
	if refused == 0 || least < 40 {
		t.Errorf("refused %d times; from 9 s after the outage on it is %d calls in a second at least", refused, least)
	}
}

// outage takes nothing for a while.
type outage struct {
	tokens
	from, until int64
}

func (o *outage) take(at int64) (bool, int64) {
	if at >= o.from && at < o.until {
		return false, second
	}
	return o.tokens.take(at)
}
