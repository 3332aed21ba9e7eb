package sqlite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// purgeBatch is how many sagas one transaction of a purge deletes: commits wait
// for no more.
const purgeBatch = 100

// Purge implements [store.Store]. A reader looks for the sagas; transactions of
// purgeBatch sagas delete them, so that commits get their turn between.
//
// What it can't read it passes over, for whoever mends the store, and does not look at
// again until the store is opened anew.
func (s *Store) Purge(ctx context.Context, epoch, before, keys int64, limit int) (purged int, err error) {
	limit = store.PageLimit(limit)
	for again := true; again && err == nil; {
		var doomed, passed []int64
		if doomed, err = s.doomed(ctx, before, limit-purged); err != nil {
			return purged, fmt.Errorf("looking for sagas to purge: %w", err)
		}
		if len(doomed) == 0 { // the fence answers all the same
			err = s.write(ctx, epoch, func(*writer) error { return nil })
		}
		for batch := range slices.Chunk(doomed, purgeBatch) {
			n := 0
			err = s.write(ctx, epoch, func(w *writer) (err error) {
				n, passed, err = w.purge(batch, before, keys, passed)
				return err
			})
			if err != nil {
				break
			}
			purged += n
		}
		s.passOver(passed)
		again = len(passed) > 0 && purged < limit
	}
	if err == nil && purged < limit {
		err = s.compactKeys(ctx, epoch)
	}
	if err != nil {
		return purged, fmt.Errorf("purging at most %d sagas: %w", limit, err)
	}
	return purged, nil
}

// withoutDeadLetter leaves out the sagas that somebody has to look at.
const withoutDeadLetter = " AND NOT EXISTS (SELECT 1 FROM dead_letter d WHERE d.rid = saga.rid AND d.state IN ('open', 'replaying'))"

// purge deletes the sagas that are still to be purged, with all that belongs to
// them: it keeps the fence and what other writes have changed since. Keys of sagas
// that were updated before the time keys go too. Those that can't be read are added to
// passed.
func (w *writer) purge(rids []int64, before, keys int64, passed []int64) (int, []int64, error) {
	gone := map[int64]bool{}
	segments := map[int64]bool{}
	for _, rid := range rids {
		var row sagaRow
		found := false
		err := each(w.conn, selectSaga+withoutDeadLetter, func(s *sqlite.Stmt) error {
			row = readRow(s)
			found = true
			return nil
		}, rid)
		if err != nil {
			return 0, passed, err
		}
		if row.damage != nil {
			passed = append(passed, rid)
			continue
		}
		if !found || !ended(row.phase) || row.updated >= before {
			continue
		}
		switch err := w.chain(&row, segments); {
		case errors.Is(err, store.ErrDamaged):
			passed = append(passed, rid)
			continue
		case err != nil:
			return 0, passed, fmt.Errorf("the journal of saga %s: %w", row.id, err)
		}
		if row.key != "" && row.updated >= keys {
			switch err := w.keepKey(&row); {
			case errors.Is(err, store.ErrDamaged):
				passed = append(passed, rid)
				continue
			case err != nil:
				return 0, passed, fmt.Errorf("the key of saga %s: %w", row.id, err)
			}
		}
		for _, table := range []string{"saga", "task", "dead_letter", "note"} {
			if err := each(w.conn, "DELETE FROM "+table+" WHERE rid = ?", nil, rid); err != nil {
				return 0, passed, err
			}
		}
		gone[rid] = true
		w.moved[row.phase]--
		w.heads.forget(row.id)
	}
	if len(gone) == 0 {
		return 0, passed, nil
	}
	for _, seq := range slices.Sorted(maps.Keys(segments)) {
		if err := w.cut(seq, gone); err != nil {
			return 0, passed, fmt.Errorf("the journal row %d: %w", seq, err)
		}
	}
	return len(gone), passed, each(w.conn, "UPDATE meta SET journal_floor = max(journal_floor, ?) WHERE one = 1", nil, w.seq)
}

// chain adds the journal rows that hold a saga's entries.
func (w *writer) chain(row *sagaRow, segments map[int64]bool) error {
	var in segment
	seq := row.head
	for version := row.version; version > 0; version-- {
		if in.body == nil || in.seq != seq {
			var err error
			if in, err = readSegment(w.readJournal, seq); err != nil {
				return err
			}
		}
		e, err := in.find(row.rid, version)
		if err != nil {
			return err
		}
		segments[seq] = true
		seq -= e.back
	}
	return nil
}

// cut takes the entries of sagas out of a journal row.
func (w *writer) cut(seq int64, gone map[int64]bool) error {
	in, err := readSegment(w.readJournal, seq)
	if err != nil {
		return err
	}
	if w.blob, err = in.without(w.blob[:0], gone); err != nil {
		return nil //nolint:nilerr // what is damaged stays as it is
	}
	if len(w.blob) == 0 {
		return each(w.conn, "DELETE FROM journal WHERE seq = ?", nil, seq)
	}
	return each(w.conn, "UPDATE journal SET body = ? WHERE seq = ?", nil, w.blob, seq)
}

func ended(phase uint8) bool {
	return machine.Phase(phase) == machine.Completed || machine.Phase(phase) == machine.Compensated
}
