package memory

import (
	"bytes"
	"context"

	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

func (s *Store) addAudit(a *store.Audit) {
	row := *a
	row.Data = bytes.Clone(a.Data)
	head := s.auditHead()
	if planted.On(planted.BreakChain) {
		head.Hash = store.AuditHash{}
	}
	head.Append(&row)
	s.audit = append(s.audit, row)
}

func (s *Store) auditHead() (head store.AuditHead) {
	if n := len(s.audit); n > 0 {
		head = store.AuditHead{ID: s.audit[n-1].ID, Hash: s.audit[n-1].Hash, Count: int64(n)}
	}
	return head
}

// AuditHead implements [store.Store].
func (s *Store) AuditHead(ctx context.Context) (store.AuditHead, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return store.AuditHead{}, err
	}
	return s.auditHead(), nil
}

// Audit implements [store.Store].
func (s *Store) Audit(ctx context.Context, f store.AuditFilter) (page []store.Audit, next string, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, "", err
	}
	list, at, step := store.AuditCursor, int64(len(s.audit))+1, int64(-1)
	if f.Cursor == store.AuditOldest || f.Cursor != "" && f.Cursor[0] == byte(store.TrailCursor) {
		list, at, step = store.TrailCursor, 0, 1
	}
	if f.Cursor != "" && f.Cursor != store.AuditOldest {
		place, err := list.Parse(f.Cursor, 1)
		if err != nil {
			return nil, "", err
		}
		at = min(max(place[0], 0), int64(len(s.audit))+1)
	}
	limit, looked := store.PageLimit(f.Limit), 0
	for at += step; at >= 1 && at <= int64(len(s.audit)); at += step { // an id is its index + 1
		if len(page) == limit || looked == store.AuditLook {
			return page, list.At(at - step), nil
		}
		looked++
		if row := s.audit[at-1]; f.Match(&row) {
			row.Data = bytes.Clone(row.Data)
			page = append(page, row)
		}
	}
	return page, "", nil
}
