package flow

// aheadMost bounds how many tasks, and how many flows, Explain looks at.
const aheadMost = 1024

// ahead counts the due tasks of the target that go before a due one: all of
// the higher classes, those before it in its flow, and what the other flows of
// its class send until its start tag. Beyond aheadMost it is an estimate.
func (s *Scheduler) ahead(n *node) (count int) {
	q := n.queue
	for i := range q.target.byRank[:q.rank] {
		count += q.target.byRank[i].ready
	}
	before := s.before(n)
	start := q.tag() + int64(before)*(unit/q.flow.weight())
	seen, others, open := 0, 0, 0
	for _, l := range q.target.byRank[q.rank].bundles {
		open += l.open.len()
		for _, e := range l.open.entries {
			if seen == aheadMost {
				break
			}
			seen++
			if o := l.queues[e.id]; o != q {
				others += s.until(o, q, start)
			}
		}
	}
	if seen > 0 {
		others = int(int64(others) * int64(open) / int64(seen))
	}
	return count + before + others
}

// tag is the start tag of the queue's head.
func (q *queue) tag() int64 { return max(q.start, q.bundle.floor) }

// until is how many of its tasks a queue sends before the start tag of another's.
func (s *Scheduler) until(o, q *queue, start int64) int {
	stride := unit / o.flow.weight()
	n := (start - o.tag() + stride - 1) / stride
	if o.tag()+n*stride == start && s.nodes[o.head].order < s.nodes[q.head].order {
		n++ // the older head goes first
	}
	return int(min(max(n, 0), int64(o.ready)))
}

// before counts the tasks of its own queue that go before a task; a long one as a whole.
func (s *Scheduler) before(n *node) (count int) {
	for id := n.prev; id != none; id = s.nodes[id].prev {
		if count++; count == aheadMost {
			return n.queue.ready - 1
		}
	}
	return count
}

// later is how long so many calls ahead at a target, and so many of a flow, take at the
// least under the limits of what they are charged to.
func (s *Scheduler) later(t *target, f *flow, ahead, own int) int64 {
	scopes := s.scopesOf(t, f)
	return max(multiple(spacing(scopes[:2]), ahead), multiple(spacing(scopes[2:]), own))
}

// spacing is the ns from call to call that rates and windows come to.
func spacing(scopes []*scope) (d int64) {
	for _, sc := range scopes {
		d = max(d, sc.pace.interval)
		if w := sc.window; w != nil {
			d = max(d, w.per/int64(w.n))
		}
	}
	return d
}

func multiple(d int64, n int) int64 { return min(longest/int64(1+n), d) * int64(n) }
