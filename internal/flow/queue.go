package flow

// none ends a list of nodes.
const none = int32(-1)

// queue is the first in, first out line of one flow in one class.
type queue struct {
	name   Queue
	id     int32 // among all queues
	slot   int32 // among the queues of its bundle
	rank   int
	target *target
	flow   *flow
	bundle *bundle

	start int64 // the start tag of its next call, before the floor of its bundle
	left  int64 // of the last division by its weight

	head, tail int32 // nodes, in order of becoming due
	ready      int   // tasks between them
	heads      int   // tasks in memory, due or not
	held       int   // these and those in flight
	bound      int   // most heads

	rest   int64 // due time of the earliest task left in the store; Never if none
	late   int64 // the same, of those left since Short named the queue
	asked  bool  // Short has named it and Refill has not come yet
	behind bool  // counted in target.left
}

// place says where a node is.
type place uint8

const (
	placeDelayed place = iota // not due: in the scheduler's heap
	placeQueued               // due: in its queue
	placeGranted              // in flight: in neither, until Done
)

// node is a task in memory. Nodes live in one slab and link by index.
type node struct {
	key        TaskKey
	next, prev int32
	place      place
	express    bool // to be sent now
	queue      *queue
	due        int64
	order      uint64 // of pushing; once due, of becoming due; once granted, of the grant
}

// task returns the task as it was pushed; what its queue does not need to know is not kept.
func (n *node) task() Task {
	q := &n.queue.name
	return Task{Key: n.key, Target: q.Target, SagaType: q.SagaType, Tenant: q.Tenant, Class: q.Class, Due: n.due}
}

// link appends a node whose time has come to its queue.
func (s *Scheduler) link(id int32, now int64) {
	n := &s.nodes[id]
	q := n.queue
	s.arrivals++
	n.place, n.order = placeQueued, s.arrivals
	n.next, n.prev = none, q.tail
	q.count(1)
	if q.tail != none {
		s.nodes[q.tail].next = id
		q.tail = id
		return
	}
	q.head, q.tail = id, id
	q.start = max(q.start, q.target.byRank[q.rank].virtual)
	s.offer(q, now)
}

// unlink takes a node out of its queue.
func (s *Scheduler) unlink(id int32, now int64) {
	n := &s.nodes[id]
	q := n.queue
	q.count(-1)
	if n.next != none {
		s.nodes[n.next].prev = n.prev
	} else {
		q.tail = n.prev
	}
	if n.prev != none {
		s.nodes[n.prev].next = n.next
		return
	}
	q.head = n.next
	s.offer(q, now)
}

// count notes n tasks more that are due.
func (q *queue) count(n int) {
	q.ready += n
	q.target.ready += n
	q.target.byRank[q.rank].ready += n
}

// offer shows the queue's head to its bundle, or that there is none.
func (s *Scheduler) offer(q *queue, now int64) {
	l := q.bundle
	if q.head == none || q.flow.seat.parked {
		l.open.remove(q.slot)
	} else {
		l.open.set(q.slot, q.start, s.nodes[q.head].order)
	}
	s.show(l, now)
}

// show shows the bundle's first queue to its target, or that there is none.
func (s *Scheduler) show(l *bundle, now int64) {
	t := l.branch.target
	open := &t.byRank[l.rank].open
	before := open.len()
	if first := l.open.top(); first.id < 0 || l.branch.seat.parked {
		open.remove(l.slot)
	} else {
		open.set(l.slot, max(first.at, l.floor), first.tie)
	}
	if open.len() != before {
		s.refresh(t, now)
	}
}

// find returns the named queue, nil when it is not in memory.
func (s *Scheduler) find(name Queue) *queue {
	first, ok := s.services[name.Target.Service]
	if !ok {
		return nil
	}
	b := s.targets[first+int32(name.Target.Lane)].branches[name.SagaType]
	if b == nil {
		return nil
	}
	f := b.flows[name.Tenant]
	if f == nil {
		return nil
	}
	return f.queues[name.Class.rank()]
}

// queue returns the named queue, made on first sight.
func (s *Scheduler) queue(name Queue, now int64) *queue {
	if q := s.find(name); q != nil {
		return q
	}
	t := s.target(name.Target, now)
	b := s.branch(t, name.SagaType)
	rank := name.Class.rank()
	l := b.bundle(rank)
	q, id := s.queuePool.take()
	*q = queue{
		name: name, id: id, slot: int32(len(l.queues)), rank: rank, target: t, flow: s.flow(b, name.Tenant), bundle: l,
		head: none, tail: none, rest: Never, late: Never, bound: s.bounds[t.lane],
	}
	if last := len(l.spare) - 1; last >= 0 {
		q.slot = l.spare[last]
		l.spare = l.spare[:last]
		l.queues[q.slot] = q
	} else {
		l.queues = append(l.queues, q)
	}
	q.flow.queues[rank] = q
	t.queues++
	return q
}
