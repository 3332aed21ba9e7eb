package engine

import (
	"time"

	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// A clock gives microseconds since the Unix epoch that never go back: the wall
// clock of the start, moved on by the monotonic clock. Where the wall clock was set
// back while no process ran, it goes on from where the last one left it, ahead of the
// wall clock, and works that off: otherwise every time that is in the store, of a
// delay, a retry or a deadline, would be further away by what the clock was set back.
type clock struct {
	wall  int64 // at the start, µs
	ahead int64 // at the start, µs
	start time.Time
}

const (
	// A clock that is ahead goes slower by a tenth: an hour is worked off in ten, and
	// a wait is longer by a ninth meanwhile.
	slower = 10
	// carryMost, in µs, is how far ahead a clock may be. What was written further
	// ahead was written under a date that was wrong.
	carryMost = 24 * 3600 * 1_000_000
	// readEvery, in µs, is how often a reading is written beside what is written anyway.
	readEvery = 1_000_000
)

func newClock(wall time.Time) clock { return clock{wall: wall.UnixMicro(), start: time.Now()} }

func (c clock) now() machine.Micros { return c.after(time.Since(c.start).Microseconds()) }

func (c clock) after(passed int64) machine.Micros {
	return machine.Micros(c.wall + passed + max(c.ahead-passed/slower, 0))
}

// carryOn lets the clock go on from the last reading, if that is ahead of it.
func (e *Engine) carryOn(rows []store.FlowState) {
	for i := range rows {
		if rows[i].Scope != node.ScopeClock {
			continue
		}
		now := e.reading()
		then, _, err := cutReading(rows[i].Body)
		if err != nil {
			e.cfg.Logger.Warn("what the clock said when the last process wrote can't be read; the engine goes by the wall clock: check that it was not set back since, or delays, retries and deadlines come later by as much", "error", err)
			continue
		}
		ahead := -int64(now.set(then))
		switch {
		case ahead > carryMost:
			e.cfg.Logger.Warn("the clock was set back by more than a day since the last process; times that it wrote stay where they are", "by", time.Duration(ahead)*time.Microsecond)
		case ahead > 0:
			e.clock.ahead = ahead
			if ahead > readEvery {
				e.cfg.Logger.Warn("the clock was set back since the last process; the engine's own goes on ahead of it, slower by a tenth until they agree", "ahead", time.Duration(ahead)*time.Microsecond)
			}
		}
	}
}
