package flow

import "strconv"

// Why names what a task or a target waits for.
type Why uint8

const (
	// Ready: nothing stands in the way.
	Ready Why = iota
	// InFlight: the task has been granted and not given back.
	InFlight
	// BackingOff: the task is not due.
	BackingOff
	// Paused: the scope is paused; Detail says by what.
	Paused
	// Gated: the target is closed until a time; Detail says by what.
	Gated
	// Faulty: the target has a service fault, Detail, and waits for a probe.
	Faulty
	// Full: the scope has no free slot; an answer frees one.
	Full
	// Pacing: the scope's rate allows the next call at a time.
	Pacing
	// Windowed: the scope's window has no room; it has at a time, or after answers.
	Windowed
	// Reserving: what the scope may spend next is not durable yet.
	Reserving
	// Broken: the target's breaker is open; it waits for a probe.
	Broken
	// Behind: other tasks of the target go first.
	Behind
)

var whyNames = [...]string{
	"ready", "in flight", "backing off", "paused", "gate", "service fault",
	"concurrency", "rate", "window", "reservation", "breaker open", "behind others",
}

func (w Why) String() string { return whyNames[w] }

// Explanation answers "why is it not running".
type Explanation struct {
	Scope  Scope  // the one that binds
	Why    Why    //
	Detail string // reason of a pause, a gate or a fault
	Until  int64  // ns, expected; Never when only an event can tell
	Ahead  int    // tasks of the target that go first
}

// String returns the explanation without its time, which has no time zone
// here: "service payments: gate (503)".
func (e Explanation) String() string {
	text := e.Scope.String() + ": " + e.Why.String()
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	if e.Ahead > 0 {
		text += ", " + strconv.Itoa(e.Ahead) + " ahead"
	}
	return text
}

// Explain says why a task is not running; ok is false when it is neither
// queued nor in flight here. A task whose way is free but for the tasks before
// it is Behind, and its time assumes the target's rate.
func (s *Scheduler) Explain(key TaskKey, now int64) (e Explanation, ok bool) {
	id := s.index.find(s.nodes, &key)
	if id == none {
		return e, false
	}
	n := &s.nodes[id]
	t := n.queue.target
	switch {
	case n.place == placeGranted:
		return Explanation{Scope: t.name, Why: InFlight, Until: Never}, true
	case n.express: // no pause holds it, nor its own time
		if at, free := s.expressAt(n.queue); free {
			return Explanation{Scope: t.name, Why: Ready, Until: max(at, now)}, true
		}
		return Explanation{Scope: t.name, Why: Full, Until: Never}, true
	case n.place == placeDelayed:
		e = Explanation{Scope: t.name, Why: BackingOff, Until: n.due}
		if b := s.binding(t, n.queue.flow, now); b.Until > e.Until {
			e = b
		}
		return e, true
	}
	e = s.binding(t, n.queue.flow, now)
	e.Ahead = s.ahead(n)
	if e.Ahead > 0 && e.Why == Ready {
		e.Why = Behind
	}
	if e.Until != Never {
		e.Until += min(longest/int64(1+e.Ahead), t.pace.interval) * int64(e.Ahead)
	}
	return e, true
}

// binding returns what holds a target's next call of a flow back: first
// what an operator did, then what the service said, then the limits.
func (s *Scheduler) binding(t *target, f *flow, now int64) Explanation {
	buf := [...]*scope{&t.scope, &s.lanes[t.lane].all, nil, nil}
	scopes := buf[:2]
	if f != nil && f.seat.at != nil {
		buf[2], buf[3] = &f.branch.seat.at.scope, &f.seat.at.scope
		scopes = buf[:]
	}
	for _, sc := range scopes {
		if sc.paused {
			return Explanation{Scope: sc.name, Why: Paused, Detail: sc.pauseReason, Until: Never}
		}
	}
	if t.fault.open {
		e := Explanation{Scope: t.name, Why: Faulty, Detail: t.fault.reason, Until: max(now, t.fault.until, t.gate.until)}
		if t.probing {
			e.Until = Never
		}
		return e
	}
	if t.breaker.probes() {
		return t.brokenUntil(now)
	}
	if t.gate.until > now {
		return Explanation{Scope: t.name, Why: Gated, Detail: t.gate.reason, Until: t.gate.until}
	}
	for _, sc := range scopes {
		if sc.inFlight >= sc.concurrency {
			return Explanation{Scope: sc.name, Why: Full, Until: Never}
		}
		if sc.window != nil && sc.window.eligible(sc.inFlight) == Never {
			return Explanation{Scope: sc.name, Why: Windowed, Until: Never}
		}
	}
	e := Explanation{Scope: t.name, Why: Ready, Until: now}
	for _, sc := range scopes {
		if at := sc.pace.eligible(); at > e.Until {
			e = Explanation{Scope: sc.name, Why: Pacing, Until: at}
			if sc == &t.scope {
				e.Detail = t.pacedBy()
			}
		}
		if sc.window == nil {
			continue
		}
		if at := sc.window.eligible(sc.inFlight); at > e.Until {
			e = Explanation{Scope: sc.name, Why: Windowed, Until: at}
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
