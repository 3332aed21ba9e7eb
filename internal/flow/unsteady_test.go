package flow

import (
	"fmt"
	"testing"
	"time"
)

// Services that are up and down, and one that others use: a drain of so many calls from
// cold, over the jitters of so many seeds.

// flaps is down every other 5 s, in turns with a 503 and with a connection that breaks.
func flaps(at int64) (Feedback, int64) {
	switch at / (5 * second) % 4 {
	case 1:
		return Feedback{Outcome: Throttled, Status: 503}, 0
	case 3:
		return Feedback{Outcome: Error}, 0
	}
	return Feedback{}, 0
}

// hangs answers 503 for 3 s, and then nothing for 5 s.
func hangs(at int64) (Feedback, int64) {
	switch {
	case at >= 5*second && at < 8*second:
		return Feedback{Outcome: Throttled, Status: 503}, 0
	case at >= 8*second && at < 13*second:
		return Feedback{Outcome: Error, Ends: 1}, 2 * second
	}
	return Feedback{}, 0
}

// upTime is how long a service of 50/s and a burst of 6 needs for so many calls that come
// as soon as it takes them.
func upTime(calls float64, down func(int64) (Feedback, int64)) (at int64) {
	for borne := 6.0; borne < calls; at += ms {
		if f, _ := down(at); f.Outcome == Dropped {
			borne += .05
		}
	}
	return at
}

func TestAServiceThatIsBackIsFoundSoon(t *testing.T) {
	for _, c := range []struct {
		name              string
		down              func(int64) (Feedback, int64)
		rtt               time.Duration
		efficiency, least float64
	}{
		{"flaps", flaps, 5 * time.Millisecond, 0.755, 0.73},
		{"flaps, farther away", flaps, 20 * time.Millisecond, 0.745, 0.72},
		{"hangs", hangs, 5 * time.Millisecond, 0.83, 0.80},
		{"hangs, farther away", hangs, 20 * time.Millisecond, 0.82, 0.80},
	} {
		var efficiency spread
		for seed := range uint64(24) {
			l := unknown
			l.Breaker = Breaker{Failures: 0.1, Minimum: 5, Open: second}
			st := storm{rtt: c.rtt, jitter: time.Millisecond, noHint: true, limits: l, length: 2 * time.Minute, seed: seed, tasks: 750, late: true, down: c.down, gateway: full(6, 0)()}
			efficiency.add(float64(upTime(750, c.down)) / float64(st.run(t).took))
		}
		t.Logf("%-20s efficiency %.1f%% (least %.1f%%)", c.name, 100*efficiency.mean(), 100*efficiency.least)
		if efficiency.mean() < c.efficiency || efficiency.least < c.least {
			t.Errorf("%s: want an efficiency of %.1f%%, %.1f%% at the least", c.name, 100*c.efficiency, 100*c.least)
		}
	}
}

// shared is a service of 50/s that others send 40/s.
type shared struct {
	tokens
	random  func(int64) int64
	next, n int64
	until   int64 // they are gone; 0: never
	refused int64 // of theirs
}

func besideOthers(seed uint64) *shared {
	return &shared{tokens: *full(6, 0)().(*tokens), random: splitmix(seed + 99), next: int64(seed) % 25 * ms}
}

func (s *shared) take(at int64) (bool, int64) {
	for s.next <= at && (s.until == 0 || s.next < s.until) {
		if ok, _ := s.tokens.take(s.next); !ok {
			s.refused++
		}
		s.n++
		s.next = s.n*25*ms + s.random(ms)
	}
	return s.tokens.take(at)
}

