package memory

import (
	"bytes"
	"context"
	"slices"

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
func (s *Store) Audit(ctx context.Context, from string, limit int) ([]store.Audit, string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, "", err
	}
	page := s.newest
	if from == store.AuditOldest || from != "" && from[0] == byte(store.TrailCursor) {
		page = s.oldest
	}
	rows, next, err := page(from, store.PageLimit(limit))
	for i := range rows {
		rows[i].Data = bytes.Clone(rows[i].Data)
	}
	return rows, next, err
}

// newest returns the page of the audit, whose ids are its indexes + 1, that lies before
// the cursor, newest first.
func (s *Store) newest(from string, limit int) (page []store.Audit, next string, err error) {
	before, err := store.AuditCursor.Before(from)
	if err != nil {
		return nil, "", err
	}
	end := int(min(max(before, 1)-1, int64(len(s.audit))))
	begin := max(0, end-limit)
	if begin > 0 {
		next = store.AuditCursor.At(int64(begin) + 1)
	}
	page = slices.Clone(s.audit[begin:end])
	slices.Reverse(page)
	return page, next, nil
}

// oldest returns the page that lies behind the cursor, oldest first.
func (s *Store) oldest(from string, limit int) (page []store.Audit, next string, err error) {
	begin := 0
	if from != store.AuditOldest {
		at, err := store.TrailCursor.Parse(from, 1)
		if err != nil {
			return nil, "", err
		}
		begin = int(min(max(at[0], 0), int64(len(s.audit))))
	}
	end := min(len(s.audit), begin+limit)
	if end < len(s.audit) {
		next = store.TrailCursor.At(int64(end))
	}
	return slices.Clone(s.audit[begin:end]), next, nil
}
