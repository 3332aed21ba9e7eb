package sqlite

import (
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// read runs fn on one of the connections beside the writer, which sees the store
// as the last commit before it left it. It is cut off by the context, and by
// Config.ReadTimeout: an old snapshot keeps the WAL from being reused.
func (s *Store) read(ctx context.Context, fn func(*sqlite.Conn) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	var conn *sqlite.Conn
	select {
	case conn = <-s.readers:
	case <-ctx.Done():
		return fmt.Errorf("waiting for one of %d readers: %w", s.config.ReadConns, ctx.Err())
	case <-s.closing:
		return errClosed
	}
	defer func() { s.readers <- conn }()
	capped, cancel := context.WithTimeout(ctx, s.config.ReadTimeout)
	defer cancel()
	conn.SetInterrupt(capped.Done())
	defer conn.SetInterrupt(nil)
	err := snapshot(conn, fn)
	if sqlite.ErrCode(err) == sqlite.ResultInterrupt {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("the read took longer than %v; ask for less, or raise ReadTimeout: %w", s.config.ReadTimeout, err)
	}
	return s.failed(err)
}

// snapshot runs fn in a read transaction, so that all its queries see one state.
func snapshot(conn *sqlite.Conn, fn func(*sqlite.Conn) error) error {
	begin, err := conn.Prepare("BEGIN")
	if err != nil {
		return err
	}
	if err := exec(begin); err != nil {
		return err
	}
	err = fn(conn)
	if err == nil {
		commit, err := conn.Prepare("COMMIT")
		if err != nil {
			return errors.Join(err, rollback(conn))
		}
		return exec(commit)
	}
	return errors.Join(err, rollback(conn))
}

// rollback ends a transaction also where the connection is being interrupted.
func rollback(conn *sqlite.Conn) error {
	conn.SetInterrupt(nil)
	if conn.AutocommitEnabled() {
		return nil
	}
	stmt, err := conn.Prepare("ROLLBACK")
	if err != nil {
		return err
	}
	return exec(stmt)
}

// readSegment reads a journal row with a statement that selects epoch, node, at
// and body.
func readSegment(stmt *sqlite.Stmt, seq int64) (segment, error) {
	is := segment{seq: seq}
	found := false
	stmt.BindInt64(1, seq)
	err := rows(stmt, func(s *sqlite.Stmt) error {
		found = true
		is.epoch, is.node, is.at = s.ColumnInt64(0), s.ColumnInt64(1), s.ColumnInt64(2)
		is.body = columnBytes(s, 3, nil)
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("the journal row %d is missing: %w", seq, store.ErrDamaged)
	}
	return is, err
}

const (
	selectSaga    = "SELECT version, phase, due, hot, fixed, rid FROM saga WHERE rid = ?"
	selectSegment = "SELECT epoch, node, at, body FROM journal WHERE seq = ?"
	selectBlock   = "SELECT body FROM key_block WHERE id = ?"
)

// A sagaRow is a row of the table saga.
type sagaRow struct {
	hot
	fixed
	rid     int64
	version uint64
	phase   uint8
	due     int64
	damage  error // of its blobs
}

// readRow reads the row of a query for the columns of selectSaga.
func readRow(s *sqlite.Stmt) (row sagaRow) {
	row.version = uint64(s.ColumnInt64(0))
	row.phase = uint8(s.ColumnInt64(1))
	row.due = s.ColumnInt64(2)
	row.rid = s.ColumnInt64(5)
	var err error
	if row.fixed, err = decodeFixed(columnBytes(s, 4, nil)); err != nil || row.id.Sequence() != row.rid {
		err, row.fixed = store.ErrDamaged, fixed{id: id.OfSequence(row.rid)}
	}
	if err == nil {
		row.hot, err = decodeHot(columnBytes(s, 3, nil))
	}
	if err == nil && row.phase >= phases {
		err = store.ErrDamaged
	}
	if err != nil {
		row.damage = fmt.Errorf("row %d of the table saga: %w", row.rid, err)
	}
	return row
}

// is reports whether the row is, or may have been, that of a saga.
func (r *sagaRow) is(saga id.ID) bool {
	return r.id == saga || r.damage != nil && r.id == id.OfSequence(saga.Sequence())
}

// damaged is what is left of a saga that can't be read.
func (r *sagaRow) damaged(why error) store.Saga {
	return store.Saga{ID: r.id, Phase: r.phase, Due: r.due, Damage: why}
}

// saga fills a saga from its row and its first entry.
func (n *names) saga(row *sagaRow, first *entry) (store.Saga, error) {
	def, err := n.definition(row.def)
	if err != nil {
		return store.Saga{}, err
	}
	if first.start == nil {
		return store.Saga{}, store.ErrDamaged
	}
	return store.Saga{
		ID: row.id,
		Start: store.Start{
			Name: def.name, Version: def.version, Tenant: row.tenant, Key: row.key,
			KeyHash: first.start.hash, Input: first.start.input, InputDigest: first.start.digest,
		},
		Version: row.version, Epoch: row.epoch, Phase: row.phase, Due: row.due,
		CreatedAt: row.created, UpdatedAt: row.updated, State: row.state,
	}, nil
}

// journalRow is an entry of a segment as its saga's journal gives it.
func (n *names) journalRow(saga *sagaRow, s *segment, e *entry) (store.JournalRow, error) {
	node, err := n.text(s.node)
	return store.JournalRow{Saga: saga.id, Epoch: s.epoch, Node: node, At: e.at, Body: e.body}, err
}
