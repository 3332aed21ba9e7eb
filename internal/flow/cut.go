package flow

import "github.com/unwindhq/unwind/internal/planted"

// taken is the rate at which the service took calls of late.
func (a *adaptive) taken(now int64) int64 {
	n := int64(0)
	for n < min(a.count, remembered) && (n < tellingCalls || now-a.times[(a.count-1-n)%remembered] <= tellingTime) {
		n++
	}
	if n < tellingCalls {
		return a.rate
	}
	// The refusal stands for the call that the first one leaves out.
	return scale(n*perCall, second, max(1, now-a.times[(a.count-n)%remembered]))
}

// throttled takes in a refusal of the call with the given number; last is that
// of the last grant, and closed for how long the service asked everybody to
// wait. A service that is down has a gate, and is cut once: it counts no windows.
// It returns how long nothing may be sent, in ns.
func (a *adaptive) throttled(number, last uint64, down bool, closed, now int64) (hold int64) {
	if a.streak++; a.streak == 1 {
		a.high = a.rate
	}
	if number <= a.mark && !planted.On(planted.CutAlways) {
		return 0
	}
	if down && a.mark > 0 && a.accepted == 0 {
		return 0
	}
	if a.mark > 0 && a.accepted == 0 && (a.streak > chance || !a.seek && (!a.shallow || a.streak > shallowStreak)) && !planted.On(planted.CutAlways) {
		// Nothing got through since the cut: not a rate that is too high, but
		// a window that is used up.
		if a.refusedAt == 0 {
			a.refusedAt = now
		}
		a.held = min(max(2*a.held, 2*interval(a.rate), heldLeast, a.window/16), max(heldMost, (now-a.refusedAt)/10))
		a.mark, a.until = last, now+max(a.held, closed)
		return a.held
	}
	if closed > 0 {
		a.refusedAt, a.until = now, now+closed
	}
	seen, sharp := a.taken(now), now-a.since < collapse && a.mark > 0 && !down
	if sharp { // the bucket was empty all the time
		seen = scale(a.got*perCall, second, max(1, now-a.since))
	} else {
		a.top = a.rate
	}
	if sharp && a.shallow && !a.doubt && !a.slow && a.was == 0 {
		// Two calls that came too soon, or a fall? The next one tells, by what was
		// taken since the first.
		a.doubt = true
		a.uneven()
		a.age, a.excess, a.accepted, a.mark = 0, 0, 0, last
		return 0
	}
	early := a.early
	a.doubt, a.early = false, false
	switch {
	case a.base > 0: // it is not back
		a.rate = a.base
		if a.got >= foundCalls {
			a.peak = min(a.was, scale(a.got*perCall, second, max(1, now-a.since)))
			a.rate = a.peak * sure / 100
		}
		a.base, a.slow = 0, false
	case a.slow:
		a.peak = a.rate
		a.shallow, a.edge, a.careful = false, 0, false
		if a.mark == 0 && a.got >= foundCalls {
			a.edge = a.rate * shallowEdge / 100
			a.early = a.got < earlyCalls
		}
		a.rate = a.rate * overshot / 100
		a.slow, a.seek, a.top = false, true, 0
	case sharp:
		floor := int64(fall)
		if a.seek && a.streak <= searchStreak {
			floor = overshot
		}
		a.peak = max(a.rate*floor/100, min(a.rate, seen))
		a.rate = a.peak * keep / 100
		if a.seek = a.seek && a.got < foundCalls; early && a.got < againCalls {
			a.beCareful(now)
		}
		if a.rate < a.top*fallen/100 && a.was == 0 {
			a.was, a.wait, a.quiet, a.seek = a.top, retryFirst, 0, false
		}
	case a.seek && a.edge > 0 && a.rate > a.edge:
		a.shallow, a.peak = true, a.rate
		a.uneven()
	case a.shallow && !a.seek && a.excess < shallowCalls:
		a.uneven()
	default:
		a.shallow = false
		high := a.rate
		a.rate = min(a.rate, seen)
		a.peak = a.borne(a.rate)
		a.rate = min(a.rate*keep, a.peak*sure) / 100
		if a.careful && a.seek {
			a.peak = min(a.peak, high*carefulEdge/100)
			a.rate = min(a.rate, a.peak*keep/100)
		}
		a.rough, a.seek = a.seek, false
	}
	if !a.seek && a.peak >= a.was*fallen/100 {
		a.was = 0
	}
	a.rate = min(max(a.rate, slowest), a.limit)
	a.depth = max(0, a.peak-a.rate)
	a.age, a.excess, a.accepted, a.got, a.mark, a.since = 0, 0, 0, 0, last, now
	a.due, a.used = 0, 0
	return 0
}

// borne is the peak where what was taken of late says so much: less, because a bucket gave
// what it had saved up. It was empty at both ends of the epoch, so what was taken
// between them came in, and no more than that was lost to a bucket that was full: nothing
// in a short epoch, and a long one is met halfway. Where the two are far apart the
// capacity has changed meanwhile.
func (a *adaptive) borne(late int64) int64 {
	if a.mark == 0 || a.got < tellingCalls {
		return late
	}
	switch whole := min(late, scale(a.due, second, max(1, a.used))); {
	case a.got < shortCalls:
		return whole
	case whole > late*changed/100:
		return (late + whole) / 2
	}
	return late
}

// uneven cuts the rate for a call that came too soon after the one before.
func (a *adaptive) uneven() {
	a.peak += (a.rate - a.peak) / shallowPart
	a.rate = a.rate * shallowKeep / 100
	a.depth = max(0, a.peak-a.rate)
	a.rough, a.seek = false, false
}

// resumed ends a time in which everything was refused. Where it was long, the
// service counts calls in windows: what it took in the whole cycle is its rate.
func (a *adaptive) resumed(now int64) {
	refused := max(0, min(now, a.until+second)-a.refusedAt)
	a.refusedAt, a.held = 0, 0
	a.cycle += refused
	long := refused >= refusedLeast && refused >= a.cycle/refusedShare
	if long && a.took < foundCalls && a.window == 0 {
		// So few tell of no rate: it is found anew, and the next time tells of a window.
		a.window = min(a.cycle, windowMost)
		a.rate = max(slowest, a.rate/2)
		a.slow, a.seek, a.was, a.base, a.excess = true, false, 0, 0, 0
	} else if long {
		a.window = min(a.cycle, windowMost)
		a.rate = min(a.high, max(slowest, scale(a.took*perCall, second, a.cycle)))
		a.peak, a.age, a.excess = a.rate, a.window, 0
		a.seek, a.was, a.base = false, 0, 0
	} else if a.window == 0 {
		left := int64(50)
		if a.seek {
			left = overshot
		}
		a.rate = max(slowest, a.rate*left/100)
		a.depth = max(0, a.peak-a.rate)
	}
	a.cycle, a.took = 0, 0
}
