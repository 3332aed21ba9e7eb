package sim

import (
	"fmt"
	"strings"

	"github.com/unwindhq/unwind/sagatest/history"
)

// A Result is what came of one schedule.
type Result struct {
	Violations []history.Violation
	Events     int
	Faults     Counts
	// Ended: everything came to rest.
	Ended bool
}

// Failed reports whether a promise was broken.
func (r *Result) Failed() bool { return len(r.Violations) > 0 }

// Run runs a schedule and judges it. The same schedule gives the same result.
func Run(s *Schedule) Result { return run(s, nil) }

// Trace runs a schedule and returns its last decisions as well.
func Trace(s *Schedule, last int) (Result, []string) {
	t := &tracer{last: last}
	r := run(s, t)
	return r, t.lines
}

func run(s *Schedule, t *tracer) Result {
	w := newWorld(s, t)
	w.run()
	return Result{Violations: w.verdict(), Events: w.count, Faults: w.counts, Ended: w.ended}
}

// A tracer keeps the last lines of a trace.
type tracer struct {
	last  int
	lines []string
}

func (w *world) tracef(format string, args ...any) {
	t := w.trace
	if t == nil {
		return
	}
	if len(t.lines) >= 2*t.last {
		t.lines = append(t.lines[:0], t.lines[len(t.lines)-t.last:]...)
	}
	t.lines = append(t.lines, fmt.Sprintf("%6d %10.3fms  ", w.count, float64(w.now)/1000)+strings.TrimRight(fmt.Sprintf(format, args...), "\n"))
}
