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
	task       Task
	queue      *queue
	next, prev int32
	place      place
	express    bool   // to be sent now
	order      uint64 // of pushing; once due, of becoming due; once granted, of the grant
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

// queue returns the named queue, made on first sight.
func (s *Scheduler) queue(name Queue, now int64) *queue {
	if q := s.queues[name]; q != nil {
		return q
	}
	t := s.target(name.Target, now)
	rank := name.Class.rank()
	l := s.bundle(t, name.SagaType, rank)
	f := s.flow(l.branch, name)
	var q *queue
	if last := len(s.spareQueues) - 1; last >= 0 {
		q = s.spareQueues[last]
		s.spareQueues = s.spareQueues[:last]
	} else {
		q = &queue{id: int32(len(s.queueList))}
		s.queueList = append(s.queueList, q)
	}
	*q = queue{
		name: name, id: q.id, slot: int32(len(l.queues)), rank: rank, target: t, flow: f, bundle: l,
		head: none, tail: none, rest: Never, late: Never, bound: s.bounds[t.lane],
	}
	if last := len(l.spare) - 1; last >= 0 {
		q.slot = l.spare[last]
		l.spare = l.spare[:last]
		l.queues[q.slot] = q
	} else {
		l.queues = append(l.queues, q)
	}
	f.queues[rank] = q
	s.queues[name] = q
	t.queues++
	return q
}

// settle notes that the queue has lost something: when it holds no task and
// none is left in the store, it is dropped as soon as its tag is in the past.
func (s *Scheduler) settle(q *queue) {
	if q.held > 0 || q.rest != Never || q.late != Never || q.asked {
		return
	}
	if q.start > q.target.byRank[q.rank].virtual {
		q.bundle.idle.set(q.slot, q.start, 0)
		return
	}
	s.drop(q)
}

// drop forgets a queue, and its flow and its tenant if it was their last.
func (s *Scheduler) drop(q *queue) {
	l, f := q.bundle, q.flow
	delete(s.queues, q.name)
	q.target.queues--
	s.shorts.remove(q.id)
	l.idle.remove(q.slot)
	l.queues[q.slot] = nil
	l.spare = append(l.spare, q.slot)
	s.spareQueues = append(s.spareQueues, q)
	f.queues[q.rank] = nil
	q.flow = nil
	if f.queues != ([classes]*queue{}) {
		return
	}
	if c := f.seat.at; c != nil {
		if f.seat.parked {
			s.leaveSeat(&f.seat)
		}
		c.flows--
		s.leave(c)
	}
	s.spareFlows = append(s.spareFlows, f)
}
