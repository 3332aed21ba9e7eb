package flow

import "github.com/unwindhq/unwind/internal/planted"

// Outcome is what a granted call came to, as far as flow control cares.
type Outcome uint8

const (
	// Dropped: the grant was not used; nothing was sent and nothing was
	// learned. What it was charged stays charged.
	Dropped Outcome = iota
	// OK: the call did what it was meant to do.
	OK
	// Answered: an answer that says nothing about the service's health
	// (refused, invalid, in progress).
	Answered
	// Throttled: 429 or 503.
	Throttled
	// Fault: a service fault: credentials, routing, certificate.
	Fault
	// Error: 5xx (Status is set), or a timeout or broken connection (0).
	Error
	// Unsent: name not found, connection refused, handshake failed.
	Unsent
)

// Feedback tells what a call came to.
type Feedback struct {
	Outcome Outcome
	Status  int    // HTTP status; 0 when there was no answer
	Hint    int64  // ns, from Retry-After; not above zero when there is none
	Reason  string // of a Fault, for operators
	Quota   Quota  // from RateLimit headers
	Rand    uint64 // spreads the probes of breakers
	// Ends, in ns, is when a call without an answer has surely ended; until then it
	// keeps its slots and its entries. Not after now: it has ended.
	Ends int64
	// Arrives, in ns, is until when a call may still come in whose connection broke.
	// It gives its slots back, but its entries count as if it was answered only then.
	Arrives int64
}

// Result tells the caller what a feedback led to.
type Result struct {
	// Wait, in ns, is how long a throttled call waits at least before it is
	// pushed again. Zero leaves it to the caller's own backoff.
	Wait int64
	// Cap, in ns, is what a hint over Limits.HintCap was cut to; an alert is due. Zero:
	// none was.
	Cap int64
	// Gated: the target is closed until GateUntil.
	Gated     bool
	GateUntil int64
	// FaultOpened and FaultClosed tell of a service fault's begin and end; an
	// alert is due.
	FaultOpened, FaultClosed bool
	// BreakerOpened and BreakerClosed tell of a breaker's; an alert is due.
	BreakerOpened, BreakerClosed bool
	// BreakerChanged: the BreakerRecord is another one, to be kept.
	BreakerChanged bool
}

// learn applies what a call came to. last is the number of the last grant.
func (t *target) learn(g Grant, f Feedback, last uint64, now int64) (r Result) {
	if g.Probe && !(planted.On(planted.EndlessProbe) && f.Outcome == Error) {
		t.probing = false
	}
	if f.Hint > t.hintCap() && !planted.On(planted.HintUncapped) {
		f.Hint = t.hintCap()
		if f.Outcome == Throttled || f.Outcome == Error {
			r.Cap = f.Hint
		}
	}
	if f.Outcome == OK || f.Outcome == Answered || f.Outcome == Error && f.Status == 0 {
		t.answered(g, &f, last, now)
	}
	t.quota.said(g.number, f.Quota, t.inFlight, t.hintCap(), now)
	switch f.Outcome {
	case OK:
		t.guard.reset()
		t.worked(g, last, now, &r)
		r.FaultClosed = t.fault.proved(g)
	case Answered:
		t.worked(g, last, now, &r)
		r.FaultClosed = t.fault.proved(g)
	case Throttled:
		r.FaultClosed = t.fault.proved(g)
		t.throttled(g, f, last, now, &r)
	case Fault:
		r.FaultOpened = t.fault.seen(g, f.Reason, now)
	case Error, Unsent:
		t.failed(g, &f, last, now, &r)
		switch {
		case f.Outcome == Error && f.Status != 0:
			r.FaultClosed = t.fault.proved(g)
		case t.fault.open && g.Probe:
			t.fault.seen(g, t.fault.reason, now)
		}
	}
	return r
}

