package flow

// A fall of capacity: the lane holds what it measured, and tries for what it had by slow
// start. A refusal of what it holds is answered as one in a climb.

// fell begins a fall with a cut that leaves much less than the rate was before the first of several.
func (a *adaptive) fell() {
	a.was, a.wait, a.quiet, a.seek = a.top, retryFirst, 0, false
}

// fallenOn begins a trial when it is time.
func (a *adaptive) fallenOn(used int64) {
	if a.quiet += used; a.quiet < a.wait {
		return
	}
	a.base, a.slow, a.excess, a.quiet = a.rate, true, 0, 0
	a.wait = a.wait * retryMore / 100
}

// trialRefused goes back to what held before the trial: it is not back yet. Where it took
// enough calls it has measured the rate again.
func (a *adaptive) trialRefused(r refusal) {
	a.rate = a.base
	if a.got >= foundCalls {
		a.peak = min(a.was, a.mean(r.now))
		a.rate = a.peak * sure / 100
	}
	a.base, a.slow = 0, false
}

// regained ends a fall: what was borne before it need not be found anew.
func (a *adaptive) regained() {
	a.slow, a.rate, a.peak, a.age, a.excess = false, a.was*keep/100, a.was, 0, 0
	a.depth, a.base, a.was = a.peak-a.rate, 0, 0
}
