package flow

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// check holds the scheduler against its own account of where everything is.
func check(t failer, s *Scheduler) {
	t.Helper()
	queued, delayed, granted := 0, 0, 0
	for i := range s.nodes {
		n := &s.nodes[i]
		if n.queue == nil {
			continue
		}
		if s.index.find(s.nodes, &n.key) != int32(i) {
			t.Fatalf("node %d is not in the index", i)
		}
		switch n.place {
		case placeQueued:
			queued++
		case placeDelayed:
			delayed++
			if !s.delayed.has(int32(i)) {
				t.Fatalf("node %d waits for nothing", i)
			}
		case placeGranted:
			granted++
		}
	}
	if n := queued + delayed + granted; n != s.index.n || n+len(s.free) != len(s.nodes) || delayed != s.delayed.len() {
		t.Fatalf("%d nodes, %d in the index, %d free of %d, %d delayed in heap of %d",
			n, s.index.n, len(s.free), len(s.nodes), delayed, s.delayed.len())
	}
	for _, h := range []*heap{&s.delayed, &s.alarms, &s.shorts, &s.lanes[0].ready, &s.lanes[1].ready} {
		checkHeap(t, h)
	}
	inFlight, ready, waiting := 0, 0, 0
	for _, target := range s.targets {
		in := s.lanes[target.lane].ready.has(target.id)
		if in != target.runnable() {
			t.Fatalf("%s: in the heap %v, runnable %v", target.name, in, target.runnable())
		}
		if in {
			h := &s.lanes[target.lane].ready
			if at := h.entries[h.pos[target.id]-1].at; at < target.eligible() || at < target.since {
				t.Fatalf("%s: in the heap too early, at %d", target.name, at)
			}
		}
		inFlight, ready, waiting = inFlight+target.inFlight, ready+target.ready, waiting+target.delayed
		for rank := range target.byRank {
			c := &target.byRank[rank]
			checkHeap(t, &c.open)
			due := 0
			for _, l := range c.bundles {
				checkHeap(t, &l.open)
				checkHeap(t, &l.idle)
				if e := l.open.top(); c.open.has(l.slot) != (e.id >= 0 && !l.branch.seat.parked) {
					t.Fatalf("%s: bundle open %v, first %v, parked %v", target.name, c.open.has(l.slot), e, l.branch.seat.parked)
				}
				for _, q := range l.queues {
					if q != nil {
						due += q.ready
					}
				}
			}
			if due != c.ready {
				t.Fatalf("%s: class %d counts %d ready, its queues %d", target.name, rank, c.ready, due)
			}
		}
	}
	if inFlight != granted || ready != queued || waiting != delayed {
		t.Fatalf("targets count %d in flight, %d ready, %d delayed; nodes %d, %d, %d",
			inFlight, ready, waiting, granted, queued, delayed)
	}
	queues := 0
	for _, q := range s.queuePool.all {
		if q == nil || q.bundle == nil {
			continue
		}
		if queues++; s.find(q.name) != q {
			t.Fatalf("%v can not be found", q.name)
		}
		checkQueue(t, s, q)
	}
	if queues != s.queuePool.used() || len(s.commons) != s.commonPool.used() {
		t.Fatalf("%d queues, %d in use; %d scopes, %d in use", queues, s.queuePool.used(), len(s.commons), s.commonPool.used())
	}
	for _, c := range s.commonPool.all {
		if c == nil || s.commons[c.name] != c {
			continue
		}
		if c.first != nil && c.open() && !s.alarms.has(c.id) {
			t.Fatalf("%s: something is parked and there is no alarm", c.name)
		}
		for p := c.first; p != nil; p = p.next {
			if !p.parked || p.next == nil && p != c.last || p.next != nil && p.next.prev != p {
				t.Fatalf("%s: a broken list of what is parked", c.name)
			}
		}
	}
}

func checkQueue(t failer, s *Scheduler, q *queue) {
	t.Helper()
	open := q.bundle.open.has(q.slot)
	if parked := q.flow.seat.parked; open != (q.head != none && !parked) {
		t.Fatalf("%v: open %v, head %d, parked %v", q.name, open, q.head, parked)
	}
	if idle := q.bundle.idle.has(q.slot); idle != (q.held == 0 && q.rest == Never && !q.asked) {
		t.Fatalf("%v: idle %v, %d held, rest %d, asked %v", q.name, idle, q.held, q.rest, q.asked)
	}
	last, order := none, uint64(0)
	for id := q.head; id != none; id = s.nodes[id].next {
		n := &s.nodes[id]
		if n.prev != last || n.order <= order {
			t.Fatalf("%v: node %d is out of order", q.name, id)
		}
		last, order = id, n.order
	}
	if q.tail != last || q.heads > q.bound+len(s.express) {
		t.Fatalf("%v: tail %d, last %d, %d heads of %d", q.name, q.tail, last, q.heads, q.bound)
	}
	if want := q.rest != Never && !q.asked && q.heads <= q.bound/2; s.shorts.has(q.id) != want {
		t.Fatalf("%v: asks for a refill %v, want %v", q.name, !want, want)
	}
}

func checkHeap(t failer, h *heap) {
	t.Helper()
	for i, e := range h.entries {
		if i > 0 && e.before(h.entries[(i-1)/2]) {
			t.Fatalf("entry %d is before its parent", i)
		}
		if h.pos[e.id] != int32(i+1) {
			t.Fatalf("entry %d is not where pos says", i)
		}
	}
}
