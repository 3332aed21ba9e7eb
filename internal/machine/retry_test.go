package machine

import (
	"math"
	"testing"
)

func TestARetryAfterIsSpreadOverTheSecondAfterIt(t *testing.T) {
	for _, c := range []struct {
		hint        Micros
		rand        uint64
		least, most Micros
	}{
		{0, math.MaxUint64, 0, 0},
		{-5, math.MaxUint64, 0, 0},
		{1_000_000, 0, 1_000_000, 1_000_000},
		{1_000_000, math.MaxUint64 / 2, 1_499_999, 1_500_000},
		{300_000_000, math.MaxUint64, 300_999_999, 301_000_000},
	} {
		if got := hinted(c.hint, c.rand); got < c.least || got > c.most {
			t.Errorf("hinted(%d, %x) = %d; want %d to %d", c.hint, c.rand, got, c.least, c.most)
		}
	}
}
