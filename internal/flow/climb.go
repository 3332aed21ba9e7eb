package flow

// The climb: back to the peak and beyond it, along the curve.

// grow moves along the curve.
func (a *adaptive) grow(used int64) {
	calls := int64(climbCalls)
	if a.careful {
		calls *= carefulClimb
	}
	k := max(climb, min(calls*interval(a.peak), climbMost))
	if a.rough {
		k /= 2
	}
	if a.shallow {
		k = shallowClimb
	}
	k = max(k, a.window)
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
	if x >= far && a.excess >= plenty {
		a.seek, a.edge = a.careful, 0
		a.slow, a.window = !a.careful, 0
	}
}

// climbRefused cuts the rate to what the service bears, also where it has fallen.
func (a *adaptive) climbRefused(r refusal) {
	high := a.rate
	switch {
	case r.sharp:
		a.collapsed(r, fall)
	case a.shallow && a.excess < shallowCalls:
		a.uneven()
	default:
		a.measured(r)
		a.rough = false
	}
	if !r.down {
		a.vain.cut(high, a.rate, a.got)
	}
}

// doubtful: two calls that came too soon, or a fall? The next one tells, by what was
// taken since the first.
func (a *adaptive) doubtful(r refusal) bool {
	return r.sharp && a.shallow && !a.doubt && a.was == 0
}

// again cuts the rate as for a call that came too soon, in the same epoch.
func (a *adaptive) again(last uint64) {
	a.doubt = true
	a.uneven()
	a.age, a.excess, a.accepted, a.mark = 0, 0, 0, last
}

// uneven cuts the rate for a call that came too soon after the one before.
func (a *adaptive) uneven() {
	a.peak += (a.rate - a.peak) / shallowPart
	a.rate = a.rate * shallowKeep / 100
	a.depth = max(0, a.peak-a.rate)
	a.rough, a.seek = false, false
}

// late is by how much a call took longer than calls do, where the service may
// save nothing up: it refuses the next one that arrives on time.
func (a *adaptive) late(trip int64) int64 {
	if a.trip == 0 {
		a.trip = trip
	}
	late := trip - a.trip
	a.trip += min(max(late, -lateLeast), lateLeast) / 8
	if late < lateLeast || !a.shallow && !a.seek && !a.slow {
		return 0
	}
	return min(late, interval(a.rate))
}
