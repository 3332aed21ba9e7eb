package flow

// The search for the peak: slower than slow start, until it is refused.

// seekOn takes the search on. A careful lane counts calls, not seconds; one that comes far
// beyond its peak need not be careful.
func (a *adaptive) seekOn(used int64) {
	if !a.careful {
		a.rate += scale(a.rate, used, search)
		return
	}
	a.rate += scale(a.rate, used, max(search, min(carefulSearch*interval(a.rate), climbMost)))
	if a.rate > carefulMost*a.peak {
		a.seek, a.slow = false, true
	}
}

// seekRefused ends the search, but for a refusal that follows slow start's too soon.
func (a *adaptive) seekRefused(r refusal) {
	switch high := a.rate; {
	case r.sharp && a.streak <= searchStreak:
		a.collapsed(r, overshot)
	case r.sharp:
		a.collapsed(r, fall)
	case a.edge > 0 && a.rate > a.edge:
		a.shallow, a.peak = true, a.rate
		a.uneven()
	default:
		a.measured(r)
		if a.careful {
			a.peak = min(a.peak, high*carefulEdge/100)
			a.rate = min(a.rate, a.peak*keep/100)
		}
		a.rough, a.seek = true, false
	}
}
