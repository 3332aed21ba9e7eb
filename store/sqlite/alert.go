package sqlite

import (
	"context"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

// addAlerts adds alerts, unless one of their key fires, and ends others.
func (w *writer) addAlerts(alerts []store.Alert) error {
	for i := range alerts {
		a := &alerts[i]
		if a.Ends {
			if err := w.endAlert(a); err != nil {
				return fmt.Errorf("ending an alert: %w", err)
			}
			continue
		}
		over := int64(0)
		if a.Key == "" {
			over = store.Over(a.At)
		}
		bind(w.insertAlert, a.At, a.Kind, a.Key, a.Saga[:], a.Service, a.Message, a.Data, over)
		if err := exec(w.insertAlert); err != nil {
			return fmt.Errorf("adding an alert: %w", err)
		}
	}
	return nil
}

// endAlert writes the notice before it ends the alert.
func (w *writer) endAlert(a *store.Alert) error {
	bind(w.noticeAlert, a.Key, a.Message, store.Over(a.At))
	if err := exec(w.noticeAlert); err != nil {
		return err
	}
	bind(w.overAlert, a.Key, store.Over(a.At))
	return exec(w.overAlert)
}

const (
	insertAlertQuery = `INSERT INTO alert (at, kind, key, saga, service, message, data, resolved) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`
	noticeAlertQuery = `INSERT INTO alert (at, kind, key, saga, service, message, data, resolved, resolves)
		SELECT at, kind, key, saga, service, ?2, data, ?3, id FROM alert WHERE key = ?1 AND resolved = 0`
	overAlertQuery = "UPDATE alert SET resolved = ?2 WHERE key = ?1 AND resolved = 0"
)

const selectAlert = `SELECT id, at, kind, saga, service, message, data, id <= (SELECT alert_floor FROM meta), key, resolved, resolves FROM alert `

func readAlert(s *sqlite.Stmt) store.Alert {
	a := store.Alert{
		ID: s.ColumnInt64(0), At: s.ColumnInt64(1), Kind: s.ColumnText(2), Service: s.ColumnText(4),
		Message: s.ColumnText(5), Data: columnBytes(s, 6, nil), Delivered: s.ColumnBool(7),
		Key: s.ColumnText(8), ResolvedAt: s.ColumnInt64(9), Resolves: s.ColumnInt64(10),
	}
	s.ColumnBytes(3, a.Saga[:])
	return a
}

// Alerts implements [store.Store].
func (s *Store) Alerts(ctx context.Context, f store.AlertFilter) (page []store.Alert, next string, err error) {
	before, err := store.AlertCursor.Before(f.Cursor)
	if err != nil {
		return nil, "", fmt.Errorf("reading the alerts: %w", err)
	}
	limit := store.PageLimit(f.Limit)
	args := []any{before}
	for _, kind := range f.Kinds {
		args = append(args, kind)
	}
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		page, next = nil, ""
		return each(conn, alertsQuery(&f), func(stmt *sqlite.Stmt) error {
			if len(page) == limit {
				next = store.AlertCursor.At(page[limit-1].ID)
				return nil
			}
			page = append(page, readAlert(stmt))
			return nil
		}, append(args, int64(limit)+1)...)
	})
	if err != nil {
		return nil, "", fmt.Errorf("reading the alerts: %w", err)
	}
	return page, next, nil
}

func alertsQuery(f *store.AlertFilter) string {
	q := selectAlert
	if f.Firing {
		q += "INDEXED BY alert_firing "
	}
	q += "WHERE id < ?"
	if f.Firing {
		q += " AND resolved = 0"
	}
	if !f.Notices {
		q += " AND resolves = 0"
	}
	if n := len(f.Kinds); n > 0 {
		q += " AND kind IN (?" + strings.Repeat(", ?", n-1) + ")"
	}
	return q + " ORDER BY id DESC LIMIT ?"
}

// AlertSinks implements [store.Store].
func (s *Store) AlertSinks(ctx context.Context, epoch int64, sinks []string) error {
	err := s.write(ctx, epoch, func(w *writer) error {
		known := map[string]int64{}
		err := each(w.conn, "SELECT name, acked FROM alert_sink", func(stmt *sqlite.Stmt) error {
			known[stmt.ColumnText(0)] = stmt.ColumnInt64(1)
			return nil
		})
		if err == nil {
			err = each(w.conn, "DELETE FROM alert_sink", nil)
		}
		for _, name := range sinks {
			if err == nil {
				err = each(w.conn, "INSERT OR IGNORE INTO alert_sink SELECT ?, max(?, alert_floor) FROM meta", nil, name, known[name])
			}
		}
		if err != nil {
			return err
		}
		return w.raiseFloor()
	})
	if err != nil {
		return fmt.Errorf("naming the %d sinks of alerts: %w", len(sinks), err)
	}
	return nil
}

// raiseFloor moves the floor to what every sink has acknowledged.
func (w *writer) raiseFloor() error {
	return each(w.conn, "UPDATE meta SET alert_floor = max(alert_floor, ifnull((SELECT min(acked) FROM alert_sink), 0))", nil)
}

const pendingQuery = selectAlert + `WHERE id > (SELECT max(alert_floor, ifnull((SELECT acked FROM alert_sink WHERE name = ?), 0)) FROM meta)
	ORDER BY id LIMIT ?`

// PendingAlerts implements [store.Store].
func (s *Store) PendingAlerts(ctx context.Context, sink string, limit int) (alerts []store.Alert, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		alerts = nil
		return each(conn, pendingQuery, func(stmt *sqlite.Stmt) error {
			alerts = append(alerts, readAlert(stmt))
			return nil
		}, sink, int64(store.PageLimit(limit)))
	})
	if err != nil {
		return nil, fmt.Errorf("reading the alerts that are pending: %w", err)
	}
	return alerts, nil
}

// AlertsDelivered implements [store.Store].
func (s *Store) AlertsDelivered(ctx context.Context, epoch int64, sink string, upTo int64) error {
	err := s.write(ctx, epoch, func(w *writer) error {
		err := each(w.conn, `UPDATE alert_sink SET acked = max(acked, min(?2, ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'alert'), 0)))
			WHERE name = ?1`, nil, sink, upTo)
		if err != nil {
			return err
		}
		return w.raiseFloor()
	})
	if err != nil {
		return fmt.Errorf("recording that alerts are delivered: %w", err)
	}
	return nil
}

// PurgeAlerts implements [store.Store].
func (s *Store) PurgeAlerts(ctx context.Context, epoch, before int64, limit int) (n int, err error) {
	err = s.write(ctx, epoch, func(w *writer) error {
		n = 0
		return each(w.conn, `DELETE FROM alert WHERE id IN (SELECT id FROM alert
			WHERE id <= (SELECT alert_floor FROM meta) AND resolved > 0 AND resolved < ? ORDER BY id LIMIT ?) RETURNING id`,
			func(*sqlite.Stmt) error { n++; return nil }, before, int64(store.PageLimit(limit)))
	})
	if err != nil {
		return 0, fmt.Errorf("deleting alerts that are over: %w", err)
	}
	return n, nil
}
