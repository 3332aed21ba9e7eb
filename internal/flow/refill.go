package flow

// watch notes when the queue wants what was left in the store: as soon as
// half of its room is free and the earliest task left behind is due.
func (s *Scheduler) watch(q *queue) {
	if behind := q.rest != Never; behind != q.behind {
		if q.behind = behind; behind {
			q.target.left++
		} else {
			q.target.left--
		}
	}
	if q.rest == Never || q.asked || q.heads > q.most()/2 {
		s.shorts.remove(q.id)
		return
	}
	s.shorts.set(q.id, q.rest, uint64(q.id))
}

// Short returns a queue that wants to be refilled now, and how many tasks it
// has room for; ok is false when there is none. It names a queue once, until
// Refill is called for it.
func (s *Scheduler) Short(now int64) (name Queue, room int, ok bool) {
	e := s.shorts.top()
	if e.id < 0 || e.at > now {
		return Queue{}, 0, false
	}
	q := s.queuePool.all[e.id]
	q.asked, q.late = true, Never
	s.watch(q)
	return q.name, max(q.most()-q.heads, 1), true
}

// Refill adds tasks of one queue from the store, in the order of their due
// times, and ends the request that Short made. rest is the due time of the
// earliest task that stays behind, Never when none does; after a failed read
// it is when to try again. So a caller reads one task more than there is room
// for, and takes rest from it. Tasks that are queued or in flight already are
// skipped, and tasks beyond the room are left behind. What Push left behind
// since Short is asked for again, whether the read saw it or not. Refill
// returns how many were added.
func (s *Scheduler) Refill(name Queue, tasks []Task, rest int64, now int64) (added int) {
	s.advance(now)
	name.Class = min(name.Class, Low)
	q := s.queue(name, now)
	for _, task := range tasks {
		if s.index.find(s.nodes, &task.Key) != none || task.Queue() != name {
			continue
		}
		if q.heads >= q.most() {
			rest = min(rest, task.Due)
			break
		}
		s.add(q, task, now)
		added++
	}
	q.rest, q.late, q.asked = min(rest, q.late), Never, false
	q.bundle.idle.remove(q.slot)
	s.watch(q)
	s.settle(q)
	return added
}
