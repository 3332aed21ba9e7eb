package memory

import (
	"context"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// Purge implements [store.Store].
func (s *Store) Purge(ctx context.Context, epoch, before, keys int64, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return 0, err
	}
	limit = store.PageLimit(limit)
	var done []*saga
	for sequence := range s.order.all() {
		if saga := s.sagas[sequence]; saga.Damage == nil && saga.UpdatedAt < before && saga.settled() {
			if done = append(done, saga); len(done) == limit {
				break
			}
		}
	}
	if len(done) == 0 {
		return 0, nil
	}
	gone := map[id.ID]bool{}
	for _, saga := range done {
		gone[saga.ID] = true
		s.forget(saga)
		if saga.UpdatedAt >= keys {
			s.keepKey(saga)
		}
	}
	s.rows = slices.DeleteFunc(s.rows, func(r *journalRow) bool { return gone[r.Saga] })
	return len(done), nil
}

// settled reports whether nothing about the saga is left to do.
func (s *saga) settled() bool {
	if planted.On(planted.PurgeOpen) {
		return machine.Phase(s.Phase).AtRest()
	}
	if p := machine.Phase(s.Phase); p != machine.Completed && p != machine.Compensated {
		return false
	}
	return !slices.ContainsFunc(s.dead, func(d *store.DeadLetter) bool {
		return d.State == unwind.DeadLetterOpen || d.State == unwind.DeadLetterReplaying
	})
}

// forget deletes all of a saga but its journal.
func (s *Store) forget(of *saga) {
	sequence := of.ID.Sequence()
	for _, t := range of.tasks {
		s.dequeue(t)
	}
	for _, d := range of.dead {
		s.dead.remove(placeOf(d))
	}
	s.due.remove(duePlace{of.Due, sequence})
	s.order.remove(sequence)
	if of.Key != "" {
		delete(s.keys, identityOf(&of.Start))
	}
	delete(s.sagas, sequence)
}

// keepKey leaves of a saga what its key tells.
func (s *Store) keepKey(of *saga) {
	if of.Key == "" || planted.On(planted.FreeKeyEarly) {
		return
	}
	kept := &saga{Saga: store.Saga{ID: of.ID, Start: of.Start, Phase: of.Phase, CreatedAt: of.CreatedAt, UpdatedAt: of.UpdatedAt}}
	kept.Input = nil
	s.keys[identityOf(&kept.Start)] = kept
	s.kept.insert(kept)
}

// PurgeKeys implements [store.Store].
func (s *Store) PurgeKeys(ctx context.Context, epoch, before int64, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return 0, err
	}
	var freed []*saga
	for kept := range s.kept.all() {
		if len(freed) == store.PageLimit(limit) || kept.UpdatedAt >= before {
			break
		}
		freed = append(freed, kept)
	}
	for _, kept := range freed {
		s.kept.remove(kept)
		delete(s.keys, identityOf(&kept.Start))
	}
	return len(freed), nil
}

// Stats implements [store.Store].
func (s *Store) Stats(ctx context.Context) (unwind.Stats, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return unwind.Stats{}, err
	}
	stats := unwind.Stats{Sagas: map[unwind.Status]int64{}, AlertsPending: int64(len(s.alerts.rows) - s.alerts.past(s.alerts.floor))}
	for _, saga := range s.sagas {
		stats.Sagas[machine.Phase(saga.Phase).Status()]++
		stats.Compensations += int64(len(saga.tasks))
		for _, d := range saga.dead {
			if d.State == unwind.DeadLetterOpen {
				stats.DeadLettersOpen++
			}
		}
	}
	return stats, nil
}
