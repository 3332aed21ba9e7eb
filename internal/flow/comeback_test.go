package flow

import (
	"testing"
	"time"
)

// refusing answers each every-th call with a 429 until a time, whatever its bucket holds.
type refusing struct {
	tokens
	until    int64
	every, n int
}

func (r *refusing) take(at int64) (bool, int64) {
	if r.n++; at < r.until && r.n%r.every == 0 {
		return false, second
	}
	return r.tokens.take(at)
}

// What was refused for a while, all of it or a half, has cut the lane to next to nothing. It
// is back soon after that is over.
func TestALaneThatWasCutToNothingComesBack(t *testing.T) {
	for _, c := range []struct {
		name         string
		every        int
		over, within int64
	}{
		{"all for 10 s", 1, 10 * second, 25},
		{"all for a minute", 1, 60 * second, 25},
		{"every other for a minute", 2, 60 * second, 200},
	} {
		for seed := range uint64(3) {
			st := storm{rtt: 5 * time.Millisecond, jitter: time.Millisecond, noHint: seed > 0, limits: unknown, length: 6 * time.Minute, seed: seed}
			st.gateway = &refusing{tokens: *full(6, 0)().(*tokens), until: c.over, every: c.every}
			o := st.run(t)
			took := o.until(c.over, func(at int) bool { return o.perSecond[at] >= 40 })
			if t.Logf("%-26s 40/s of 50/s after %.0f s", c.name, took); took > float64(c.within) {
				t.Errorf("%s: want 40/s after %d s", c.name, c.within)
			}
		}
	}
}
