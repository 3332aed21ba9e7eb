package flow

// Snapshot is the state of a scope as operators see it. The fields below
// Paused are those of a target and zero for other scopes.
type Snapshot struct {
	Scope       Scope
	Configured  Limits // as given to Configure
	Effective   Limits // what holds now
	InFlight    int
	Paused      bool
	PauseReason string

	Ready      int   // tasks in memory that are due
	BackingOff int   // tasks in memory that are not
	Left       bool  // more wait in the store
	OldestDue  int64 // ns, of the tasks that are due; Never when there is none
	GateUntil  int64 // ns; not after now when the gate is open
	GateReason string
	Closed     int64 // ns; until when OpenGate has something to open
	Fault      bool  // a service fault; GateUntil is the next probe

	Breaker      BreakerState
	BreakerMode  BreakerMode
	BreakerUntil int64 // ns; the next probe goes no sooner; 0: it is closed, or an operator holds it
	BreakerSince int64 // ns; when it last opened or closed, 0: not as far as is known
	Probing      bool  // a probe is out
	Ramp         int   // tenths of the last good rate that a breaker that closed lets go; 0: all

	Adaptive  float64 // calls per second that were found; 0: the lane is not adaptive
	Slots     int     // calls in flight that were found; 0: the lane is not adaptive
	Rate      float64 // calls per second that hold now; +Inf: no limit
	Answers   int     // answers of the last minute
	Throttled float64 // share of 429 and 503 in the answers of the last minute
	Failed    float64 // share of failures and timeouts in them

	// Most is how many calls per second its window, and the rate and window of all
	// targets together, let go; 0: any number.
	Most float64
}

// Waits reports whether tasks of a saga type, or of a tenant of one, wait at a target,
// here or in the store.
func (s *Scheduler) Waits(name Target, of Scope, now int64) bool {
	b := s.target(name, now).branches[of.Name]
	if b == nil {
		return false
	}
	for _, l := range b.bundles {
		if l == nil {
			continue
		}
		for _, q := range l.queues {
			if q != nil && (q.heads > 0 || q.rest != Never) && (of.Kind != ScopeTenant || q.name.Tenant == of.Tenant) {
				return true
			}
		}
	}
	return false
}

// Snapshot returns the state of a scope.
func (s *Scheduler) Snapshot(name Scope, now int64) Snapshot {
	sc := s.scope(name, now)
	snap := Snapshot{
		Scope: sc.name, Configured: sc.configured, Effective: sc.effective, InFlight: sc.inFlight,
		Paused: sc.paused, PauseReason: sc.pauseReason, OldestDue: Never, Rate: sc.going(),
	}
	if name.Kind != ScopeForward && name.Kind != ScopeCompensation {
		snap.Most = most(sc)
		s.leave(s.commons[name])
		return snap
	}
	t := s.target(name.Target(), now)
	snap.Most = most(sc, &s.lanes[t.lane].all)
	snap.Ready, snap.BackingOff = t.ready, t.delayed
	snap.GateUntil, snap.GateReason, snap.Closed = t.gate.until, t.gate.reason, t.closed()
	if t.fault.open {
		snap.Fault = true
		snap.GateUntil, snap.GateReason = max(t.fault.until, t.gate.until), t.fault.reason
	}
	t.measures(&snap, now)
	for i := range t.byRank {
		for _, l := range t.byRank[i].bundles {
			for _, q := range l.queues {
				if q == nil {
					continue
				}
				snap.Left = snap.Left || q.rest != Never
				if q.head != none {
					snap.OldestDue = min(snap.OldestDue, s.nodes[q.head].due)
				}
			}
		}
	}
	return snap
}

func most(scopes ...*scope) float64 {
	if d := spacing(scopes); d > 0 {
		return perSecond(d)
	}
	return 0
}
