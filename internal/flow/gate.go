package flow

import "time"

const (
	// DefaultHintCap is the longest wait that a service can ask for, in ns. A
	// longer one is cut to it and reported, because it closes a lane for that long.
	DefaultHintCap = int64(5 * time.Minute)
	// GateHint, in ns: a 429 that asks for more closes the whole lane instead of
	// delaying one call; the forward lane closes for as much already. Closing a
	// lane for each "1" would leave it shut most of the time: services round up
	// to whole seconds.
	GateHint = int64(2 * time.Second)
	// BackoffStart and BackoffCap, in ns, bound the exponential delays where
	// the service names none: between probes, and for a 503 without a hint.
	BackoffStart = int64(time.Second)
	// BackoffCap is the longest of these delays.
	BackoffCap = int64(time.Minute)
)

// longer is the wait after one at whose end the service was down still: what was
// down for a time is found to be back a fifth of that time later at the most, and
// the first wait.
func longer(wait int64) int64 { return wait * 6 / 5 }

// gate holds a target back until a time. A gate only ever moves later; it
// opens by time, whatever calls sent before it closed come back with, or because
// an operator wants it.
type gate struct {
	until  int64
	reason string
	own    int64  // the last own delay, ns; 0 when the service works
	mark   uint64 // grants up to this number were made before it was chosen
	wishes uint64 // of operators to have it opened
	wish   wish
}

// A wish of an operator to have a gate opened holds once it is durable. What is asked for
// meanwhile is news to who had it: it closes the gate anew.
type wish struct {
	number uint64 // 0: none
	until  int64  // asked for since
	reason string
	quota  int64 // the reset that is not waited for any more
}

// close closes it.
func (g *gate) close(until int64, reason string) {
	if until > g.until {
		g.until, g.reason = until, reason
	}
	if until > g.wish.until {
		g.wish.until, g.wish.reason = until, reason
	}
}

// OpenGate opens a target's gate, and ends the wait for the reset of a RateLimit header
// that nothing remains of, as soon as that is durable: the next Reservations have it so,
// and Reserved opens it. What closes it meanwhile keeps it closed for so long. A pause, a
// service fault and an open breaker go on, every limit counts, and what was saved up is
// no burst.
func (s *Scheduler) OpenGate(name Target, now int64) {
	t := s.target(name, now)
	t.gate.wishes++
	t.gate.wish = wish{number: t.gate.wishes, quota: t.quota.until}
	if !s.durable {
		s.openWished(t, t.gate.wish.number, now)
		return
	}
	s.note(t)
}

// openWished opens the gate as was wished, but for what has closed it anew since; another
// wish may be on its way by then.
func (s *Scheduler) openWished(t *target, number uint64, now int64) {
	w := t.gate.wish
	if number == 0 || w.number == 0 {
		return
	}
	t.gate.until, t.gate.reason = w.until, w.reason
	if number == w.number {
		t.gate.wish = wish{}
	}
	if t.quota.until == w.quota {
		t.quota.refill()
	}
	t.hushed = true
	s.refresh(t, now)
}

// closed is until when answers of the service keep a target closed; not after now: they
// do not.
func (t *target) closed() int64 {
	if t.quota.used {
		return max(t.gate.until, t.quota.until)
	}
	return t.gate.until
}

// delay returns the gate's own delay. It gets longer once for all the calls that
// were in flight together: only a call granted after the last time makes it
// longer again. last is the number of the last grant.
func (g *gate) delay(number, last uint64) int64 {
	switch {
	case g.own == 0:
		g.own, g.mark = BackoffStart, last
	case number > g.mark:
		g.own, g.mark = min(longer(g.own), BackoffCap), last
	}
	return g.own
}

// worked forgets the delay when a call granted after it got longer last is
// answered.
func (g *gate) worked(number uint64) {
	if number > g.mark {
		g.own = 0
	}
}

// fault is open while the service can't be used by anybody (credentials,
// routing, certificate). While it is open one probe goes at a time: the head
// of the queue, after an exponential delay.
type fault struct {
	open   bool
	until  int64 // the next probe goes no sooner
	delay  int64
	reason string
	closed uint64 // number of the grant whose answer closed it last
}

// seen records a service fault. Only the first of those in flight together
// opens it, and only a probe makes the delay longer. An answer to a call made
// before the probe that closed the fault is old news.
func (f *fault) seen(g Grant, reason string, now int64) (opened bool) {
	switch {
	case !f.open && g.number > f.closed:
		f.open, f.delay, opened = true, BackoffStart, true
	case f.open && g.Probe:
		f.delay = min(2*f.delay, BackoffCap)
	default:
		return false
	}
	f.reason, f.until = reason, now+f.delay
	return opened
}

// proved closes the fault. Only the answer to a probe proves anything: the
// other calls in flight left before the fault was known.
func (f *fault) proved(g Grant) (closed bool) {
	if !f.open || !g.Probe {
		return false
	}
	*f = fault{closed: g.number}
	return true
}
