package flow

// branch is what one saga type has in one target.
type branch struct {
	name    string // of the saga type
	seat    seat   // at it; nowhere on a forward lane
	target  *target
	flows   map[string]*flow // by tenant
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
	id     int32
	seat   seat // at the tenant; nowhere on a forward lane
	branch *branch
	queues [classes]*queue
}

// branch returns what a saga type has in a target, made on first sight.
func (s *Scheduler) branch(t *target, sagaType string) *branch {
	b := t.branches[sagaType]
	if b != nil {
		return b
	}
	b = &branch{name: sagaType, target: t, flows: map[string]*flow{}}
	b.seat.branch = b
	if t.lane == Compensation {
		b.seat.at = s.common(Scope{Kind: ScopeSagaType, Name: sagaType})
	}
	if t.branches == nil {
		t.branches = map[string]*branch{}
	}
	t.branches[sagaType] = b
	return b
}

// bundle returns what a branch has in a class, made on first sight.
func (b *branch) bundle(rank int) *bundle {
	l := b.bundles[rank]
	if l == nil {
		c := &b.target.byRank[rank]
		l = &bundle{branch: b, rank: rank, slot: int32(len(c.bundles))}
		b.bundles[rank] = l
		c.bundles = append(c.bundles, l)
	}
	return l
}

// flow returns what a tenant has in a branch, made on first sight.
func (s *Scheduler) flow(b *branch, tenant string) *flow {
	f := b.flows[tenant]
	if f != nil {
		return f
	}
	f, id := s.flowPool.take()
	*f = flow{id: id, branch: b}
	f.seat.flow = f
	if b.target.lane == Compensation {
		f.seat.at = s.common(Scope{Kind: ScopeTenant, Name: b.name, Tenant: tenant})
		f.seat.at.flows++
	}
	b.flows[tenant] = f
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
