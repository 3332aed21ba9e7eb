package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// A note is on one of a saga's dead letters.
type note struct {
	on store.DeadLetterID
	store.Note
}

// DeadLetterGroups implements [store.Store].
func (s *Store) DeadLetterGroups(ctx context.Context) ([]store.DeadLetterGroup, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	found := map[string]*store.DeadLetterGroup{}
	for place := range s.dead.all() {
		d := place.letter
		g := found[d.Group]
		if g == nil {
			g = &store.DeadLetterGroup{Group: d.Group}
			found[d.Group] = g
		}
		g.Sample = *d // the newest comes last
		state := d.State
		if planted.On(planted.MiscountGroup) && state == unwind.DeadLetterReplayed {
			state = unwind.DeadLetterOpen
		}
		g.Count(state, d.Replays, d.DeadAt, []byte(d.Amount))
	}
	groups := slices.SortedFunc(maps.Values(found), func(a, b *store.DeadLetterGroup) int {
		return cmp.Or(cmp.Compare(b.Newest, a.Newest), cmp.Compare(a.Group, b.Group))
	})
	groups = groups[:min(len(groups), store.MaxGroups)]
	slices.SortFunc(groups, func(a, b *store.DeadLetterGroup) int { return cmp.Compare(a.Group, b.Group) })
	out := make([]store.DeadLetterGroup, len(groups))
	for i := range groups {
		out[i] = *groups[i]
	}
	return out, nil
}

// AddNote implements [store.Store].
func (s *Store) AddNote(ctx context.Context, epoch int64, dead store.DeadLetterID, n store.Note, audit store.Audit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return err
	}
	of := s.find(dead.Saga)
	if of == nil || of.deadLetter(dead) == nil {
		return fmt.Errorf("writing a note of dead letter %s: %w", dead.Name(), store.ErrNotFound)
	}
	letter := *of.deadLetter(dead)
	replace(&letter.Owner, n.Owner)
	s.putDeadLetter(of, &letter)
	of.notes = append(of.notes, note{dead, n})
	s.addAudit(&audit)
	return nil
}

// Notes implements [store.Store].
func (s *Store) Notes(ctx context.Context, dead store.DeadLetterID) ([]store.Note, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	var notes []store.Note
	if of := s.find(dead.Saga); of != nil {
		for i := range of.notes {
			if of.notes[i].on == dead {
				notes = append(notes, of.notes[i].Note)
			}
		}
	}
	return notes[max(0, len(notes)-store.MaxNotes):], nil
}
