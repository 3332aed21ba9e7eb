package memory

import (
	"bytes"
	"context"
	"fmt"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// ClaimDue implements [store.Store].
func (s *Store) ClaimDue(ctx context.Context, afterDue int64, after id.ID, until int64, limit int) ([]store.Saga, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	page := store.ClaimPage{Limit: limit}
	var found []store.Saga
	for place := range s.due.after(duePlace{afterDue, after.Sequence()}) {
		if place.due > until || page.Full() {
			break
		}
		found = append(found, s.sagas[place.sequence].copied(0))
		page.Add(&found[len(found)-1])
	}
	return found, nil
}

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, saga id.ID) (store.Saga, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return store.Saga{}, err
	}
	found := s.find(saga)
	if found == nil {
		return store.Saga{}, fmt.Errorf("loading saga %s: %w", saga, store.ErrNotFound)
	}
	if found.Damage != nil {
		return store.Saga{}, fmt.Errorf("loading saga %s: %w", saga, found.Damage)
	}
	return found.copied(len(found.rows)), nil
}

// FindKey implements [store.Store].
func (s *Store) FindKey(ctx context.Context, tenant, name, key string) (store.Key, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return store.Key{}, err
	}
	found := s.keys[identity{tenant, name, key}]
	switch {
	case found == nil:
		return store.Key{}, fmt.Errorf("finding the saga that key %q began: %w", key, store.ErrNotFound)
	case s.sagas[found.ID.Sequence()] == found:
		return store.Key{Saga: found.ID}, nil
	}
	return store.Key{
		Saga: found.ID, Purged: true, Version: found.Start.Version, Phase: found.Phase, CreatedAt: found.CreatedAt, UpdatedAt: found.UpdatedAt,
	}, nil
}

// List implements [store.Store].
func (s *Store) List(ctx context.Context, f store.Filter) ([]store.Saga, string, error) {
	before, err := store.SagaCursor.Before(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, "", err
	}
	limit := store.PageLimit(f.Limit)
	var found []store.Saga
	for sequence := range s.order.before(&before) {
		saga := s.sagas[sequence]
		if !saga.matches(&f) {
			continue
		}
		if len(found) == limit {
			return found, store.SagaCursor.At(found[limit-1].ID.Sequence()), nil
		}
		found = append(found, saga.copied(1))
	}
	return found, "", nil
}

func (s *saga) matches(f *store.Filter) bool {
	return (f.Phase == nil || *f.Phase == s.Phase) &&
		(f.Name == "" || f.Name == s.Name) &&
		(f.Tenant == "" || f.Tenant == s.Tenant) &&
		(f.Key == "" || f.Key == s.Key) &&
		f.Since <= s.CreatedAt
}

// copied returns the saga with the first rows of its journal.
func (s *saga) copied(rows int) store.Saga {
	if s.Damage != nil {
		return store.Saga{ID: s.ID, Phase: s.Phase, Due: s.Due, Damage: s.Damage}
	}
	c := s.Saga
	c.Input, c.State = bytes.Clone(s.Input), bytes.Clone(s.State)
	if rows == 0 {
		return c
	}
	c.Journal = make([]store.JournalRow, rows)
	for i, r := range s.rows[:rows] {
		row := r.JournalRow
		row.Name, row.Version, row.Body = "", "", bytes.Clone(r.Body)
		c.Journal[i] = row
	}
	return c
}
