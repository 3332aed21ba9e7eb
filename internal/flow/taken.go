package flow

// counts a call as one that was taken.
func (a *adaptive) counts(now int64) {
	a.times[a.count%remembered] = now
	a.count++
	a.got++
}

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

// mean is the rate at which the service took calls in the epoch.
func (a *adaptive) mean(now int64) int64 {
	return scale(a.got*perCall, second, max(1, now-a.since))
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
