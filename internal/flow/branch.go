package flow

// branch is what one saga type has in one target.
type branch struct {
	seat    seat // at the saga type; nowhere on a forward lane
	target  *target
	bundles [classes]*bundle
}

// bundle is what a branch has in one class: flows that share by their tags.
type bundle struct {
	branch *branch
	rank   int
	slot   int32 // among the bundles of its class
	queues []*queue
	spare  []int32 // slots of queues that left
	open   heap    // queues with a due task whose flow is not parked, by start tag
	idle   heap    // queues without any task whose tag is not in the past yet, by tag
	floor  int64   // no tag counts as less: the virtual time when the branch was last parked
}

// flow is a tenant of a branch.
type flow struct {
	seat   seat // at the tenant; nowhere on a forward lane
	branch *branch
	queues [classes]*queue
}

// bundle returns what a saga type has in a class of a target, made on first sight.
func (s *Scheduler) bundle(t *target, sagaType string, rank int) *bundle {
	b := t.branches[sagaType]
	if b == nil {
		b = &branch{target: t}
		b.seat.branch = b
		if t.lane == Compensation {
			b.seat.at = s.common(Scope{Kind: ScopeSagaType, Name: sagaType})
		}
		if t.branches == nil {
			t.branches = map[string]*branch{}
		}
		t.branches[sagaType] = b
	}
	l := b.bundles[rank]
	if l == nil {
		c := &t.byRank[rank]
		l = &bundle{branch: b, rank: rank, slot: int32(len(c.bundles))}
		b.bundles[rank] = l
		c.bundles = append(c.bundles, l)
	}
	return l
}

// flow returns the flow that a queue belongs to, made on first sight.
func (s *Scheduler) flow(b *branch, name Queue) *flow {
	for c := range Class(classes) {
		other := name
		other.Class = c
		if q := s.queues[other]; q != nil {
			return q.flow
		}
	}
	var f *flow
	if last := len(s.spareFlows) - 1; last >= 0 {
		f = s.spareFlows[last]
		s.spareFlows = s.spareFlows[:last]
	} else {
		f = &flow{}
	}
	*f = flow{branch: b}
	f.seat.flow = f
	if b.target.lane == Compensation {
		f.seat.at = s.common(Scope{Kind: ScopeTenant, Name: name.SagaType, Tenant: name.Tenant})
		f.seat.at.flows++
	}
	return f
}

// commons returns the flow's saga type and tenant; nil, nil on a forward lane.
func (f *flow) commons() [2]*common { return [2]*common{f.branch.seat.at, f.seat.at} }

// weight is the flow's share among the flows of its class.
func (f *flow) weight() int64 {
	w := int64(1)
	if c := f.branch.seat.at; c != nil {
		w = c.weight
	}
	if c := f.seat.at; c != nil {
		w *= c.weight
	}
	return w
}
