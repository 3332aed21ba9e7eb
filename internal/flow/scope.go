package flow

import (
	"math"

	"github.com/unwindhq/unwind/internal/planted"
)

// ScopeKind says what a scope spans.
type ScopeKind uint8

const (
	// ScopeAll spans every compensation of every service. It has no name.
	ScopeAll ScopeKind = iota
	// ScopeForward is the forward lane of the named service.
	ScopeForward
	// ScopeCompensation is the compensation lane of the named service.
	ScopeCompensation
	// ScopeSagaType spans the compensations of the named saga type.
	ScopeSagaType
	// ScopeTenant spans the compensations of one tenant of the named saga type.
	ScopeTenant
)

// Scope names something that has limits and can be paused.
type Scope struct {
	Kind   ScopeKind
	Name   string
	Tenant string // of a ScopeTenant; there "" is who has no name
}

// String returns the scope as an operator reads it.
func (s Scope) String() string {
	switch s.Kind {
	case ScopeForward:
		return "service " + s.Name + " (forward)"
	case ScopeCompensation:
		return "service " + s.Name
	case ScopeSagaType:
		return "saga type " + s.Name
	case ScopeTenant:
		return "tenant " + s.Tenant + " of saga type " + s.Name
	}
	return "all compensations"
}

// scope is the state every kind of scope has.
type scope struct {
	name        Scope
	configured  Limits // as the caller gave them
	effective   Limits // with the defaults filled in
	pace        pacer
	concurrency int
	inFlight    int
	paused      bool
	pauseReason string
}

func newScope(name Scope) scope {
	return scope{name: name, effective: Limits{}.shared(), concurrency: math.MaxInt}
}

func (s *scope) limit(l Limits, now int64) {
	s.bound(l)
	s.pace.set(l.Rate.interval(), int64(l.Burst), now)
}

// bound applies what limits but the pace.
func (s *scope) bound(l Limits) {
	s.effective = l
	s.concurrency = l.Concurrency
	if l.Concurrency == Unlimited {
		s.concurrency = math.MaxInt
	}
}

// open reports whether only time can stand in the way of a call.
func (s *scope) open() bool {
	return (!s.paused || planted.On(planted.IgnorePause)) && (s.inFlight < s.concurrency || planted.On(planted.IgnoreConcurrency))
}

// eligible returns the time from which the scope's limits allow the next call.
func (s *scope) eligible() int64 { return s.pace.eligible() }

// admits reports whether a call may go now. It changes nothing.
func (s *scope) admits(now int64) bool { return s.open() && s.eligible() <= now }

// take charges one call that admits has allowed.
func (s *scope) take(now int64) {
	s.pace.take(now)
	s.inFlight++
}

func (s *scope) release() { s.inFlight-- }

func (s *scope) pause(reason string) { s.paused, s.pauseReason = true, reason }

// resume lets calls go again, without a burst.
func (s *scope) resume(now int64) {
	if s.paused {
		s.paused, s.pauseReason = false, ""
		s.pace.calm(now)
	}
}
