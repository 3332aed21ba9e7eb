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
	window      *window // nil: none
	reserve             // what of these two is durable
	concurrency int
	inFlight    int
	paused      bool
	pauseReason string
	pausedUntil int64 // ns, expected; Never where only an operator ends it
}

func newScope(name Scope) scope {
	return scope{name: name, effective: Limits{}.shared(), concurrency: math.MaxInt}
}

func (s *scope) limit(l Limits, now int64) {
	s.bound(l, now)
	s.repace(l.Rate.interval(), int64(l.Burst), now)
}

// repace sets the pace. One that begins is worth keeping over a restart.
func (s *scope) repace(interval, burst, now int64) {
	s.fresh = s.fresh || s.pace.interval == 0 && interval != 0
	s.pace.set(interval, burst, now)
}

// bound applies what limits but the pace.
func (s *scope) bound(l Limits, now int64) {
	s.effective = l
	s.concurrency = l.Concurrency
	if l.Concurrency == Unlimited {
		s.concurrency = math.MaxInt
	}
	before := s.window
	s.fresh = s.fresh || before == nil && l.Window.N > 0
	var span int64
	if before != nil {
		span = before.per
	}
	s.window = before.set(l.Window, s.inFlight, now)
	switch {
	case s.window == nil:
		s.left, s.step = 0, 0
	case before != nil && s.window.per > span: // what is durable ends later too
		s.changed = true
	}
}

// open reports whether only time can stand in the way of a call.
func (s *scope) open() bool {
	return (!s.paused || planted.On(planted.IgnorePause)) && s.free() && !s.starving
}

// free reports whether there is a slot, and an entry that takes no answer.
func (s *scope) free() bool {
	return (s.inFlight < s.concurrency || planted.On(planted.IgnoreConcurrency)) && (s.window == nil || s.window.free(s.inFlight))
}

// found reports whether fewer may be in flight than are configured.
func (s *scope) found() bool {
	return s.concurrency < s.effective.Concurrency || s.effective.Concurrency == Unlimited && s.concurrency < math.MaxInt
}

// eligible returns the time from which the scope's limits allow the next call.
func (s *scope) eligible() int64 {
	if s.window == nil {
		return s.pace.eligible()
	}
	return max(s.pace.eligible(), s.window.eligible(s.inFlight))
}

// admits reports whether a call may go now. It changes nothing.
func (s *scope) admits(now int64) bool { return s.open() && s.eligible() <= now }

// take charges one call that admits has allowed.
func (s *scope) take(now int64) {
	s.pace.take(now)
	s.inFlight++
	if s.window != nil {
		s.window.expire(now)
		s.left--
	}
}

// release gives the slot of a call that was granted at some time back.
func (s *scope) release(granted, answered, now int64) {
	s.inFlight--
	if s.window == nil {
		return
	}
	switch {
	case planted.On(planted.WindowFromSend):
		s.window.answered(granted)
	case answered > now:
		s.window.hold(Held{answered + s.window.per, 1})
	default:
		s.window.answered(now)
	}
}

func (s *scope) pause(reason string, until int64) {
	s.paused, s.pauseReason, s.pausedUntil = true, reason, until
}

// resume lets calls go again, without a burst.
func (s *scope) resume(now int64) {
	if s.paused {
		s.paused, s.pauseReason, s.pausedUntil = false, "", 0
		s.pace.calm(now)
	}
}
