package flow

// ExplainLeft says why a task is not running that was left in the store. At least
// Ahead tasks of its queue go first: those that are in memory. Its time assumes
// that no more do, and that only the limits of what it is charged to hold it back.
func (s *Scheduler) ExplainLeft(task Task, now int64) Explanation {
	t := s.target(task.Target, now)
	if task.Due > now {
		return Explanation{Scope: t.name, Why: BackingOff, Until: task.Due}
	}
	var e Explanation
	var of *flow
	if q := s.find(task.Queue()); q != nil {
		of = q.flow
		e = s.binding(t, of, now)
		e.Ahead = q.heads
	} else {
		e = s.binding(t, nil, now)
	}
	if e.Why == Ready {
		e.Why = Behind
	}
	if e.Until != Never {
		e.Until += s.later(t, of, e.Ahead, e.Ahead)
	}
	return e
}
