package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/unwindhq/unwind/store"
)

func (s *Store) enqueue(t *store.Task) {
	q := s.queue[t.Queue]
	if q == nil {
		q = &ordered[*store.Task]{compare: compareTasks}
		s.queue[t.Queue] = q
	}
	q.insert(t)
}

func (s *Store) dequeue(t *store.Task) {
	q := s.queue[t.Queue]
	if q.remove(t); q.empty() {
		delete(s.queue, t.Queue)
	}
}

func compareTasks(a, b *store.Task) int {
	return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Saga.Sequence(), b.Saga.Sequence()), cmp.Compare(a.Step, b.Step))
}

// Tasks implements [store.Store].
func (s *Store) Tasks(ctx context.Context, q store.Queue, limit int) ([]store.Task, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	queue := s.queue[q]
	if queue == nil {
		return nil, nil
	}
	limit = store.PageLimit(limit)
	var tasks []store.Task
	for t := range queue.all() {
		if len(tasks) == limit {
			break
		}
		tasks = append(tasks, *t)
	}
	return tasks, nil
}

// Queues implements [store.Store].
func (s *Store) Queues(ctx context.Context, now int64) ([]store.QueueDepth, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	depths := make([]store.QueueDepth, 0, len(s.queue))
	for name, tasks := range s.queue {
		depth := store.QueueDepth{Queue: name}
		for t := range tasks.all() {
			if depth.Ready+depth.BackingOff == 0 || t.QueuedAt < depth.Oldest {
				depth.Oldest = t.QueuedAt
			}
			if t.Due <= now {
				depth.Ready++
			} else {
				depth.BackingOff++
			}
		}
		depths = append(depths, depth)
	}
	slices.SortFunc(depths, func(a, b store.QueueDepth) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.SagaType, b.SagaType), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Class, b.Class))
	})
	return depths, nil
}
