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
}

// Result tells the caller what a feedback led to.
type Result struct {
	// Wait, in ns, is how long a throttled call waits at least before it is
	// pushed again. Zero leaves it to the caller's own backoff.
	Wait int64
	// Capped: the hint was over HintCap; an alert is due.
	Capped bool
	// Gated: the target is closed until GateUntil.
	Gated     bool
	GateUntil int64
	// FaultOpened and FaultClosed tell of a service fault's begin and end; an
	// alert is due.
	FaultOpened, FaultClosed bool
}

// learn applies what a call came to. last is the number of the last grant.
func (t *target) learn(g Grant, f Feedback, last uint64, now int64) (r Result) {
	if g.Probe {
		t.fault.probing = false
	}
	switch f.Outcome {
	case OK:
		t.guard.reset()
		t.worked(g, now)
		r.FaultClosed = t.fault.proved(g)
	case Answered:
		t.worked(g, now)
		r.FaultClosed = t.fault.proved(g)
	case Throttled:
		r.FaultClosed = t.fault.proved(g)
		t.throttled(g, f, last, now, &r)
	case Fault:
		r.FaultOpened = t.fault.seen(g, f.Reason, now)
	case Error, Unsent:
		t.meter.now(now).failed++
		switch {
		case f.Outcome == Error && f.Status != 0:
			r.FaultClosed = t.fault.proved(g)
		case t.fault.open && g.Probe:
			t.fault.seen(g, t.fault.reason, now)
		}
	}
	return r
}

// worked notes that the service took a call.
func (t *target) worked(g Grant, now int64) {
	t.meter.now(now).ok++
	t.gate.worked(g.number)
	if t.adaptive.on {
		t.adaptive.worked(g.number, now)
		t.repace(now)
	}
}

// throttled decides between delaying one call and closing the lane. Closing a
// compensation lane for every hint, however short, would waste the drain, and
// never closing it would waste the service.
func (t *target) throttled(g Grant, f Feedback, last uint64, now int64, r *Result) {
	r.Wait = f.Hint
	if r.Wait > HintCap {
		r.Wait, r.Capped = HintCap, true
	}
	if planted.On(planted.HalfHint) {
		r.Wait /= 2
	}
	hinted := f.Hint > 0
	reason := "429"
	if f.Status == 503 {
		reason = "503"
	}
	r.Gated = f.Status == 503 || f.Hint > GateHint || f.Hint == GateHint && t.lane == Forward
	if !hinted {
		r.Wait = BackoffStart
		if r.Gated {
			r.Wait = t.gate.delay(g.number, last)
		}
	}
	if r.Gated {
		t.gate.close(now+r.Wait, reason)
		r.GateUntil = t.gate.until
	}
	t.meter.now(now).throttled++
	if !t.adaptive.on {
		return
	}
	closed := int64(0)
	if r.Gated && f.Status != 503 {
		closed = r.Wait
	}
	hold := t.adaptive.throttled(g.number, last, t.meter.accepted(now), closed, now)
	t.repace(now)
	t.pace.calm(now + hold)
}
