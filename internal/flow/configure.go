package flow

import "github.com/unwindhq/unwind/internal/planted"

// Configure sets the limits of a scope, at start and live. It takes effect at
// once and is never followed by a burst. Limits that stay the same change
// nothing, and calls in flight are counted on.
func (s *Scheduler) Configure(name Scope, l Limits, now int64) {
	sc := s.scope(name, now)
	if sc.configured != l {
		s.calm(name, now)
	}
	sc.configured = l
	switch name.Kind {
	case ScopeForward, ScopeCompensation:
		s.limitService(s.services[name.Name], now)
	default:
		sc.limit(l.shared(), now)
	}
	if sc.changed && s.durable {
		s.list(sc)
		s.wanted = true
	}
	s.changed(name, now)
}

// Pause stops a scope for the given reason until Resume, which the caller means to
// call at until; Never: only an operator knows. The caller keeps the pause over a
// restart and sets it again.
func (s *Scheduler) Pause(name Scope, reason string, until, now int64) {
	s.scope(name, now).pause(reason, until)
	s.changed(name, now)
}

// Resume lets a paused scope go on, without a burst. The lane guard begins to
// count anew.
func (s *Scheduler) Resume(name Scope, now int64) {
	sc := s.scope(name, now)
	if sc.paused {
		s.calm(name, now)
	}
	sc.resume(now)
	switch name.Kind {
	case ScopeForward, ScopeCompensation:
		s.target(name.Target(), now).guard.reset()
	}
	s.changed(name, now)
}

// Gate closes a target until a time, in ns. The caller uses it to set again,
// after a restart, what Done reported before. A gate never moves earlier.
func (s *Scheduler) Gate(name Target, until int64, reason string, now int64) {
	t := s.target(name, now)
	t.close(until, reason)
	s.refresh(t, now)
}

// scope returns the state of the named scope.
func (s *Scheduler) scope(name Scope, now int64) *scope {
	switch name.Kind {
	case ScopeForward, ScopeCompensation:
		return &s.target(name.Target(), now).scope
	case ScopeSagaType, ScopeTenant:
		return &s.common(name).scope
	}
	return &s.lanes[Compensation].all
}

// Target returns the target that the scope limits alone.
func (s Scope) Target() Target {
	if s.Kind == ScopeForward {
		return Target{s.Name, Forward}
	}
	return Target{s.Name, Compensation}
}

// limitService applies the limits of a service's two lanes; what the
// compensation lane leaves unset follows the forward lane.
func (s *Scheduler) limitService(first int32, now int64) {
	f, c := s.targets[first+int32(Forward)], s.targets[first+int32(Compensation)]
	f.limit(f.configured.forward(), now)
	c.limit(c.configured.compensation(f.effective), now)
}

// calm has the targets that a change concerns forget what they saved up while the
// scope held them back, so that no burst follows it: their own pace knows nothing of it.
func (s *Scheduler) calm(name Scope, now int64) {
	if planted.On(planted.BurstOnChange) {
		return
	}
	for _, t := range s.targets {
		var concerns bool
		switch name.Kind {
		case ScopeForward, ScopeCompensation:
			concerns = t.name.Name == name.Name
		case ScopeAll:
			concerns = t.lane == Compensation
		default:
			concerns = t.lane == Compensation && t.branches[name.Name] != nil
		}
		if concerns {
			t.pace.calm(now)
			s.refresh(t, now)
		}
	}
}

// changed lets everything that waits on the scope look again.
func (s *Scheduler) changed(name Scope, now int64) {
	switch name.Kind {
	case ScopeForward, ScopeCompensation:
		first := s.services[name.Name]
		s.refresh(s.targets[first], now)
		s.refresh(s.targets[first+1], now)
	case ScopeSagaType, ScopeTenant:
		s.alarm(s.common(name), now)
		s.leave(s.common(name))
	}
}
