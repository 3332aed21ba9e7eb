package engine

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
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

func TestAReadingOfTheClockThatIsDamagedIsWarnedOf(t *testing.T) {
	var log bytes.Buffer
	e := &Engine{cfg: Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, clock: newClock(time.Unix(1000, 0))}
	e.carryOn([]store.FlowState{{Scope: node.ScopeClock, Body: []byte("damaged")}})
	if text := log.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "check that it was not set back") || !strings.Contains(text, errReading.Error()) {
		t.Errorf("the log is %q", text)
	}
	if e.clock.ahead != 0 {
		t.Errorf("it goes on ahead by %d", e.clock.ahead)
	}
}
