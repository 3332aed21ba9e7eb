package gateway

import (
	"errors"
	"net/http"
	"time"
)

// A Phase is how a service behaves from a time on.
type Phase struct {
	// From is since the first call.
	From time.Duration
	// Rate is the calls it bears per second; zero: none.
	Rate float64
	// Took is what a call takes that is borne.
	Took time.Duration
	// Status answers the calls that are not borne. Defaults to 429, and to 503
	// where none is.
	Status int
	// Fate of the calls that are not borne. Defaults to their Status.
	Fate Fate
}

// PhasesOptions describe Phases.
type PhasesOptions struct {
	// Phases in the order of From; the first is from 0.
	Phases []Phase
	// Cycle is after how long they begin anew; zero: the last one stays.
	Cycle time.Duration
	// Burst is how many calls are borne at once. Below 1 counts as 1.
	Burst int
	// Penalty is what a rejected call uses up, in calls.
	Penalty float64
	// LoseEvery resets the connection of each so many-th call that is borne,
	// after its effect. Zero: of none.
	LoseEvery int
}

// Phases is a service whose behaviour changes with the time: a token bucket of
// another rate, slower answers, none at all. It starts full.
type Phases struct {
	o      PhasesOptions
	bucket *TokenBucket
	begin  time.Time
	borne  int
}

// NewPhases makes the model. The error says which phase can't be.
func NewPhases(o PhasesOptions) (*Phases, error) {
	if len(o.Phases) == 0 || o.Phases[0].From != 0 {
		return nil, errors.New("gateway: phases: the first one must be from 0")
	}
	for i, p := range o.Phases {
		switch {
		case i > 0 && p.From <= o.Phases[i-1].From:
			return nil, errors.New("gateway: phases: each must begin after the one before")
		case !(p.Rate >= 0) || p.Took < 0:
			return nil, errors.New("gateway: phases: a rate or a time is negative")
		case o.Cycle != 0 && p.From >= o.Cycle:
			return nil, errors.New("gateway: phases: one begins after the cycle's end")
		}
	}
	return &Phases{o: o, bucket: newBucket(o.Phases[0].Rate, o.Burst, o.Penalty)}, nil
}

// Arrive implements [Model].
func (p *Phases) Arrive(now time.Time, _ int) Verdict {
	if p.begin.IsZero() {
		p.begin = now
	}
	phase := p.advance(now)
	if phase.Rate == 0 {
		v := Verdict{Status: phase.Status, Fate: phase.Fate, Wait: p.resumes(now)}
		if v.Status == 0 && v.Fate == Answered {
			v.Status = http.StatusServiceUnavailable
		}
		return v
	}
	v := p.bucket.Arrive(now, 0)
	if v.Status != 0 {
		if phase.Status != 0 {
			v.Status = phase.Status
		}
		v.Fate = phase.Fate
		return v
	}
	v.Took = phase.Took
	if p.borne++; p.o.LoseEvery > 0 && p.borne%p.o.LoseEvery == 0 {
		v.Fate = Lost
	}
	return v
}

// advance fills the bucket through every change of the rate up to now.
func (p *Phases) advance(now time.Time) Phase {
	if p.bucket.last.IsZero() {
		p.bucket.last = now
	}
	for {
		at := p.bucket.last.Sub(p.begin)
		p.bucket.rate = p.phase(at).Rate
		next, ok := p.change(at)
		if !ok || p.begin.Add(next).After(now) {
			break
		}
		p.bucket.advance(p.begin.Add(next))
	}
	p.bucket.advance(now)
	return p.phase(p.bucket.last.Sub(p.begin))
}

// phase is the one that holds at a time.
func (p *Phases) phase(at time.Duration) Phase {
	if p.o.Cycle > 0 {
		at %= p.o.Cycle
	}
	i := len(p.o.Phases) - 1
	for i > 0 && p.o.Phases[i].From > at {
		i--
	}
	return p.o.Phases[i]
}

// change is when the phase after a time begins.
func (p *Phases) change(at time.Duration) (time.Duration, bool) {
	base := time.Duration(0)
	if p.o.Cycle > 0 {
		base = at.Truncate(p.o.Cycle)
	}
	for _, phase := range p.o.Phases {
		if base+phase.From > at {
			return base + phase.From, true
		}
	}
	return base + p.o.Cycle, p.o.Cycle > 0
}

// resumes is in how long calls are borne again; zero: never.
func (p *Phases) resumes(now time.Time) time.Duration {
	at := now.Sub(p.begin)
	for next, ok := p.change(at); ok && next <= at+2*max(p.o.Cycle, p.o.Phases[len(p.o.Phases)-1].From); next, ok = p.change(next) {
		if p.phase(next).Rate > 0 {
			return next - at
		}
	}
	return 0
}

// Capacity implements [Model].
func (p *Phases) Capacity(at time.Duration) float64 { return p.phase(at).Rate }

// Takes implements [Model].
func (p *Phases) Takes(at time.Duration) time.Duration { return p.phase(at).Took }