// answered tells an adaptive lane how long a call took. Who has to wait for its
// end still has given it up; a connection that broke says nothing.
func (t *target) answered(g Grant, f *Feedback, last uint64, now int64) {
	if gaveUp := f.Outcome == Error; t.adaptive.on && (!gaveUp || f.Ends > now) {
		t.slots.answered(g.number, g.nth, now-g.At, gaveUp, last, now)
		t.crowd()
	}
}

// worked notes that the service took a call.
func (t *target) worked(g Grant, last uint64, now int64, r *Result) {
	t.meter.now(now).ok++
	t.gate.worked(g.number)
	paced := t.adaptive.on
	if paced {
		if late := t.adaptive.late(now - g.At); g.number == t.turn {
			t.pace.tat += late // the next one of the lane is not to come too soon after it
		}
		t.adaptive.worked(g.number, t.ending(now), now-g.At, now)
	}
	if t.breaker.config != (Breaker{}) {
		step := t.breaker.step
		r.BreakerClosed = t.breaker.worked(g, last, now)
		r.BreakerChanged = r.BreakerClosed || t.breaker.step != step
		t.hushed = t.hushed || r.BreakerClosed
		paced = paced || r.BreakerChanged
	}
	if paced {
		t.repace(now)
	}
}

// failed notes that the service failed a call.
func (t *target) failed(g Grant, f *Feedback, last uint64, now int64, r *Result) {
	t.meter.now(now).failed++
	if t.adaptive.on && f.Outcome == Error && f.Status == 0 {
		t.adaptive.counts(now) // what is refused is answered
	}
	if !t.breaker.counts(g) {
		return
	}
	r.BreakerOpened = t.breaker.failed(g, f, last, t.lastGood(now), now)
	if r.BreakerChanged = t.breaker.open; r.BreakerChanged {
		t.repace(now)
	}
}

// throttled decides between delaying one call and closing the lane. Closing a
// compensation lane for every hint, however short, would waste the drain, and
// never closing it would waste the service.
func (t *target) throttled(g Grant, f Feedback, last uint64, now int64, r *Result) {
	t.meter.now(now).throttled++
	r.Wait = f.Hint
	if planted.On(planted.HalfHint) {
		r.Wait /= 2
	}
	hinted := f.Hint > 0
	reason := "429"
	if f.Status == 503 {
		reason = "503"
	}
	r.Gated = f.Status == 503 || f.Hint > GateHint || f.Hint == GateHint && t.lane == Forward || t.effective.Strict
	if !hinted {
		r.Wait = BackoffStart
		if r.Gated {
			r.Wait = t.gate.delay(g.number, last)
		}
	}
	if r.Gated {
		t.close(now+r.Wait, reason)
		r.GateUntil = t.gate.until
	}
	t.judged(g, &f, last, now, r)
	if t.adaptive.on {
		closed := int64(0)
		if r.Gated && f.Status != 503 {
			closed = r.Wait
		}
		hold := t.adaptive.throttled(g.number, last, f.Status == 503, closed, now)
		t.repace(now)
		t.pace.calm(now + hold)
	}
}

// judged tells the breaker of a throttled call: a 429 to its probe proves that
// the service is there again, a 503 proves nothing.
func (t *target) judged(g Grant, f *Feedback, last uint64, now int64, r *Result) {
	b := &t.breaker
	failure := planted.On(planted.BreakerCounts429) && !b.open || planted.On(planted.ThrottledProbeFails) && b.open
	switch {
	case failure:
		t.failed(g, f, last, now, r)
	case b.open && f.Status != 503:
		r.BreakerClosed = b.worked(g, last, now)
		r.BreakerChanged = r.BreakerClosed
		t.hushed = t.hushed || r.BreakerClosed
		t.repace(now)
	}
}

// close closes the gate. What is saved up meanwhile is no burst when it opens.
func (t *target) close(until int64, reason string) {
	t.gate.close(until, reason)
	t.hushed = true
}

func (t *target) hintCap() int64 {
	if t.effective.HintCap > 0 {
		return min(t.effective.HintCap, longest)
	}
	return DefaultHintCap
}
