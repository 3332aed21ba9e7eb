package flow

import "github.com/unwindhq/unwind/internal/planted"

// A fall of capacity: the lane holds what it measured, and tries for what it had by slow
// start. A refusal of what it holds is answered as one in a climb.

// fell begins a fall with a cut that leaves much less than the rate was before the first of
// several. Little less than what was measured is held: what isn't called for is saved up by the
// service, and a trial gets it all at once.
func (a *adaptive) fell() {
	a.was, a.wait, a.quiet, a.seek = a.top, retryFirst, 0, false
	if !a.shallow {
		a.rate = a.peak * sure / 100
	}
}

// fallenOn begins a trial when it is time.
func (a *adaptive) fallenOn(used int64) {
	if a.quiet += used; a.quiet < a.wait {
		return
	}
	a.base, a.slow, a.excess, a.quiet = a.rate, true, 0, 0
	a.wait = a.wait * retryMore / 100
}

// trialOn ends the fall once the rate before it is reached and so much more was taken than
// what holds that it can't have been saved up.
func (a *adaptive) trialOn() {
	back := min(a.was*keep/100, a.limit)
	if a.rate < back {
		return
	}
	a.rate = back
	if a.excess >= spare {
		a.regained()
	}
}

// trialRefused goes back to what held before the trial: it is not back yet. Where it took
// enough calls it has measured the rate again. One that took more than was saved up has found
// more than held, and that ends like any slow start.
func (a *adaptive) trialRefused(r refusal) {
	if a.excess >= spare {
		a.base = 0
		a.slowRefused()
		return
	}
	a.rate = a.base
	if a.got >= foundCalls {
		a.peak = min(a.was, a.mean(r.now))
		a.rate = a.peak * sure / 100
	}
	a.base, a.slow = 0, false
}

// regained ends a fall: what was borne before it need not be found anew, and what was taken
// during it tells nothing of that.
func (a *adaptive) regained() {
	a.slow, a.rate, a.peak, a.age, a.excess = false, a.was*keep/100, a.was, 0, 0
	a.depth, a.base, a.was = a.peak-a.rate, 0, 0
	if !planted.On(planted.FallMeasured) {
		a.got, a.due, a.used = 0, 0, 0
	}
}
