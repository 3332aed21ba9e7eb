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

// The constants of the law, see docs/decisions/0015-adaptive-rate.md.
const (
	// keep is what a cut leaves, in tenths.
	keep = 9
	// doubling divides the time used by slow start: the rate doubles in 0.7 of it.
	doubling = second
	// climb is how long the way back to the peak takes.
	climb = 7 * second / 2
	// boundless is how far beyond its peak, in thousandths of the climb, the
	// rate may be before it grows as in slow start again: the service has more
	// to give than it had.
	boundless = 1000
	// spare is how many calls more than at the peak it must have taken by then:
	// more than a bucket gives at once.
	spare = 4 * perCall
	// pause is what the network may put between two answers, beyond their pace,
	// before the lane counts as idle.
	pause = 10 * second / 1000
	// Two cuts within collapse are one fall of capacity.
	collapse = second
	// A second cut within that leaves this much at least, in hundredths.
	fall = 50
	// telling is the rate from which on a second is long enough to judge by.
	telling = 8 * perCall
	// half a call is what a count of whole calls misses on average.
	half = perCall / 2
	// refusedLeast is from when on a refusal of everything tells of a window.
	refusedLeast = second / 2
	// refusedShare: and then it is no less than this part of the window.
	refusedShare = 32
	// While everything is refused one call goes at a time, after heldLeast at
	// first, doubled up to heldMost or a tenth of what it lasts already.
	heldLeast = second * 3 / 20
	heldMost  = second
	// windowMost is the longest window that slows the growth.
	windowMost = 3600 * second
)

// adaptive finds the rate that a service bears: it grows with every call that
// is accepted and is cut by one that is throttled. The growth is that of CUBIC
// (RFC 9438) with a share of the peak in place of the segments: back to the
// rate before the cut in a concave curve, past it in a convex one.
//
// Only time in use counts: a lane with nothing to send learns nothing.
type adaptive struct {
	on    bool
	slow  bool  // slow start
	rate  int64 // now
	limit int64 // never above
	last  int64 // time of the last accepted answer

	// Of the epoch, which begins with a cut.
	peak     int64  // what the rate climbs back to
	depth    int64  // how far below the peak it began
	age      int64  // ns in use
	excess   int64  // what was taken above the peak, in millionths of a call
	since    int64  // when it began
	mark     uint64 // grants up to this number were made before it
	accepted int    // calls of it

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
		*a = adaptive{on: true, slow: true, rate: firstRate}
	}
	a.on, a.limit = on, limit
	a.rate = min(a.rate, limit)
}

// worked lets the rate grow by one accepted call.
func (a *adaptive) worked(number uint64, now int64) {
	used := max(0, now-a.last)
	if used > 2*interval(a.rate)+pause {
		used = 0
	}
	a.last = now
	a.took++
	a.cycle += used
	if number <= a.mark {
		return
	}
	a.accepted++
	switch {
	case a.refusedAt != 0:
		a.resumed(now)
	case a.slow:
		a.rate += scale(a.rate, used, doubling)
	case planted.On(planted.CutForever):
	default:
		a.grow(used)
	}
	a.rate = min(a.rate, a.limit)
}

// grow moves along the curve.
func (a *adaptive) grow(used int64) {
	k := max(climb, a.window)
	a.age = min(a.age+used, 8*k)
	x := min((a.age-k)*1000/k, 4*boundless)
	reach := a.peak / 12
	if x < 0 {
		reach = a.depth
	}
	a.rate = max(a.rate, a.peak+reach/1000*(x*x/1000*x/1000))
	a.excess += scale(max(0, a.rate-a.peak), used, second)
	far := int64(boundless)
	if a.window > 0 {
		far *= 2
	}
	if x >= far && a.excess >= spare {
		a.slow, a.window = true, 0
	}
}

// resumed ends a time in which everything was refused. Where it was long, the
// service counts calls in windows: what it took in the whole cycle is its rate.
func (a *adaptive) resumed(now int64) {
	refused := max(0, min(now, a.until+second)-a.refusedAt)
	a.refusedAt, a.held = 0, 0
	a.cycle += refused
	if refused >= refusedLeast && refused >= a.cycle/refusedShare {
		a.window = min(a.cycle, windowMost)
		a.rate = min(a.rate, max(slowest, scale(a.took*perCall, second, a.cycle)))
		a.peak, a.age, a.excess = a.rate, a.window, 0
	} else if a.window == 0 {
		a.rate = max(slowest, a.rate*fall/100)
		a.depth = max(0, a.peak-a.rate)
	}
	a.cycle, a.took = 0, 0
}

// throttled takes in a refusal of the call with the given number; last is that
// of the last grant, took what the service accepted in the last second, and
// closed for how long it asked everybody to wait. It returns how long nothing
// may be sent, in ns.
func (a *adaptive) throttled(number, last uint64, took, closed, now int64) (hold int64) {
	if number <= a.mark && !planted.On(planted.CutAlways) {
		return 0
	}
	if a.mark > 0 && a.accepted == 0 && !planted.On(planted.CutAlways) {
		// Nothing got through since the cut: not a rate that is too high, but
		// a window that is used up.
		if a.refusedAt == 0 {
			a.refusedAt = now
		}
		a.held = min(max(2*a.held, 2*interval(a.rate), heldLeast, a.window/32), max(heldMost, (now-a.refusedAt)/10))
		a.mark, a.until = last, now+max(a.held, closed)
		return a.held
	}
	if closed > 0 {
		a.refusedAt, a.until = now, now+closed
	}
	seen := a.rate
	if a.rate >= telling {
		seen = max(took*perCall, a.rate*fall/100)
	}
	switch {
	case now-a.since < collapse && a.mark > 0:
		cut := min(a.rate*keep/10, seen+half)
		a.peak = (a.rate + cut) / 2
		a.rate = cut
	case a.slow:
		a.peak = a.rate
		a.rate = min(a.rate*keep/10, seen+half)
	default:
		a.peak = min(a.rate, seen+half)
		a.rate = min(a.rate, seen) * keep / 10
	}
	a.rate = min(max(a.rate, slowest), a.limit)
	a.depth = max(0, a.peak-a.rate)
	a.slow, a.age, a.excess, a.accepted, a.mark, a.since = false, 0, 0, 0, last, now
	return 0
}
