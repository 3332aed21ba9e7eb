package flow

// A lingering call has no answer and may still be at its service: it keeps its
// slots, and its entries in windows, until it has surely ended. Its task is free
// to be pushed again.
type lingering struct {
	target  *target
	commons [2]*common
	granted int64 // ns
}

// linger keeps what a grant was charged until a time.
func (s *Scheduler) linger(g Grant, until int64) {
	id := int32(len(s.lingers))
	if last := len(s.freeLingers) - 1; last >= 0 {
		id = s.freeLingers[last]
		s.freeLingers = s.freeLingers[:last]
	} else {
		s.lingers = append(s.lingers, lingering{})
	}
	s.lingers[id] = lingering{g.target, g.flow.commons(), g.At}
	s.ends.set(id, until, uint64(id))
}

// endLingers gives back what the calls held that have ended by now.
func (s *Scheduler) endLingers(now int64) {
	for e := s.ends.top(); e.at <= now && e.id >= 0; e = s.ends.top() {
		s.ends.remove(e.id)
		l := s.lingers[e.id]
		s.lingers[e.id] = lingering{}
		s.freeLingers = append(s.freeLingers, e.id)
		s.release(l.target, l.commons, l.granted, now, now)
		s.refresh(l.target, now)
	}
}

// release gives the slots of one call back in all of its scopes, whose windows count
// it as answered at a time.
func (s *Scheduler) release(t *target, commons [2]*common, granted, answered, now int64) {
	t.release(granted, answered, now)
	s.lanes[t.lane].all.release(granted, answered, now)
	for _, c := range commons {
		if c == nil {
			continue
		}
		if c.release(granted, answered, now); c.first != nil {
			s.alarm(c, now)
		}
		s.leave(c)
	}
}