// What is left over is taken with few refusals: fewest where the service is slow beside
// its limit, and where others use most of it.
func TestASlowServiceRefusesLittle(t *testing.T) {
	slow := func(rate, burst float64) func(uint64) gatewayModel {
		return func(uint64) gatewayModel {
			return &tokens{rate: func(int64) float64 { return rate }, burst: burst, level: burst}
		}
	}
	others := func(seed uint64) gatewayModel { return besideOthers(seed) }
	const near = 5 * time.Millisecond
	for _, c := range []struct {
		name                string
		gateway             func(seed uint64) gatewayModel
		rate                float64
		tasks               int
		rtt                 time.Duration
		limit               int64
		efficiency, refused float64
	}{
		{"25/s", slow(25, 6), 25, 500, near, 200, 0.94, 0.008},
		{"25/s, burst 1", slow(25, 1), 25, 500, near, 200, 0.87, 0.0075},
		{"10/s", slow(10, 6), 10, 300, near, 200, 0.91, 0.011},
		{"10/s, longer", slow(10, 6), 10, 1000, near, 200, 0.95, 0.007},
		{"10/s, far away", slow(10, 6), 10, 300, 100 * time.Millisecond, 200, 0.93, 0.022},
		{"10/s, limit 20/s", slow(10, 6), 10, 300, near, 20, 0.87, 0.011},
		{"5/s", slow(5, 6), 5, 300, near, 200, 0.85, 0.015},
		{"10/s left by others", others, 10, 300, near, 200, 0.96, 0.012},
		{"10/s left by others, longer", others, 10, 1000, near, 200, 0.98, 0.0075},
	} {
		var efficiency, refused spread
		for seed := range uint64(24) {
			tasks := c.tasks * int(80+seed*17%41) / 100 // so that nothing hangs on where it ends
			limits := unknown
			limits.Rate = PerSecond(c.limit)
			st := storm{rtt: c.rtt, jitter: time.Millisecond, limits: limits, length: 4 * time.Minute, seed: seed, tasks: tasks, late: true, gateway: c.gateway(seed)}
			o := st.run(t)
			efficiency.add((float64(tasks) - 6) / c.rate * 1e9 / float64(o.took))
			refused.add(o.rejectedShare())
		}
		t.Logf("%-28s efficiency %.1f%% (least %.1f%%), rejected %.2f%% (most %.2f%%)", c.name, 100*efficiency.mean(), 100*efficiency.least, 100*refused.mean(), 100*refused.most)
		if efficiency.mean() < c.efficiency || refused.mean() > c.refused {
			t.Errorf("%s: want an efficiency of %.1f%% and %.1f%% rejected", c.name, 100*c.efficiency, 100*c.refused)
		}
	}
}

// spared: a drain in a service of which others take four fifths costs them little, and
// is refused little.
func spared(seed uint64) error {
	gateway := besideOthers(seed)
	o := storm{rtt: 5 * time.Millisecond, jitter: time.Millisecond, limits: unknown, length: 4 * time.Minute, seed: seed, tasks: 1000, late: true, gateway: gateway}.run(failing{})
	if lost := float64(gateway.refused) / float64(gateway.n); o.rejectedShare() > 0.01 || lost > 0.05 {
		return fmt.Errorf("rejected %.2f%%, and %.2f%% of the others' calls", 100*o.rejectedShare(), 100*lost)
	}
	return nil
}

func TestOthersAreSpared(t *testing.T) {
	for seed := range uint64(20) {
		if err := spared(seed); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// Whoever was careful finds out when there is more: the service has grown, or the others are
// gone.
func TestACarefulLaneFindsMore(t *testing.T) {
	for _, c := range []struct {
		name    string
		gateway func(seed uint64, rise int64) gatewayModel
	}{
		{"10/s, then 50/s", func(_ uint64, rise int64) gatewayModel {
			return &tokens{burst: 6, level: 6, rate: func(at int64) float64 {
				if at >= rise {
					return 50
				}
				return 10
			}}
		}},
		{"10/s left by others, who leave", func(seed uint64, rise int64) gatewayModel {
			s := besideOthers(seed)
			s.until = rise
			return s
		}},
	} {
		var found spread
		for seed := range uint64(20) {
			rise := 20*second + int64(seed)*700*ms
			st := storm{rtt: 5 * time.Millisecond, jitter: time.Millisecond, limits: unknown, length: 2 * time.Minute, seed: seed, late: true, gateway: c.gateway(seed, rise)}
			o := st.run(t)
			found.add(o.until(rise, func(at int) bool { return o.perSecond[at] >= 45 }))
		}
		if t.Logf("%-32s found after %.1f s (most %.1f s)", c.name, found.mean(), found.most); found.mean() > 35 || found.most > 70 {
			t.Errorf("%s: want 45/s after 35 s, 70 s at most", c.name)
		}
	}
}
