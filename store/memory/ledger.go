package memory

import (
	"bytes"
	"context"
	"slices"

	"github.com/unwindhq/unwind/store"
)

func (s *Store) addAlerts(alerts []store.Alert) {
	for _, a := range alerts {
		a.ID, a.Delivered, a.Data = int64(len(s.alerts))+1, false, bytes.Clone(a.Data)
		s.alerts = append(s.alerts, a)
		s.pending = append(s.pending, a.ID)
	}
}

// Alerts implements [store.Store].
func (s *Store) Alerts(ctx context.Context, from string, limit int) ([]store.Alert, string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, "", err
	}
	alerts, next, err := newestFirst(s.alerts, store.AlertCursor, from, limit)
	for i := range alerts {
		alerts[i].Data = bytes.Clone(alerts[i].Data)
	}
	return alerts, next, err
}

// PendingAlerts implements [store.Store].
func (s *Store) PendingAlerts(ctx context.Context, limit int) ([]store.Alert, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	var alerts []store.Alert
	for _, alert := range s.pending[:min(len(s.pending), store.PageLimit(limit))] {
		a := s.alerts[alert-1]
		a.Data = bytes.Clone(a.Data)
		alerts = append(alerts, a)
	}
	return alerts, nil
}

// AlertsDelivered implements [store.Store].
func (s *Store) AlertsDelivered(ctx context.Context, epoch int64, ids []int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return err
	}
	for _, alert := range ids {
		if at, found := slices.BinarySearch(s.pending, alert); found {
			s.pending = slices.Delete(s.pending, at, at+1)
			s.alerts[alert-1].Delivered = true
		}
	}
	return nil
}

func (s *Store) addAudit(a *store.Audit) {
	row := *a
	row.Data = bytes.Clone(a.Data)
	s.auditHead().Append(&row)
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
