package sqlite

import (
	"context"
	"fmt"
	"math"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

const selectOperation = "SELECT id, revision, state, key, at, body FROM operation "

func readOperation(s *sqlite.Stmt) store.Operation {
	return store.Operation{
		ID: s.ColumnInt64(0), Revision: s.ColumnInt64(1), State: store.OperationState(s.ColumnText(2)),
		Key: s.ColumnText(3), At: s.ColumnInt64(4), Body: columnBytes(s, 5, nil),
	}
}

// revise gives the next revision out.
func (w *writer) revise() (revision int64, err error) {
	if err := each(w.conn, "UPDATE meta SET revision = revision + 1 WHERE one = 1", nil); err != nil {
		return 0, err
	}
	err = each(w.conn, "SELECT revision FROM meta WHERE one = 1", func(s *sqlite.Stmt) error {
		revision = s.ColumnInt64(0)
		return nil
	})
	return revision, err
}

// operation returns the operation that a condition selects, or ErrNotFound.
func operation(conn *sqlite.Conn, where string, args ...any) (op store.Operation, err error) {
	err = each(conn, selectOperation+where, func(s *sqlite.Stmt) error {
		op = readOperation(s)
		return nil
	}, args...)
	if err == nil && op.ID == 0 {
		err = store.ErrNotFound
	}
	return op, err
}

// AddOperation implements [store.Store].
func (s *Store) AddOperation(ctx context.Context, epoch int64, op store.Operation) (store.Operation, error) {
	err := s.write(ctx, epoch, func(w *writer) (err error) {
		if op.Revision, err = w.revise(); err != nil {
			return err
		}
		if err := w.keyIsFree(&op); err != nil {
			return err
		}
		err = each(w.conn, "INSERT INTO operation (revision, state, key, at, body) VALUES (?, ?, ?, ?, ?)", nil,
			op.Revision, string(op.State), op.Key, op.At, op.Body)
		op.ID = w.conn.LastInsertRowID()
		return err
	})
	if err != nil {
		return store.Operation{}, fmt.Errorf("adding an operation: %w", err)
	}
	return op, nil
}

// keyIsFree: no other operation has the key.
func (w *writer) keyIsFree(op *store.Operation) error {
	if op.Key == "" {
		return nil
	}
	return each(w.conn, "SELECT 1 FROM operation WHERE key = ? AND key <> '' AND id <> ?", func(*sqlite.Stmt) error { return store.ErrTaken }, op.Key, op.ID)
}

// ChangeOperation implements [store.Store].
func (s *Store) ChangeOperation(ctx context.Context, epoch int64, op store.Operation, audit *store.Audit) (store.Operation, error) {
	err := s.write(ctx, epoch, func(w *writer) error {
		was, err := operation(w.conn, "WHERE id = ?", op.ID)
		if err == nil && was.Revision != op.Revision {
			err = store.ErrStale
		}
		if err == nil {
			err = w.keyIsFree(&op)
		}
		if err != nil {
			return err
		}
		if op.Revision, err = w.revise(); err != nil {
			return err
		}
		err = each(w.conn, "UPDATE operation SET revision = ?2, state = ?3, key = ?4, at = ?5, body = ?6 WHERE id = ?1", nil,
			op.ID, op.Revision, string(op.State), op.Key, op.At, op.Body)
		if err != nil || audit == nil {
			return err
		}
		return w.addAudit(audit)
	})
	if err != nil {
		return store.Operation{}, fmt.Errorf("writing operation %d: %w", op.ID, err)
	}
	return op, nil
}

// AddItems implements [store.Store].
func (s *Store) AddItems(ctx context.Context, epoch, of int64, items []store.DeadLetterID) error {
	err := s.write(ctx, epoch, func(w *writer) error {
		seq := int64(0)
		err := each(w.conn, "SELECT ifnull(max(seq), 0) FROM operation_item WHERE operation = ?", func(s *sqlite.Stmt) error {
			seq = s.ColumnInt64(0)
			return nil
		}, of)
		for i := 0; i < len(items) && err == nil; i++ {
			seq++
			err = each(w.conn, "INSERT INTO operation_item VALUES (?, ?, ?, ?, ?, 0, '')", nil,
				of, seq, items[i].Saga[:], int64(items[i].Step), direction(items[i].Direction))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("adding %d items to operation %d: %w", len(items), of, err)
	}
	return nil
}

// SkipItems implements [store.Store].
func (s *Store) SkipItems(ctx context.Context, epoch, of int64, skips []store.Skip) error {
	err := s.write(ctx, epoch, func(w *writer) error {
		for i := range skips {
			err := each(w.conn, "UPDATE operation_item SET outcome = ?3, why = ?4 WHERE operation = ?1 AND seq = ?2 AND outcome = 0", nil,
				of, skips[i].Seq, int64(store.ItemSkipped), skips[i].Why)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("skipping %d items of operation %d: %w", len(skips), of, err)
	}
	return nil
}

// moveItem moves an item from one outcome to another, if it stands there.
func (w *writer) moveItem(item store.ItemID, from, to store.ItemOutcome) error {
	if item == (store.ItemID{}) {
		return nil
	}
	bind(w.moveItemTo, item.Operation, item.Seq, int64(from), int64(to))
	if err := exec(w.moveItemTo); err != nil {
		return fmt.Errorf("moving item %d of operation %d: %w", item.Seq, item.Operation, err)
	}
	return nil
}

// dropBatch is how many items one transaction deletes: commits wait for no more.
const dropBatch = 5000

// DropOperation implements [store.Store]. The operation itself goes last.
func (s *Store) DropOperation(ctx context.Context, epoch, of int64) error {
	for more := true; more; {
		err := s.write(ctx, epoch, func(w *writer) error {
			err := each(w.conn, "DELETE FROM operation_item WHERE operation = ?1 AND seq IN (SELECT seq FROM operation_item WHERE operation = ?1 LIMIT ?2)", nil, of, int64(dropBatch))
			if more = w.conn.Changes() == dropBatch; err != nil || more {
				return err
			}
			return each(w.conn, "DELETE FROM operation WHERE id = ?", nil, of)
		})
		if err != nil {
			return fmt.Errorf("deleting operation %d: %w", of, err)
		}
	}
	return nil
}

// Operation implements [store.Store].
func (s *Store) Operation(ctx context.Context, of int64) (op store.Operation, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		op, err = operation(conn, "WHERE id = ?", of)
		return err
	})
	if err != nil {
		return store.Operation{}, fmt.Errorf("reading operation %d: %w", of, err)
	}
	return op, nil
}

// OperationByKey implements [store.Store].
func (s *Store) OperationByKey(ctx context.Context, key string) (op store.Operation, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		op, err = operation(conn, "WHERE key = ? AND key <> ''", key)
		return err
	})
	if err != nil {
		return store.Operation{}, fmt.Errorf("reading the operation of a key: %w", err)
	}
	return op, nil
}

// Operations implements [store.Store].
func (s *Store) Operations(ctx context.Context, f store.OperationFilter) (ops []store.Operation, next string, err error) {
	before, err := store.OperationCursor.Before(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	query, args := selectOperation+"WHERE id < ?", []any{before}
	if len(f.States) > 0 {
		query += " AND state IN (?" + strings.Repeat(", ?", len(f.States)-1) + ")"
		for _, state := range f.States {
			args = append(args, string(state))
		}
	}
	limit := store.PageLimit(f.Limit)
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, query+" ORDER BY id DESC LIMIT ?", func(stmt *sqlite.Stmt) error {
			if len(ops) == limit {
				next = store.OperationCursor.At(ops[limit-1].ID)
				return nil
			}
			ops = append(ops, readOperation(stmt))
			return nil
		}, append(args, int64(limit)+1)...)
	})
	if err != nil {
		return nil, "", fmt.Errorf("listing operations: %w", err)
	}
	return ops, next, nil
}

