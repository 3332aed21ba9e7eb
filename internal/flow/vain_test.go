package flow

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// busy is a service of 50/s with a small bucket that others send 40/s, at any time: whether it
// refuses a call hardly depends on how many the lane sends.
type busy struct {
	tokens
	random  func(int64) int64
	next, n int64
	refused int64 // of theirs
}

func besideMany(burst float64, seed uint64) *busy {
	return &busy{tokens: *full(burst, 0)().(*tokens), random: splitmix(seed + 99)}
}

func (b *busy) take(at int64) (bool, int64) {
	for b.next <= at {
		if ok, _ := b.tokens.take(b.next); !ok {
			b.refused++
		}
		b.n++
		b.next += int64(-math.Log(float64(b.random(1<<40)+1)/(1<<40)) * 25 * float64(ms))
	}
	return b.tokens.take(at)
}

// unstarved is what a lane beside many others takes per second, over ten minutes, the share that
// is refused, and the share of the others' calls that is.
func unstarved(t failer, burst float64, seed uint64) (taken, refused, lost float64) {
	gateway := besideMany(burst, seed)
	st := storm{rtt: 5 * time.Millisecond, jitter: time.Millisecond, noHint: seed%2 > 0, limits: unknown, length: 10 * time.Minute, seed: seed, late: true, gateway: gateway}
	o := st.run(t)
	return float64(o.accepted) / st.length.Seconds(), float64(o.rejected) / float64(o.accepted+o.rejected), float64(gateway.refused) / float64(gateway.n)
}

// The rate is not cut further where that helps nothing.
func TestOthersDoNotStarveALane(t *testing.T) {
	for _, c := range []struct{ burst, taken, refused, lost float64 }{
		{1, 0.7, 0.47, 0.47}, {2, 4.5, 0.22, 0.26}, {3, 6.5, 0.13, 0.18}, {6, 2.5, 0.05, 0.05},
	} {
		var taken, refused, lost spread
		for seed := range uint64(24) {
			n, r, l := unstarved(t, c.burst, seed)
			taken.add(n)
			refused.add(r)
			lost.add(l)
		}
		t.Logf("burst %g: %.2f/s (least %.2f/s), refused %.1f%% (most %.1f%%), of the others %.1f%% (most %.1f%%)", c.burst, taken.mean(), taken.least, 100*refused.mean(), 100*refused.most, 100*lost.mean(), 100*lost.most)
		if taken.mean() < c.taken || refused.mean() > c.refused || lost.mean() > c.lost {
			t.Errorf("burst %g: want %.1f/s, refused %.0f%%, of the others %.0f%%", c.burst, c.taken, 100*c.refused, 100*c.lost)
		}
	}
}

