package sqlite

import (
	"context"
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

// addAudit appends a row to the chain. Its number lies above every other, also
// where somebody has changed the file.
func (w *writer) addAudit(a *store.Audit) error {
	head, err := readHead(w.auditHead)
	if err == nil {
		row := *a
		head = head.Append(&row)
		bind(w.insertAudit, row.ID, row.At, row.Actor, row.Action, row.Target, row.Reason, row.Data, row.Previous[:], row.Hash[:])
		err = exec(w.insertAudit)
	}
	if err == nil {
		bind(w.moveAuditHead, head.ID, head.Hash[:], head.Count)
		err = exec(w.moveAuditHead)
	}
	if err != nil {
		return fmt.Errorf("adding an audit row: %w", err)
	}
	return nil
}

const (
	selectAudit     = "SELECT id, at, actor, action, target, reason, data, previous, hash FROM audit "
	selectAuditHead = "SELECT max(id, ifnull((SELECT max(id) FROM audit), 0)), hash, count FROM audit_head"
	keptAuditHead   = "SELECT id, hash, count FROM audit_head"
	insertAuditRow  = "INSERT INTO audit (id, at, actor, action, target, reason, data, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
	updateAuditHead = "UPDATE audit_head SET id = ?, hash = ?, count = ?"
)

func readAudit(s *sqlite.Stmt) store.Audit {
	a := store.Audit{
		ID: s.ColumnInt64(0), At: s.ColumnInt64(1), Actor: s.ColumnText(2), Action: s.ColumnText(3),
		Target: s.ColumnText(4), Reason: s.ColumnText(5), Data: columnBytes(s, 6, nil),
	}
	s.ColumnBytes(7, a.Previous[:])
	s.ColumnBytes(8, a.Hash[:])
	return a
}

func readHead(stmt *sqlite.Stmt) (head store.AuditHead, err error) {
	err = rows(stmt, func(s *sqlite.Stmt) error {
		head.ID, head.Count = s.ColumnInt64(0), s.ColumnInt64(2)
		s.ColumnBytes(1, head.Hash[:])
		return nil
	})
	return head, err
}

// AuditHead implements [store.Store].
func (s *Store) AuditHead(ctx context.Context) (head store.AuditHead, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		stmt, err := conn.Prepare(keptAuditHead)
		if err == nil {
			head, err = readHead(stmt)
		}
		return err
	})
	if err != nil {
		return store.AuditHead{}, fmt.Errorf("reading the audit's head: %w", err)
	}
	return head, nil
}

// Audit implements [store.Store].
func (s *Store) Audit(ctx context.Context, f store.AuditFilter) (page []store.Audit, next string, err error) {
	list, at, rest := store.AuditCursor, int64(math.MaxInt64), "WHERE id < ? ORDER BY id DESC"
	if f.Cursor == store.AuditOldest || f.Cursor != "" && f.Cursor[0] == byte(store.TrailCursor) {
		list, at, rest = store.TrailCursor, 0, "WHERE id > ? ORDER BY id"
	}
	if f.Cursor != "" && f.Cursor != store.AuditOldest {
		place, err := list.Parse(f.Cursor, 1)
		if err != nil {
			return nil, "", fmt.Errorf("reading the audit: %w", err)
		}
		at = place[0]
	}
	limit, looked := store.PageLimit(f.Limit), 0
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, selectAudit+rest, func(stmt *sqlite.Stmt) error {
			if len(page) == limit || looked == store.AuditLook {
				next = list.At(at)
				return errEnough
			}
			row := readAudit(stmt)
			if at, looked = row.ID, looked+1; f.Match(&row) {
				page = append(page, row)
			}
			return nil
		}, at)
	})
	if enough(err) != nil {
		return nil, "", fmt.Errorf("reading the audit: %w", err)
	}
	return page, next, nil
}

// chainAudit gives the rows of an earlier schema their places in the chain.
func chainAudit(conn *sqlite.Conn) error {
	var head store.AuditHead
	for {
		var page []store.Audit
		err := each(conn, selectAudit+"WHERE id > ? ORDER BY id LIMIT 1000", func(s *sqlite.Stmt) error {
			page = append(page, readAudit(s))
			return nil
		}, head.ID)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return update(conn, updateAuditHead, head.ID, head.Hash[:], head.Count)
		}
		for i := range page {
			head.ID = page[i].ID - 1 // rows were never deleted, and their numbers are theirs
			head = head.Append(&page[i])
			if err := update(conn, "UPDATE audit SET previous = ?, hash = ? WHERE id = ?", page[i].Previous[:], page[i].Hash[:], page[i].ID); err != nil {
				return err
			}
		}
	}
}

func update(conn *sqlite.Conn, query string, args ...any) error {
	return each(conn, query, func(*sqlite.Stmt) error { return nil }, args...)
}
