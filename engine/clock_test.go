package engine

import (
	"testing"

	"github.com/unwindhq/unwind/internal/machine"
)

// A clock that is ahead loses a tenth of the time, never goes back, and ends as the
// wall clock.
func TestAClockThatIsAheadWorksItOff(t *testing.T) {
	const second = 1_000_000
	c := clock{wall: 1000 * second, ahead: 60 * second}
	before := c.after(0)
	if before != 1060*second {
		t.Fatalf("it begins at %d", before)
	}
	for passed := int64(second); passed <= 700*second; passed += second {
		now := c.after(passed)
		if gone := now - before; gone < second*9/10 || gone > second {
			t.Fatalf("after %d s a second lasts %d µs", passed/second, gone)
		}
		if before = now; passed >= 600*second && now != machine.Micros(c.wall+passed) {
			t.Fatalf("after %d s it is ahead by %d µs", passed/second, now-machine.Micros(c.wall+passed))
		}
	}
}
