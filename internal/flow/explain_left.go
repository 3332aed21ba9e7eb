package flow

// ExplainLeft says why a task is not running that was left in the store. At least
// Ahead tasks of its queue go first: those that are in memory. Its time assumes the
// target's rate, and that no more do.
func (s *Scheduler) ExplainLeft(task Task, now int64) Explanation {
	t := s.target(task.Target, now)
	if task.Due > now {
		return Explanation{Scope: t.name, Why: BackingOff, Until: task.Due}
	}
	var e Explanation
	if q := s.find(task.Queue()); q != nil {
		e = s.binding(t, q.flow, now)
		e.Ahead = q.heads
	} else {
		e = s.binding(t, nil, now)
	}
	if e.Why == Ready {
		e.Why = Behind
	}
	if e.Until != Never {
		e.Until += min(longest/int64(1+e.Ahead), t.pace.interval) * int64(e.Ahead)
	}
	return e
}
