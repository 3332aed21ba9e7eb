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
	var rows []store.Audit
	var next string
	var err error
	if from == store.AuditOldest || from != "" && from[0] == byte(store.TrailCursor) {
		rows, next, err = oldestFirst(s.audit, store.TrailCursor, from, limit)
	} else {
		rows, next, err = newestFirst(s.audit, store.AuditCursor, from, limit)
	}
	for i := range rows {
		rows[i].Data = bytes.Clone(rows[i].Data)
	}
	return rows, next, err
}

// newestFirst returns the page of rows, whose ids are their indexes + 1, that
// lies before the cursor.
func newestFirst[T any](rows []T, list store.Cursor, from string, limit int) (page []T, next string, err error) {
	end := len(rows)
	if from != "" {
		at, err := list.Parse(from, 1)
		if err != nil {
			return nil, "", err
		}
		end = int(min(max(at[0], 1)-1, int64(len(rows))))
	}
	begin := max(0, end-store.PageLimit(limit))
	if begin > 0 {
		next = list.At(int64(begin) + 1)
	}
	page = slices.Clone(rows[begin:end])
	slices.Reverse(page)
	return page, next, nil
}

// oldestFirst returns the page of rows that lies behind the cursor.
func oldestFirst[T any](rows []T, list store.Cursor, from string, limit int) (page []T, next string, err error) {
	begin := 0
	if from != store.AuditOldest {
		at, err := list.Parse(from, 1)
		if err != nil {
			return nil, "", err
		}
		begin = int(min(max(at[0], 0), int64(len(rows))))
	}
	end := min(len(rows), begin+store.PageLimit(limit))
	if end < len(rows) {
		next = list.At(int64(end))
	}
	return slices.Clone(rows[begin:end]), next, nil
}