// ChangedOperations implements [store.Store].
func (s *Store) ChangedOperations(ctx context.Context, after int64, limit int) (ops []store.Operation, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, selectOperation+"WHERE revision > ? ORDER BY revision LIMIT ?", func(stmt *sqlite.Stmt) error {
			ops = append(ops, readOperation(stmt))
			return nil
		}, after, int64(store.PageLimit(limit)))
	})
	if err != nil {
		return nil, fmt.Errorf("reading the operations that have changed: %w", err)
	}
	return ops, nil
}

// LastRevision implements [store.Store].
func (s *Store) LastRevision(ctx context.Context) (revision int64, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, "SELECT revision FROM meta WHERE one = 1", func(stmt *sqlite.Stmt) error {
			revision = stmt.ColumnInt64(0)
			return nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("reading the last revision of operations: %w", err)
	}
	return revision, nil
}

const itemsQuery = `SELECT i.seq, i.saga, i.step, i.direction FROM operation_item x INDEXED BY operation_item_outcome
	JOIN operation_item i ON i.operation = x.operation AND i.seq = x.seq
	WHERE x.operation = ? AND x.outcome = ? AND x.seq > ? ORDER BY x.seq LIMIT ?`

// Items implements [store.Store].
func (s *Store) Items(ctx context.Context, of int64, outcome store.ItemOutcome, after int64, limit int) (items []store.Item, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, itemsQuery, func(stmt *sqlite.Stmt) error {
			item := store.Item{Seq: stmt.ColumnInt64(0), DeadLetterID: store.DeadLetterID{Step: int(stmt.ColumnInt64(2)), Direction: unwind.Action}}
			var saga id.ID
			stmt.ColumnBytes(1, saga[:])
			item.Saga = saga
			if stmt.ColumnInt64(3) == 1 {
				item.Direction = unwind.Compensation
			}
			items = append(items, item)
			return nil
		}, of, int64(outcome), after, int64(store.PageLimit(limit)))
	})
	if err != nil {
		return nil, fmt.Errorf("reading the items of operation %d: %w", of, err)
	}
	return items, nil
}

// countQuery goes along the index, which needs no sorting: only what was skipped has a why.
const countQuery = `SELECT outcome, '' AS why, count(*) FROM operation_item INDEXED BY operation_item_outcome
	WHERE operation = ?1 AND outcome IN (0, 1, 2, 3) AND seq <= ?2 GROUP BY outcome
	UNION ALL SELECT outcome, why, count(*) FROM operation_item INDEXED BY operation_item_outcome
	WHERE operation = ?1 AND outcome = 4 AND seq <= ?2 GROUP BY why ORDER BY 1, 2`

// CountItems implements [store.Store].
func (s *Store) CountItems(ctx context.Context, of, upTo int64) (counts []store.ItemCount, err error) {
	if upTo == 0 {
		upTo = math.MaxInt64
	}
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, countQuery, func(stmt *sqlite.Stmt) error {
			counts = append(counts, store.ItemCount{Outcome: store.ItemOutcome(stmt.ColumnInt64(0)), Why: stmt.ColumnText(1), Items: stmt.ColumnInt64(2)})
			return nil
		}, of, upTo)
	})
	if err != nil {
		return nil, fmt.Errorf("counting the items of operation %d: %w", of, err)
	}
	return counts, nil
}
