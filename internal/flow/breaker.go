package flow

import (
	"math/bits"
	"time"

	"github.com/unwindhq/unwind/internal/planted"
)

// Breaker says when a lane stops because its service fails: answers 5xx, or
// none. A 429 or a 503 is no failure. The zero value is no breaker; else a zero
// field takes its default.
type Breaker struct {
	Failures float64 // share of the last 64 answers, above 0, at most 1; defaults to 0.5
	Minimum  int     // answers to judge by, at most 64; defaults to 10
	Open     int64   // ns until the first probe; defaults to 30 s
}

// Defaults of what a Breaker leaves unset.
const (
	DefaultFailures = 0.5
	DefaultMinimum  = 10
	DefaultOpen     = int64(30 * time.Second)
	// OpenCap, in ns, bounds the time from probe to probe, which gets longer, unless
	// Breaker.Open or the service asks for more.
	OpenCap = int64(time.Minute)
)

// BreakerMode says who decides whether a breaker is open. The zero value is
// BreakerAuto.
type BreakerMode uint8

const (
	// BreakerAuto: the answers decide.
	BreakerAuto BreakerMode = iota
	// BreakerOpen: an operator holds it open. Nothing goes but what SendNow lets.
	BreakerOpen
	// BreakerClosed: an operator holds it closed. Nothing is counted.
	BreakerClosed
)

// BreakerState is where a breaker stands. The zero value is BreakerShut.
type BreakerState uint8

const (
	// BreakerShut: closed, calls go.
	BreakerShut BreakerState = iota
	// BreakerTripped: open, nothing goes.
	BreakerTripped
	// BreakerHalfOpen: a probe may go, or is out.
	BreakerHalfOpen
)

func (s BreakerState) String() string { return [...]string{"closed", "open", "half_open"}[s] }

const (
	// breakerMemory is how many answers are judged at most: one word.
	breakerMemory = 64
	// breakerStale, in ns: an answer after a longer silence begins anew.
	breakerStale = int64(time.Minute)
	// rampSteps of rampEvery each lead from a tenth of the last good rate to it.
	// A short failure needs no long ramp: a step takes a rampPart-th of it at most.
	rampSteps = 10
	rampEvery = second / 5
	rampPart  = 80
	// So many probes go after the first wait each. From then on each waits a fourth
	// longer than the one before, which is a fourth of the time that it is open.
	evenProbes = 4
)

// breaker is closed, or open: then it lets one probe go at a time, from until
// on. It closes with a ramp.
type breaker struct {
	config Breaker
	mode   BreakerMode
	open   bool
	since  int64 // when it last opened or closed; 0: never
	until  int64
	opens  int    // in a row, without a ramp that was finished
	mark   uint64 // answers to grants up to this number say nothing any more

	history uint64 // the last answers, a bit each: failed
	n       int    // of them
	last    int64  // time of the last

	lasted int64 // how long it was open the last time, ns
	good   int64 // the last good rate, millionths of a call per second
	step   int   // of the ramp; 0: none
	stepAt int64
}

func (b Breaker) resolved() Breaker {
	if b == (Breaker{}) {
		return b
	}
	if !(b.Failures > 0) {
		b.Failures = DefaultFailures
	}
	if b.Minimum <= 0 {
		b.Minimum = DefaultMinimum
	}
	if b.Open <= 0 {
		b.Open = DefaultOpen
	}
	b.Failures, b.Minimum, b.Open = min(b.Failures, 1), min(b.Minimum, breakerMemory), min(b.Open, longest)
	return b
}

// configure applies the configuration. Without one a breaker is closed, but for an operator.
func (b *breaker) configure(c Breaker) {
	if b.config = c.resolved(); b.config == (Breaker{}) {
		*b = breaker{mode: b.mode, since: b.since, mark: b.mark}
	}
}

// probes reports whether the next call is a probe.
func (b *breaker) probes() bool {
	return b.mode == BreakerOpen || b.mode == BreakerAuto && b.open
}

