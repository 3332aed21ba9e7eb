package sqlite

import (
	"context"
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

func (w *writer) addAlerts(alerts []store.Alert) error {
	for i := range alerts {
		a := &alerts[i]
		bind(w.insertAlert, a.At, a.Kind, a.Saga[:], a.Service, a.Message, a.Data)
		if err := exec(w.insertAlert); err != nil {
			return fmt.Errorf("adding an alert: %w", err)
		}
	}
	return nil
}

const selectAlert = "SELECT id, at, kind, saga, service, message, data, delivered FROM alert "

func readAlert(s *sqlite.Stmt) store.Alert {
	a := store.Alert{
		ID: s.ColumnInt64(0), At: s.ColumnInt64(1), Kind: s.ColumnText(2), Service: s.ColumnText(4),
		Message: s.ColumnText(5), Data: columnBytes(s, 6, nil), Delivered: s.ColumnBool(7),
	}
	s.ColumnBytes(3, a.Saga[:])
	return a
}

// Alerts implements [store.Store].
func (s *Store) Alerts(ctx context.Context, from string, limit int) ([]store.Alert, string, error) {
	alerts, next, err := newestFirst(ctx, s, selectAlert, store.AlertCursor, from, limit, readAlert)
	if err != nil {
		return nil, "", fmt.Errorf("reading the alerts: %w", err)
	}
	return alerts, next, nil
}

// PendingAlerts implements [store.Store].
func (s *Store) PendingAlerts(ctx context.Context, limit int) (alerts []store.Alert, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, selectAlert+"INDEXED BY alert_pending WHERE delivered = 0 ORDER BY id LIMIT ?", func(stmt *sqlite.Stmt) error {
			alerts = append(alerts, readAlert(stmt))
			return nil
		}, int64(store.PageLimit(limit)))
	})
	if err != nil {
		return nil, fmt.Errorf("reading the alerts that are pending: %w", err)
	}
	return alerts, nil
}

// AlertsDelivered implements [store.Store].
func (s *Store) AlertsDelivered(ctx context.Context, epoch int64, ids []int64) error {
	err := s.write(ctx, epoch, func(w *writer) error {
		for _, id := range ids {
			bind(w.delivered, id)
			if err := exec(w.delivered); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("recording that %d alerts are delivered: %w", len(ids), err)
	}
	return nil
}

// newestFirst returns the page of rows, numbered by id in their first column,
// that lies before the cursor.
func newestFirst[T any](ctx context.Context, s *Store, query string, list store.Cursor, from string, limit int, read func(*sqlite.Stmt) T) (page []T, next string, err error) {
	before := int64(math.MaxInt64)
	if from != "" {
		at, err := list.Parse(from, 1)
		if err != nil {
			return nil, "", err
		}
		before = at[0]
	}
	limit = store.PageLimit(limit)
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		last := int64(0)
		return each(conn, query+"WHERE id < ? ORDER BY id DESC LIMIT ?", func(stmt *sqlite.Stmt) error {
			if len(page) == limit {
				next = list.At(last)
				return nil
			}
			page, last = append(page, read(stmt)), stmt.ColumnInt64(0)
			return nil
		}, before, int64(limit)+1)
	})
	return page, next, err
}
