package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// groupsQuery reads one index from end to end; of each group the newest comes last.
const groupsQuery = `SELECT cause, dead_at, rid, step, direction, state, replays, amount FROM dead_letter INDEXED BY dead_letter_cause
	ORDER BY cause, dead_at, rid, step, direction`

// DeadLetterGroups implements [store.Store].
func (s *Store) DeadLetterGroups(ctx context.Context) (groups []store.DeadLetterGroup, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		groups = nil
		var newest []deadPlace // beside groups
		var b []byte
		err := each(conn, groupsQuery, func(stmt *sqlite.Stmt) error {
			b = columnBytes(stmt, 0, b)
			n := len(groups) - 1
			if n < 0 || groups[n].Group != string(b) {
				groups, newest = append(groups, store.DeadLetterGroup{Group: string(b)}), append(newest, deadPlace{})
				n++
			}
			at := stmt.ColumnInt64(1)
			newest[n] = deadPlace{stmt.ColumnInt64(2), stmt.ColumnInt64(3), stmt.ColumnInt64(4)}
			b = columnBytes(stmt, 5, b)
			state, replays := stateOf(b), stmt.ColumnInt64(6)
			b = columnBytes(stmt, 7, b)
			groups[n].Count(state, replays, at, b)
			return nil
		})
		if err != nil {
			return err
		}
		for i := range groups {
			groups[i].Sample.DeadAt = int64(i) // its place in newest, while they are cut
		}
		groups = mostRecent(groups)
		for i := range groups {
			place := newest[groups[i].Sample.DeadAt]
			if groups[i].Sample, err = findDead(conn, place); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("counting the groups of dead letters: %w", err)
	}
	return groups, nil
}

// mostRecent keeps the groups that a read may return.
func mostRecent(groups []store.DeadLetterGroup) []store.DeadLetterGroup {
	if len(groups) <= store.MaxGroups {
		return groups
	}
	slices.SortFunc(groups, func(a, b store.DeadLetterGroup) int {
		return cmp.Or(cmp.Compare(b.Newest, a.Newest), cmp.Compare(a.Group, b.Group))
	})
	groups = groups[:store.MaxGroups]
	slices.SortFunc(groups, func(a, b store.DeadLetterGroup) int { return cmp.Compare(a.Group, b.Group) })
	return groups
}

// stateOf is the state of a row, without making a text of it.
func stateOf(b []byte) unwind.DeadLetterState {
	for _, state := range [...]unwind.DeadLetterState{unwind.DeadLetterOpen, unwind.DeadLetterReplaying, unwind.DeadLetterReplayed, unwind.DeadLetterResolved} {
		if string(b) == string(state) {
			return state
		}
	}
	return ""
}

// A deadPlace is the primary key of a dead letter.
type deadPlace struct{ rid, step, direction int64 }

func findDead(conn *sqlite.Conn, at deadPlace) (found store.DeadLetter, err error) {
	err = each(conn, selectDead+"WHERE rid = ? AND step = ? AND direction = ?", func(stmt *sqlite.Stmt) error {
		found = readDead(stmt)
		return nil
	}, at.rid, at.step, at.direction)
	return found, err
}

// AddNote implements [store.Store].
func (s *Store) AddNote(ctx context.Context, epoch int64, dead store.DeadLetterID, note store.Note, audit store.Audit) error {
	err := s.write(ctx, epoch, func(w *writer) error {
		at := deadPlace{dead.Saga.Sequence(), int64(dead.Step), direction(dead.Direction)}
		if d, err := findDead(w.conn, at); err != nil || d.DeadLetterID != dead {
			return orNotFound(err)
		}
		err := each(w.conn, "UPDATE dead_letter SET owner = iif(?4 = '', owner, ?4) WHERE rid = ?1 AND step = ?2 AND direction = ?3", nil,
			at.rid, at.step, at.direction, note.Owner)
		if err != nil {
			return err
		}
		err = each(w.conn, "INSERT INTO note (rid, step, direction, at, by, text, owner) VALUES (?, ?, ?, ?, ?, ?, ?)", nil,
			at.rid, at.step, at.direction, note.At, note.By, note.Text, note.Owner)
		if err != nil {
			return err
		}
		return w.addAudit(&audit)
	})
	if err != nil {
		return fmt.Errorf("writing a note of dead letter %s: %w", dead.Name(), err)
	}
	return nil
}

func orNotFound(err error) error {
	if err == nil {
		return store.ErrNotFound
	}
	return err
}

// Notes implements [store.Store].
func (s *Store) Notes(ctx context.Context, dead store.DeadLetterID) (notes []store.Note, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, "SELECT at, by, text, owner FROM note WHERE rid = ? AND step = ? AND direction = ? ORDER BY id DESC LIMIT ?", func(stmt *sqlite.Stmt) error {
			notes = append(notes, store.Note{At: stmt.ColumnInt64(0), By: stmt.ColumnText(1), Text: stmt.ColumnText(2), Owner: stmt.ColumnText(3)})
			return nil
		}, dead.Saga.Sequence(), int64(dead.Step), direction(dead.Direction), int64(store.MaxNotes))
	})
	if err != nil {
		return nil, fmt.Errorf("reading the notes on dead letter %s: %w", dead.Name(), err)
	}
	slices.Reverse(notes)
	return notes, nil
}
