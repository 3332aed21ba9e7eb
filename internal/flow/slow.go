package flow

// Slow start: the rate is multiplied by e in some round trips, until the first refusal.

// slowOn takes slow start on, up to what was borne before a fall.
func (a *adaptive) slowOn(used, trip int64) {
	a.rate += scale(a.rate, used, min(max(trips*trip, fastestStart), slowestStart))
	a.excess += scale(max(0, a.rate-a.base), used, second)
	if a.was > 0 {
		a.trialOn()
	}
}

// slowRefused ends slow start; the search goes on from there. Only the first one
// of a lane tells of a shallow service, and of one that has little to give.
func (a *adaptive) slowRefused() {
	a.peak = a.rate
	a.shallow, a.edge, a.careful = false, 0, false
	if a.mark == 0 && a.got >= foundCalls {
		a.edge = a.rate * shallowEdge / 100
		a.early = a.got < earlyCalls
	}
	a.rate = a.rate * overshot / 100
	a.slow, a.seek, a.top = false, true, 0
}