func (b *breaker) state(now int64) BreakerState {
	switch {
	case !b.probes():
		return BreakerShut
	case b.holds() || b.eligible() > now:
		return BreakerTripped
	}
	return BreakerHalfOpen
}

// holds reports whether nothing goes but what SendNow lets.
func (b *breaker) holds() bool { return b.mode == BreakerOpen && !planted.On(planted.IgnoreOpen) }

// eligible returns the time from which it lets a call go.
func (b *breaker) eligible() int64 {
	if b.mode == BreakerAuto && b.open {
		return b.until
	}
	return 0
}

// counts reports whether the answer to a grant says something.
func (b *breaker) counts(g Grant) bool {
	if b.config == (Breaker{}) || b.mode != BreakerAuto {
		return false
	}
	return g.number > b.mark && (g.Probe || !b.open) || planted.On(planted.LateCloses)
}

// failed counts a failure and reports whether it opened the breaker. A probe
// that failed keeps it open for longer.
func (b *breaker) failed(g Grant, f *Feedback, last uint64, good, now int64) (opened bool) {
	if !b.counts(g) {
		return false
	}
	if !b.open {
		b.record(1, now)
		failures := bits.OnesCount64(b.history)
		if b.n < b.config.Minimum || float64(failures) < b.config.Failures*float64(b.n) {
			return false
		}
		if b.step == 0 {
			b.good = good
		}
		opened, b.since = true, now
	}
	b.open, b.step, b.mark = true, 0, last
	b.until = now + max(b.wait(f.Rand), f.Hint)
	b.opens++
	return opened
}

// wait returns how long it is open: longer each time, and up to a fifth less,
// so that not all lanes and nodes probe at once.
func (b *breaker) wait(random uint64) int64 {
	w := b.config.Open
	for range max(0, b.opens-evenProbes) {
		if w = w * 5 / 4; w >= OpenCap {
			break
		}
	}
	w = min(w, max(OpenCap, b.config.Open))
	return w - int64(random%uint64(w/5+1))
}

// worked counts a success and reports whether it closed the breaker.
func (b *breaker) worked(g Grant, last uint64, now int64) (closed bool) {
	if !b.counts(g) {
		return false
	}
	if b.open {
		b.lasted = now - b.since
		b.open, b.mark, b.history, b.n, b.since = false, last, 0, 0, now
		if b.step, b.stepAt = 1, now; planted.On(planted.SkipRamp) {
			b.step = 0
		}
		return true
	}
	b.record(0, now)
	if b.step > 0 && now-b.stepAt >= b.stepTime() {
		if b.step, b.stepAt = b.step+1, now; b.step == rampSteps {
			b.step, b.opens = 0, 0
		}
	}
	return false
}

func (b *breaker) record(failed uint64, now int64) {
	if now-b.last > breakerStale {
		b.history, b.n = 0, 0
	}
	b.last = now
	b.history = b.history<<1 | failed
	if b.n < breakerMemory {
		b.n++
	}
}

// stepTime is how long a step of the ramp takes.
func (b *breaker) stepTime() int64 { return min(rampEvery, b.lasted/rampPart) }

// interval returns the ns from call to call while the ramp lasts, else 0.
func (b *breaker) interval() int64 {
	if b.step == 0 || b.mode != BreakerAuto {
		return 0
	}
	return interval(max(slowest, b.good/rampSteps*int64(b.step)))
}

// SetBreaker gives an operator's word on a target's breaker. A breaker that is
// let go takes up its ramp or its probes; one that is held closed forgets its
// failures. No burst follows.
func (s *Scheduler) SetBreaker(name Target, mode BreakerMode, now int64) {
	t := s.target(name, now)
	b := &t.breaker
	if mode == b.mode {
		return
	}
	probed := b.probes()
	if mode == BreakerClosed {
		*b = breaker{config: b.config, good: b.good, since: b.since}
	}
	if b.mode, b.mark = mode, s.grants; b.probes() != probed {
		b.since = now
		s.note(t)
	}
	t.hushed = true
	t.repace(now)
	s.refresh(t, now)
}
