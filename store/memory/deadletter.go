package memory

import (
	"cmp"
	"context"
	"fmt"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// A deadPlace is a dead letter's place in the order of DeadLetters.
type deadPlace struct {
	at, sequence int64
	step         int
	direction    unwind.Direction
	letter       *store.DeadLetter
}

func placeOf(d *store.DeadLetter) deadPlace {
	return deadPlace{d.DeadAt, d.Saga.Sequence(), d.Step, d.Direction, d}
}

func compareDead(a, b deadPlace) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.sequence, b.sequence),
		cmp.Compare(a.step, b.step), cmp.Compare(a.direction, b.direction))
}

// deadLetter returns the saga's dead letter, or nil.
func (s *saga) deadLetter(name store.DeadLetterID) *store.DeadLetter {
	for _, d := range s.dead {
		if d.DeadLetterID == name {
			return d
		}
	}
	return nil
}

// DeadLetter implements [store.Store].
func (s *Store) DeadLetter(ctx context.Context, dead store.DeadLetterID) (store.DeadLetter, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return store.DeadLetter{}, err
	}
	if of := s.find(dead.Saga); of != nil {
		if d := of.deadLetter(dead); d != nil {
			return *d, nil
		}
	}
	return store.DeadLetter{}, fmt.Errorf("finding the dead letter of saga %s, step %d, %s: %w", dead.Saga, dead.Step, dead.Direction, store.ErrNotFound)
}

// DeadLetters implements [store.Store].
func (s *Store) DeadLetters(ctx context.Context, f store.DeadLetterFilter) ([]store.DeadLetter, string, error) {
	list, at := store.DeadLetterCursor, (*deadPlace)(nil)
	if f.OldestFirst {
		list = store.OldestCursor
	}
	if f.Cursor != "" {
		place, err := parseDeadLetterCursor(list, f.Cursor)
		if err != nil {
			return nil, "", err
		}
		at = &place
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, "", err
	}
	limit := store.PageLimit(f.Limit)
	var found []store.DeadLetter
	walk := s.dead.before(at)
	switch {
	case f.OldestFirst && at == nil:
		walk = s.dead.all()
	case f.OldestFirst:
		walk = s.dead.after(*at)
	}
	for place := range walk {
		d := place.letter
		if f.SagaType != "" && f.SagaType != d.SagaType || f.Service != "" && f.Service != d.Service ||
			f.Group != "" && f.Group != d.Group || f.State != "" && f.State != d.State ||
			f.Before != 0 && d.DeadAt >= f.Before {
			continue
		}
		if len(found) == limit {
			return found, cursorOfDeadLetter(list, &found[limit-1]), nil
		}
		found = append(found, *d)
	}
	return found, "", nil
}

// A dead letter's cursor is its place in the order: DeadAt, saga, step and
// whether it is a compensation.
func cursorOfDeadLetter(list store.Cursor, d *store.DeadLetter) string {
	compensation := int64(0)
	if d.Direction == unwind.Compensation {
		compensation = 1
	}
	return list.At(d.DeadAt, d.Saga.Sequence(), int64(d.Step), compensation)
}

func parseDeadLetterCursor(list store.Cursor, text string) (deadPlace, error) {
	at, err := list.Parse(text, 4)
	if err != nil {
		return deadPlace{}, err
	}
	place := deadPlace{at: at[0], sequence: at[1], step: int(at[2]), direction: unwind.Action}
	if at[3] == 1 {
		place.direction = unwind.Compensation
	}
	return place, nil
}
