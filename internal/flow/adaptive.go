package flow

import "github.com/unwindhq/unwind/internal/planted"

// Rates are kept in millionths of a call per second, so that all of this is
// integer arithmetic and the same on every platform.
const (
	perCall = int64(1_000_000)
	// fastest stands for no limit: a million calls per second.
	fastest = perCall * 1_000_000
	// slowest is as far down as cuts go, unless the limit is below it: a call
	// in ten seconds.
	slowest = perCall / 10
	// firstRate is where slow start begins, as in a lane without a forward rate.
	firstRate = perCall * DefaultCompensationRate
)

// adaptive finds the rate that a service bears: it grows with every call that
// is accepted and is cut by one that is throttled. The growth is that of CUBIC
// (RFC 9438) with a share of the peak in place of the segments: back to the
// rate before the cut in a concave curve, past it in a convex one.
//
// Only time in use counts: a lane with nothing to send learns nothing.
//
// A lane is in one of these; worked and throttled take it from one to the next, and
// each has a file with what an accepted call and what a refusal does to it.
//
//	slow start  slow       from cold, far beyond a peak, or as a trial (base) after a fall
//	search      seek       after slow start; a careful lane searches far beyond a peak too
//	climb       neither    along the curve, after what ended a search and every later cut
//	fallen      was        holds what it measured, and tries for what it had from time to time
//	refused     refusedAt  nothing gets through: one call at a time, until one does
type adaptive struct {
	on      bool
	slow    bool              // slow start
	seek    bool              // the search for the peak, after slow start or a fall
	rough   bool              // the peak is what the search found
	shallow bool              // the service saves nothing up
	doubt   bool              // of that: it was refused twice within a second
	edge    int64             // refused above it, the search has found a shallow one; 0: it can't tell
	early   bool              // the only refusal so far came early
	careful bool              // the service has little to give
	rate    int64             // now
	limit   int64             // never above
	last    int64             // time of the last accepted answer
	times   [remembered]int64 // of the last calls that were taken
	count   int64             // of them, ever
	trip    int64             // what calls take, ns

	// Of the epoch, which begins with a cut.
	peak     int64  // what the rate climbs back to
	depth    int64  // how far below the peak it began
	age      int64  // ns in use
	excess   int64  // what was taken above the peak, in millionths of a call
	since    int64  // when it began
	mark     uint64 // grants up to this number were made before it
	accepted int    // calls of it
	got      int64  // calls that were accepted meanwhile, of any
	due      int64  // what the rate came to meanwhile, in millionths of a call
	used     int64  // ns in use meanwhile
	streak   int    // refusals in a row, of any
	high     int64  // the rate before the first of them

	// After a fall of capacity.
	top   int64 // the rate before the first of several cuts
	was   int64 // the rate before it; 0: there was none, or it is back
	base  int64 // while it is tried for: the rate that holds otherwise; 0: it is not
	wait  int64 // from trial to trial, ns in use
	quiet int64 // since the last one, ns in use

	vain vain // whether cuts help

	// Of the cycle, which begins when a refusal of everything ends.
	cycle     int64 // ns in use or refused
	took      int64 // calls
	refusedAt int64 // 0: not everything is refused
	held      int64 // the last hold, ns
	until     int64 // nothing was sent before, for a refusal
	window    int64 // the last cycle that a window ended, ns; 0: no window seen
}

// micros returns a rate in millionths of a call per second.
func (r Rate) micros() int64 {
	if r.N <= 0 {
		return fastest
	}
	return max(1, min(fastest, scale(second, perCall, r.interval())))
}

// interval returns the ns from call to call, rounded up.
func interval(rate int64) int64 { return scale(second, perCall, max(1, rate)) }

// interval returns the ns from call to call. While everything is refused one
// call goes at a time.
func (a *adaptive) interval() int64 {
	if a.refusedAt != 0 {
		return max(interval(a.rate), a.held)
	}
	return interval(a.rate)
}

// limited sets the configured limit, at start and live.
func (a *adaptive) limited(on bool, limit int64) {
	if on && !a.on {
		*a = adaptive{on: true, slow: true, rate: max(firstRate, limit/firstShare)}
		if limit == fastest {
			a.rate = firstRate
		}
	}
	a.on, a.limit = on, limit
	a.rate = min(a.rate, limit)
}

// worked lets the rate grow by one accepted call.
func (a *adaptive) worked(number uint64, ending bool, trip, now int64) {
	used := max(0, now-a.last)
	if used > 2*interval(a.rate)+pause {
		used = 0
	}
	a.last = now
	a.counts(now)
	a.took++
	a.streak = 0
	a.vain.answered(false)
	a.cycle += used
	a.due = min(a.due+scale(a.rate, used, second), longest)
	a.used += used
	if number <= a.mark {
		return
	}
	a.accepted++
	switch {
	case a.refusedAt != 0:
		a.resumed(now)
	case ending && a.peak > 0:
		if !a.slow || a.base > 0 { // slow start has left an old peak behind
			a.rate = min(a.rate, a.peak*sure/100)
		}
	case a.slow:
		a.slowOn(used, trip)
	case a.seek:
		a.seekOn(used)
	case planted.On(planted.CutForever):
	case a.was > 0:
		a.fallenOn(used)
	default:
		a.grow(used)
	}
	a.rate = min(a.rate, a.limit)
}
