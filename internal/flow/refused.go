package flow

// Everything is refused: not a rate that is too high, but a window that is used up, or a
// service that takes nothing for now.

// patience is how many refusals in a row, with nothing taken since the cut, tell of no window.
func (a *adaptive) patience() int {
	switch {
	case a.seek:
		return chance
	case a.shallow:
		return shallowStreak
	}
	return 0
}

// hold lets one call go at a time, further and further apart, and returns for how long none may.
func (a *adaptive) hold(last uint64, closed, now int64) int64 {
	if a.refusedAt == 0 {
		a.refusedAt = now
	}
	a.held = min(max(2*a.held, 2*interval(a.rate), heldLeast, a.window/16), max(heldMost, (now-a.refusedAt)/10))
	a.mark, a.until = last, now+max(a.held, closed)
	return a.held
}

// resumed ends a time in which everything was refused. Where it was long, the
// service counts calls in windows: what it took in the whole cycle is its rate.
func (a *adaptive) resumed(now int64) {
	refused := max(0, min(now, a.until+second)-a.refusedAt)
	a.refusedAt, a.held = 0, 0
	a.cycle += refused
	if a.vain.least > 0 { // whatever refused it, it is not the rate
		a.cycle, a.took = 0, 0
		return
	}
	high := a.rate
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
	a.vain.cut(high, a.rate, 0)
	a.rate = max(a.rate, a.vain.least)
	a.cycle, a.took = 0, 0
}
