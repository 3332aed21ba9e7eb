package flow

// sagaType is the scope of a saga type, and the branches parked with it in
// the order in which they were refused.
type sagaType struct {
	scope
	id          int32
	first, last *branch
}

// branch is what one saga type has in one target. It parks as a whole, so
// that a lower class never gets a call that a higher one was refused.
type branch struct {
	sagaType *sagaType
	queues   []*queue // one for each class seen
	parked   bool
	next     *branch
}

// park lets the branch wait with its saga type, which does not admit a call.
func (s *Scheduler) park(b *branch, now int64) {
	ty := b.sagaType
	if ty.first == nil {
		ty.first = b
	} else {
		ty.last.next = b
	}
	ty.last = b
	b.parked = true
	s.offerAll(b, now)
	s.alarm(ty, now)
}

// rouse puts one branch back to work if its saga type admits a call. One is
// enough: if it can't use the call, because of its target, the next Next
// rouses another. Rousing all of them for one call would make the cost of a
// grant grow with the number of services.
func (s *Scheduler) rouse(now int64) {
	for e := s.alarms.top(); e.at <= now && e.id >= 0; e = s.alarms.top() {
		ty := s.sagaTypeList[e.id]
		if !ty.admits(now) {
			s.alarm(ty, now)
			continue
		}
		b := ty.first
		ty.first, b.next, b.parked = b.next, nil, false
		s.alarm(ty, now)
		s.offerAll(b, now)
		return
	}
}

// alarm sets when to look at the parked branches of a saga type again: at the
// time of its next call, behind the saga types that are due already. Without
// a free slot, or paused, it leaves that to an event.
func (s *Scheduler) alarm(ty *sagaType, now int64) {
	if ty.first == nil || !ty.open() {
		s.alarms.remove(ty.id)
		return
	}
	s.arrivals++
	s.alarms.set(ty.id, max(now, ty.pace.eligible()), s.arrivals)
}

func (s *Scheduler) offerAll(b *branch, now int64) {
	for _, q := range b.queues {
		s.offer(q, now)
	}
}

// branch returns what a saga type has in a target, made on first sight.
func (s *Scheduler) branch(t *target, name string) *branch {
	for i := range t.byRank {
		for _, q := range t.byRank[i].queues {
			if q.name.SagaType == name {
				return q.branch
			}
		}
	}
	return &branch{sagaType: s.sagaType(name)}
}

// sagaType returns the scope of a saga type, made on first sight.
func (s *Scheduler) sagaType(name string) *sagaType {
	if ty := s.sagaTypes[name]; ty != nil {
		return ty
	}
	ty := &sagaType{scope: newScope(Scope{ScopeSagaType, name}), id: int32(len(s.sagaTypeList))}
	s.sagaTypes[name] = ty
	s.sagaTypeList = append(s.sagaTypeList, ty)
	return ty
}
