package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// Journal implements [store.Store]. Its cursor is a journal row and the index of
// an entry in it.
func (s *Store) Journal(ctx context.Context, from string, limit int) (found []store.JournalRow, next string, err error) {
	at := []int64{0, 0}
	if from != "" && from != "now" {
		if at, err = store.JournalCursor.Parse(from, 2); err != nil {
			return nil, "", err
		}
	}
	limit = store.PageLimit(limit)
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		if from == "now" {
			return each(conn, "SELECT ifnull(max(seq), 0) FROM journal", func(stmt *sqlite.Stmt) error {
				at = []int64{stmt.ColumnInt64(0), math.MaxInt64}
				return nil
			})
		}
		page := journalPage{s: s, conn: conn, sagas: map[int64]*sagaRow{}, at: at, limit: limit}
		err := each(conn, "SELECT epoch, node, at, body, seq FROM journal WHERE seq >= ? ORDER BY seq", page.add, at[0])
		found = page.rows
		return enough(err)
	})
	if err != nil {
		return nil, "", fmt.Errorf("reading the journal: %w", err)
	}
	return found, store.JournalCursor.At(at...), nil
}

type journalPage struct {
	s     *Store
	conn  *sqlite.Conn
	sagas map[int64]*sagaRow
	at    []int64 // the place of the last row
	rows  []store.JournalRow
	limit int
}

// add takes the entries of one journal row.
func (p *journalPage) add(stmt *sqlite.Stmt) error {
	in := segment{
		epoch: stmt.ColumnInt64(0), node: stmt.ColumnInt64(1), at: stmt.ColumnInt64(2),
		body: columnBytes(stmt, 3, nil), seq: stmt.ColumnInt64(4),
	}
	if in.seq == p.at[0] && p.at[1] == math.MaxInt64 {
		return nil
	}
	for rest := in.body; len(rest) > 0; {
		e, after, err := in.next(rest)
		if err != nil { // nobody can tell where the next one begins
			e, after = entry{index: math.MaxInt64 - 1, at: in.at}, nil
		}
		rest = after
		if in.seq == p.at[0] && e.index < p.at[1] {
			continue
		}
		if len(p.rows) == p.limit {
			return errEnough
		}
		var row store.JournalRow
		if err == nil {
			row, err = p.row(&in, &e)
		}
		if errors.Is(err, store.ErrDamaged) {
			row = store.JournalRow{Epoch: in.epoch, At: e.at, Damage: fmt.Errorf("the journal row %d: %w", in.seq, err)}
			if e.rid != 0 {
				row.Saga = id.OfSequence(e.rid)
			}
		} else if err != nil {
			return fmt.Errorf("the journal row %d: %w", in.seq, err)
		}
		p.rows = append(p.rows, row)
		p.at[0], p.at[1] = in.seq, e.index+1
	}
	return nil
}

func (p *journalPage) row(in *segment, e *entry) (store.JournalRow, error) {
	saga := p.sagas[e.rid]
	if saga == nil {
		err := each(p.conn, selectSaga, func(stmt *sqlite.Stmt) error {
			row := readRow(stmt)
			saga = &row
			return nil
		}, e.rid)
		if err != nil {
			return store.JournalRow{}, err
		}
		if saga == nil {
			return store.JournalRow{}, fmt.Errorf("its saga %d is missing: %w", e.rid, store.ErrDamaged)
		}
		p.sagas[e.rid] = saga
	}
	if saga.damage != nil {
		return store.JournalRow{}, saga.damage
	}
	row, err := p.s.names.journalRow(saga, in, e)
	if err != nil {
		return store.JournalRow{}, err
	}
	def, err := p.s.names.definition(saga.def)
	row.Name, row.Version, row.Body = def.name, def.version, bytes.Clone(row.Body)
	return row, err
}
