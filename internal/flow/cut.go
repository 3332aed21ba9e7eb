package flow

import "github.com/unwindhq/unwind/internal/planted"

// refusal is one that the rate is cut for, as it is seen at that time.
type refusal struct {
	now   int64
	sharp bool  // the cut before was within collapse: the bucket was empty all the time
	seen  int64 // so this is what came in since then; else what was taken of late
	early bool  // the only one before it came early
	down  bool  // the service tells of no rate
}

// throttled takes in a refusal of the call with the given number; last is that
// of the last grant, and closed for how long the service asked everybody to
// wait. A service that is down has a gate, and is cut once: it counts no windows.
// It returns how long nothing may be sent, in ns.
func (a *adaptive) throttled(number, last uint64, down bool, closed, now int64) (hold int64) {
	if a.refusedAt == 0 { // else the hold answers it
		a.vain.answered(true)
	}
	if a.streak++; a.streak == 1 {
		a.high = a.rate
	}
	if number <= a.mark && !planted.On(planted.CutAlways) {
		return 0
	}
	nothing := a.mark > 0 && a.accepted == 0
	if nothing && down {
		return 0
	}
	if nothing && a.streak > a.patience() && !planted.On(planted.CutAlways) {
		return a.hold(last, closed, now)
	}
	if closed > 0 {
		a.refusedAt, a.until = now, now+closed
	}
	r := a.refusal(down, now)
	switch {
	case a.base > 0:
		a.trialRefused(r)
	case a.slow:
		a.slowRefused()
	case a.seek:
		a.seekRefused(r)
	case a.doubtful(r):
		a.again(last)
		return 0
	default:
		a.climbRefused(r)
	}
	a.begin(last, now)
	return 0
}

// refusal returns what the refusal of a call that was sent in this epoch tells.
func (a *adaptive) refusal(down bool, now int64) refusal {
	r := refusal{now: now, early: a.early, down: down, sharp: now-a.since < collapse && a.mark > 0 && !down}
	if r.sharp {
		r.seen = a.mean(now)
	} else {
		r.seen, a.top = a.taken(now), a.rate
	}
	a.early = false
	return r
}

// begin begins an epoch, with the cut that ended the one before.
func (a *adaptive) begin(last uint64, now int64) {
	if !a.seek && a.peak >= a.was*fallen/100 {
		a.was = 0
	}
	if a.vain.least > 0 {
		a.rate = max(a.rate, a.vain.least)
		a.peak = max(a.peak, a.rate*100/keep)
	}
	a.rate = min(max(a.rate, slowest), a.limit)
	a.depth = max(0, a.peak-a.rate)
	a.doubt, a.age, a.excess, a.accepted, a.got, a.mark, a.since = false, 0, 0, 0, 0, last, now
	a.due, a.used = 0, 0
}

// collapsed leaves what came in since the cut before, no less than floor hundredths.
func (a *adaptive) collapsed(r refusal, floor int64) {
	a.peak = max(a.rate*floor/100, min(a.rate, r.seen))
	a.rate = a.peak * keep / 100
	if a.seek = a.seek && a.got < foundCalls; r.early && a.got < againCalls {
		a.beCareful(r.now)
	}
	if a.rate < a.top*fallen/100 && a.was == 0 {
		a.fell()
	}
}

// measured leaves nine tenths of what was taken of late.
func (a *adaptive) measured(r refusal) {
	a.shallow = false
	a.rate = min(a.rate, r.seen)
	a.peak = a.borne(a.rate)
	a.rate = min(a.rate*keep, a.peak*sure) / 100
}
