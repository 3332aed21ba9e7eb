package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/unwindhq/unwind/store"
)

// A journalRow is the journal of one transition, numbered in the order of commits.
type journalRow struct {
	store.JournalRow
	number int64
}

func (s *Store) addRow(to *saga, b *store.Batch, t *store.Transition) {
	s.lastRow++
	row := &journalRow{number: s.lastRow, JournalRow: store.JournalRow{
		Saga: to.ID, Name: to.Name, Version: to.Start.Version,
		Epoch: b.Epoch, Node: b.Node, At: t.At, Body: bytes.Clone(t.Journal),
	}}
	to.rows = append(to.rows, row)
	s.rows = append(s.rows, row)
}

// Journal implements [store.Store].
func (s *Store) Journal(ctx context.Context, from string, limit int) ([]store.JournalRow, string, error) {
	at := []int64{0}
	if from != "" && from != "now" {
		var err error
		if at, err = store.JournalCursor.Parse(from, 1); err != nil {
			return nil, "", err
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, "", err
	}
	if from == "now" {
		return nil, store.JournalCursor.At(s.lastRow), nil
	}
	last := at[0]
	first, found := slices.BinarySearchFunc(s.rows, last, func(r *journalRow, n int64) int { return cmp.Compare(r.number, n) })
	if found {
		first++
	}
	page := s.rows[first:min(first+store.PageLimit(limit), len(s.rows))]
	rows := make([]store.JournalRow, len(page))
	for i, r := range page {
		rows[i] = r.JournalRow
		rows[i].Body = bytes.Clone(r.Body)
		if of := s.find(r.Saga); of != nil && of.Damage != nil {
			rows[i] = store.JournalRow{Saga: r.Saga, Epoch: r.Epoch, At: r.At, Damage: of.Damage}
		}
		last = r.number
	}
	return rows, store.JournalCursor.At(last), nil
}