func TestCutsInVainAreFound(t *testing.T) {
	for seed := range uint64(20) {
		if err := notInVain(seed); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// notInVain: cuts that help nothing are found to.
func notInVain(seed uint64) error {
	if taken, refused, _ := unstarved(failing{}, 2, seed); taken < 0.6 {
		return fmt.Errorf("%.2f/s of 10/s taken, %.0f%% refused", taken, 100*refused)
	}
	return nil
}

// A lane whose cuts were in vain sends one call at a time, as any other, while everything is
// refused, and goes on as before after that.
func TestALaneBesideOthersOutlastsAnOutage(t *testing.T) {
	var before, after spread
	for seed := range uint64(10) {
		const from, until, end = 300 * second, 360 * second, 480 * second
		down := 0
		st := storm{rtt: 5 * time.Millisecond, jitter: time.Millisecond, noHint: true, limits: unknown, length: time.Duration(end), seed: seed}
		st.gateway = besideMany(2, seed)
		st.down = func(at int64) (f Feedback, _ int64) {
			if at >= from && at < until {
				down++
				f = Feedback{Outcome: Throttled, Status: 429}
			}
			return f, 0
		}
		o := st.run(t)
		for at, n := range o.perSecond {
			switch at := int64(at) * second; {
			case at >= from-90*second && at < from:
				before.add(float64(n))
			case at >= until+30*second:
				after.add(float64(n))
			}
		}
		if down > 40 {
			t.Errorf("seed %d: %d calls in a minute in which everything was refused", seed, down)
		}
	}
	if t.Logf("%.1f/s before and %.1f/s after", before.mean(), after.mean()); after.mean() < before.mean()*3/4 {
		t.Error("want three quarters of what it was")
	}
}

// cutting is a lane's cuts, each to nine tenths after so many calls.
func (v *vain) cutting(cuts int, rate, calls int64) (left int64) {
	for range cuts {
		v.cut(rate, rate*90/100, calls)
		rate = rate * 90 / 100
	}
	return rate
}

func TestCutsAreInVainWhereEachIsSoonFollowedByAnother(t *testing.T) {
	for _, c := range []struct {
		name  string
		cuts  func(v *vain)
		share int64
		vain  bool
	}{
		{"seven in a row", func(v *vain) { v.cutting(7, 10*perCall, 59) }, vainMost, true},
		{"six", func(v *vain) { v.cutting(6, 10*perCall, 5) }, 0, false},
		{"one of them helped", func(v *vain) { v.cutting(1, v.cutting(6, 10*perCall, 5), 60) }, 0, false},
		{"they left too much", func(v *vain) { v.cutting(6, 10*perCall, 5); v.cut(7*perCall, 6*perCall+1, 5) }, 0, false},
		{"they left little enough", func(v *vain) { v.cutting(6, 10*perCall, 5); v.cut(7*perCall, 6*perCall, 5) }, 0, true},
		{"nearly all is refused", func(v *vain) { v.cutting(7, 10*perCall, 5) }, vainMost + 1, false},
	} {
		v := vain{share: c.share}
		if c.cuts(&v); (v.least > 0) != c.vain || c.vain && v.least != 10*perCall {
			t.Errorf("%s: no cut goes below %d", c.name, v.least)
		}
	}
}

func TestWhatWasInVainHasToBeSeenAgain(t *testing.T) {
	for _, c := range []struct {
		name           string
		refused, every int // one in every
		held           int // answers
	}{
		{"as often as before", 1, 10, vainLast},
		{"nearly always", 9, 10, 6},
	} {
		v := vain{share: perCall / 10}
		v.cutting(7, 10*perCall, 5)
		n := 0
		for ; v.least > 0; n++ {
			v.answered(n%c.every < c.refused)
		}
		if n != c.held+1 || v.cuts != 0 {
			t.Errorf("%s: it holds for %d answers, want %d", c.name, n-1, c.held)
		}
	}
	v := vain{}
	v.cutting(7, 10*perCall, 5)
	if v.cut(10*perCall, 9*perCall, vainCalls); v.least > 0 || v.cuts > 0 {
		t.Error("it holds although a cut has helped")
	}
}

func TestALaneIsNotCutBelowWhatCutsInVainLeft(t *testing.T) {
	in := func() *fed {
		f := newFed()
		f.slow, f.mark, f.last, f.since = false, 1, 1, f.now-10*second
		f.rate, f.peak = 5*perCall, 5*perCall
		f.vain.least, f.vain.usual = 5*perCall, perCall/2
		return f
	}
	f := in().takes(2, 200*ms).refuses(200 * ms)
	if f.rate != 5*perCall || f.peak < 5*perCall*100/keep {
		t.Errorf("a refusal leaves %d, and a climb to %d", f.rate, f.peak)
	}
	f.refuses(200 * ms).refuses(2 * second)
	if held := f.refusedAt != 0; !held {
		t.Error("nothing gets through, and nothing is held")
	}
	if f.takes(1, 200*ms); f.rate != 5*perCall || f.window != 0 {
		t.Errorf("what was refused for a while leaves %d, and a window of %d ns", f.rate, f.window)
	}
}

// What is found while everything is refused counts as a cut; a service that is down tells nothing.
func TestWhichCutsAreCounted(t *testing.T) {
	f := newFed()
	f.slow, f.mark, f.last, f.since = false, 1, 1, f.now-10*second
	f.rate, f.peak = 5*perCall, 5*perCall
	f.takes(2, 200*ms)
	f.last++
	f.throttled(f.last, f.last, true, 0, f.now+200*ms)
	if f.vain.cuts != 0 {
		t.Error("a service that is down was counted")
	}
	f.takes(2, 200*ms).refuses(200 * ms)
	if f.vain.cuts != 1 {
		t.Errorf("%d cuts, want that of the refusal", f.vain.cuts)
	}
	f.refuses(200*ms).takes(1, 200*ms)
	if f.vain.cuts != 2 {
		t.Errorf("%d cuts, want that of what was refused for a while, too", f.vain.cuts)
	}
}
