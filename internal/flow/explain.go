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
	Also   string // what holds it back besides, as String says it; empty: nothing does
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
	if e.Also != "" {
		text += "; also " + e.Also
	}
	if e.Ahead > 0 {
		text += ", " + strconv.Itoa(e.Ahead) + " ahead"
	}
	return text
}

// Explain says why a task is not running; ok is false when it is neither
// queued nor in flight here. A task whose way is free but for the tasks before
// it is Behind, and its time assumes that only the limits of
// what it is charged to hold it back.
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
		return taken(s.scopesOf(t, n.queue.flow), now), true
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
		e.Until += s.later(t, n.queue.flow, e.Ahead, s.before(n))
	}
	return e, true
}
