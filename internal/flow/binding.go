package flow

import "strings"

// binding returns what holds a target's next call of a flow back: first
// what an operator did, then what the service said, then the limits.
func (s *Scheduler) binding(t *target, f *flow, now int64) Explanation {
	scopes := s.scopesOf(t, f)
	if e := t.shut(scopes, now); e.Why != Ready {
		return e
	}
	e := taken(scopes, now)
	if e.Until == Never {
		return e
	}
	for _, sc := range scopes {
		if at := sc.pace.eligible(); at > e.Until {
			e = Explanation{Scope: sc.name, Why: Pacing, Until: at}
			if sc == &t.scope {
				e.Detail = t.pacedBy()
			}
		}
	}
	for _, sc := range scopes {
		if e.Why == Ready && sc.starving {
			return Explanation{Scope: sc.name, Why: Reserving, Until: now}
		}
	}
	if at := t.quota.eligible(); at > e.Until {
		e = Explanation{Scope: t.name, Why: Pacing, Detail: "RateLimit", Until: at}
	}
	return e
}

// scopesOf returns what a call of a flow is charged to, the target's own scope first.
func (s *Scheduler) scopesOf(t *target, f *flow) []*scope {
	scopes := []*scope{&t.scope, &s.lanes[t.lane].all}
	if f != nil && f.seat.at != nil {
		scopes = append(scopes, &f.branch.seat.at.scope, &f.seat.at.scope)
	}
	return scopes
}

// shut says what keeps everything back, whatever the limits are: pauses, a fault, the
// breaker, the gate. All of them are told, so that nobody ends a pause and wonders why
// nothing goes. Ready: nothing does.
func (t *target) shut(scopes []*scope, now int64) (first Explanation) {
	add := func(e Explanation) {
		if first.Why == Ready {
			first = e
			return
		}
		text := e.String()
		if e.Scope == first.Scope {
			text = strings.TrimPrefix(text, e.Scope.String()+": ")
		}
		if first.Also != "" {
			text = "; " + text
		}
		first.Also += text
		first.Until = max(first.Until, e.Until)
	}
	for _, sc := range scopes {
		if sc.paused {
			add(Explanation{Scope: sc.name, Why: Paused, Detail: sc.pauseReason, Until: max(now, sc.pausedUntil)})
		}
	}
	switch {
	case t.fault.open:
		e := Explanation{Scope: t.name, Why: Faulty, Detail: t.fault.reason, Until: max(now, t.fault.until, t.gate.until)}
		if t.probing {
			e.Until = Never
		}
		add(e)
		if t.breaker.holds() { // it lets no probe go
			add(t.brokenUntil(now))
		}
	case t.breaker.probes():
		add(t.brokenUntil(now))
	case t.gate.until > now:
		add(Explanation{Scope: t.name, Why: Gated, Detail: t.gate.reason, Until: t.gate.until})
	}
	return first
}

// taken says which scope has no slot, or no room in its window, which is all that one
// that an operator has sent now waits for: an answer gives it, or time does.
func taken(scopes []*scope, now int64) Explanation {
	e := Explanation{Scope: scopes[0].name, Why: Ready, Until: now}
	for _, sc := range scopes {
		if sc.inFlight >= sc.concurrency {
			e = Explanation{Scope: sc.name, Why: Full, Until: Never}
			if sc.found() {
				e.Detail = "adaptive"
			}
			return e
		}
		if sc.window == nil {
			continue
		}
		if at := sc.window.eligible(sc.inFlight); at > e.Until {
			e = Explanation{Scope: sc.name, Why: Windowed, Until: at}
		}
	}
	return e
}
