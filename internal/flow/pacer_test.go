package flow

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// Any n calls in a row span at least (n-burst) intervals, over a restart too.
func TestPacerBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.Int64Range(1, 1000).Draw(t, "interval")
		burst := rapid.Int64Range(1, 6).Draw(t, "burst")
		now := rapid.Int64Range(0, 1<<62).Draw(t, "start")
		var p pacer
		p.set(interval, burst, now)
		var taken []int64
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += rapid.Int64Range(0, 3*interval).Draw(t, "step")
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
				p = pacer{}
				p.set(interval, burst, now)
			}
			if p.eligible() <= now {
				p.take(now)
				taken = append(taken, now)
			}
		}
		for i := range taken {
			for j := i; j < len(taken); j++ {
				if n := int64(j - i + 1); taken[j]-taken[i] < (n-burst)*interval {
					t.Fatalf("%d calls in %d ns at one per %d ns, burst %d", n, taken[j]-taken[i], interval, burst)
				}
			}
		}
	})
}

// A scope that is always asked for runs at its rate, however often the limits
// are set to the same, and changes don't starve it.
func TestPacerReachesItsRate(t *testing.T) {
	for _, change := range []bool{false, true} {
		var p pacer
		p.set(20*ms, 2, 0)
		calls := 0
		for now := int64(0); now <= 10_000*ms; now += ms {
			if p.eligible() <= now {
				p.take(now)
				calls++
			}
			if change { // 50/s and 25/s in turns
				p.set([]int64{20 * ms, 40 * ms}[now/ms%2], 2, now)
			} else {
				p.set(20*ms, 2, now)
			}
		}
		want := 500
		if change {
			want = 375
		}
		if calls < want*98/100 || calls > want+2 {
			t.Errorf("change %v: %d calls in 10 s, want %d", change, calls, want)
		}
	}
}

func TestPacerStaysInsideInt64(t *testing.T) {
	const now = int64(1) << 61 // a clock in the year 2043
	for _, r := range []Rate{{1, math.MaxInt64}, {math.MaxInt64, 1}, {1, 1}, {math.MaxInt64, math.MaxInt64}} {
		for _, burst := range []int64{1, 2, math.MaxInt64} {
			var p pacer
			p.set(r.interval(), burst, now)
			p.set(r.interval()/2+1, burst, now+1)
			for range 3 {
				p.take(now)
				if p.tat < now {
					t.Errorf("%v, burst %d: tat %d", r, burst, p.tat)
				}
			}
		}
	}
	l := Limits{}.compensation(Limits{Rate: Rate{1, math.MaxInt64}})
	if l.Rate.interval() <= 0 {
		t.Errorf("a fifth of the slowest rate is %v", l.Rate)
	}
}

func FuzzScale(f *testing.F) {
	f.Add(int64(1), int64(1), int64(1))
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64), int64(1))
	f.Fuzz(func(t *testing.T, n, num, den int64) {
		if n < 0 || num < 0 || den <= 0 {
			return // no rate has such a part
		}
		want := new(big.Int).Mul(big.NewInt(n), big.NewInt(num))
		want.Add(want, big.NewInt(den-1)).Div(want, big.NewInt(den))
		if want.Cmp(big.NewInt(longest)) > 0 {
			want.SetInt64(longest)
		}
		if got := scale(n, num, den); got != want.Int64() {
			t.Errorf("scale(%d, %d, %d) = %d, want %d", n, num, den, got, want)
		}
	})
}
