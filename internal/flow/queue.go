package flow

// none ends a list of nodes.
const none = int32(-1)

// queue is the first in, first out line of one target, class and saga type.
type queue struct {
	name   Queue
	id     int32 // among all queues
	slot   int32 // among the queues of its class
	rank   int
	target *target
	branch *branch // nil on a forward lane

	head, tail int32 // nodes, in order of becoming due
	heads      int   // tasks in memory, due or not
	bound      int   // most of them

	rest  int64 // due time of the earliest task left in the store; Never if none
	late  int64 // the same, of those left since Short named the queue
	asked bool  // Short has named it and Refill has not come yet
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
	order      uint64 // of pushing; once due, of becoming due; once granted, of the grant
}

// link appends a node whose time has come to its queue.
func (s *Scheduler) link(id int32, now int64) {
	n := &s.nodes[id]
	q := n.queue
	s.arrivals++
	n.place, n.order = placeQueued, s.arrivals
	n.next, n.prev = none, q.tail
	q.target.ready++
	if q.tail != none {
		s.nodes[q.tail].next = id
		q.tail = id
		return
	}
	q.head, q.tail = id, id
	s.offer(q, now)
}

// unlink takes a node out of its queue.
func (s *Scheduler) unlink(id int32, now int64) {
	n := &s.nodes[id]
	q := n.queue
	q.target.ready--
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

// offer shows the queue's head to its target, or that there is none.
func (s *Scheduler) offer(q *queue, now int64) {
	open := &q.target.byRank[q.rank].open
	before := open.len()
	if q.head == none || q.branch != nil && q.branch.parked {
		open.remove(q.slot)
	} else {
		open.set(q.slot, 0, s.nodes[q.head].order)
	}
	if open.len() != before {
		s.refresh(q.target, now)
	}
}

// queue returns the named queue, made on first sight.
func (s *Scheduler) queue(name Queue, now int64) *queue {
	if q := s.queues[name]; q != nil {
		return q
	}
	t := s.target(name.Target, now)
	q := &queue{
		name: name, id: int32(len(s.queueList)), rank: name.Class.rank(),
		target: t, head: none, tail: none, rest: Never, late: Never, bound: s.bounds[t.lane],
	}
	if t.lane == Compensation {
		q.branch = s.branch(t, name.SagaType)
		q.branch.queues = append(q.branch.queues, q)
	}
	c := &t.byRank[q.rank]
	q.slot = int32(len(c.queues))
	c.queues = append(c.queues, q)
	s.queues[name] = q
	s.queueList = append(s.queueList, q)
	return q
}
