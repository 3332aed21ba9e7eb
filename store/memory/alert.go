package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"github.com/unwindhq/unwind/store"
)

// alerts are kept oldest first.
type alerts struct {
	rows   []store.Alert
	last   int64            // the highest id that was given
	firing map[string]int64 // by key
	sinks  map[string]int64 // what each has acknowledged
	floor  int64            // what every sink has acknowledged
}

func newAlerts() alerts { return alerts{firing: map[string]int64{}, sinks: map[string]int64{}} }

func (a *alerts) clone() alerts {
	c := *a
	c.rows, c.firing, c.sinks = slices.Clone(a.rows), maps.Clone(a.firing), maps.Clone(a.sinks)
	return c
}

// past is the index of the first row whose id is higher.
func (a *alerts) past(id int64) int {
	at, found := slices.BinarySearchFunc(a.rows, id, func(row store.Alert, id int64) int { return cmp.Compare(row.ID, id) })
	if found {
		at++
	}
	return at
}

func (a *alerts) add(rows []store.Alert) {
	for i := range rows {
		row := rows[i]
		row.Data, row.ResolvedAt, row.Resolves, row.Delivered = bytes.Clone(row.Data), 0, 0, false
		firing := a.firing[row.Key]
		switch {
		case row.Ends && firing == 0, !row.Ends && firing != 0:
			continue
		case row.Ends:
			over := &a.rows[a.past(firing)-1]
			over.ResolvedAt = store.Over(row.At)
			row.At, row.Kind, row.Saga, row.Service, row.Data = over.At, over.Kind, over.Saga, over.Service, over.Data
			row.ResolvedAt, row.Resolves, row.Ends = over.ResolvedAt, over.ID, false
			delete(a.firing, row.Key)
		case row.Key == "":
			row.ResolvedAt = store.Over(row.At)
		default:
			a.firing[row.Key] = a.last + 1
		}
		a.last++
		row.ID = a.last
		a.rows = append(a.rows, row)
	}
}

// told moves the floor to what every sink has acknowledged.
func (a *alerts) told() {
	low := int64(math.MaxInt64)
	for _, acked := range a.sinks {
		low = min(low, acked)
	}
	if len(a.sinks) > 0 {
		a.floor = max(a.floor, low)
	}
}

func (a *alerts) show(row store.Alert) store.Alert {
	row.Data, row.Delivered = bytes.Clone(row.Data), row.ID <= a.floor
	return row
}

// Alerts implements [store.Store].
func (s *Store) Alerts(ctx context.Context, f store.AlertFilter) (page []store.Alert, next string, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, "", err
	}
	before, err := store.AlertCursor.Before(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	limit := store.PageLimit(f.Limit)
	for i := s.alerts.past(before-1) - 1; i >= 0; i-- {
		row := &s.alerts.rows[i]
		if f.Firing && row.ResolvedAt != 0 || !f.Notices && row.Resolves != 0 || len(f.Kinds) > 0 && !slices.Contains(f.Kinds, row.Kind) {
			continue
		}
		if len(page) == limit {
			return page, store.AlertCursor.At(page[limit-1].ID), nil
		}
		page = append(page, s.alerts.show(*row))
	}
	return page, "", nil
}

// AlertSinks implements [store.Store].
func (s *Store) AlertSinks(ctx context.Context, epoch int64, sinks []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return err
	}
	known := s.alerts.sinks
	s.alerts.sinks = map[string]int64{}
	for _, name := range sinks {
		s.alerts.sinks[name] = max(known[name], s.alerts.floor)
	}
	s.alerts.told()
	return nil
}

// PendingAlerts implements [store.Store].
func (s *Store) PendingAlerts(ctx context.Context, sink string, limit int) ([]store.Alert, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	rows := s.alerts.rows[s.alerts.past(max(s.alerts.sinks[sink], s.alerts.floor)):]
	var pending []store.Alert
	for _, row := range rows[:min(len(rows), store.PageLimit(limit))] {
		pending = append(pending, s.alerts.show(row))
	}
	return pending, nil
}

// AlertsDelivered implements [store.Store].
func (s *Store) AlertsDelivered(ctx context.Context, epoch int64, sink string, upTo int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return err
	}
	if acked, known := s.alerts.sinks[sink]; known {
		s.alerts.sinks[sink] = max(acked, min(upTo, s.alerts.last))
		s.alerts.told()
	}
	return nil
}

// PurgeAlerts implements [store.Store].
func (s *Store) PurgeAlerts(ctx context.Context, epoch, before int64, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return 0, err
	}
	n := 0
	s.alerts.rows = slices.DeleteFunc(s.alerts.rows, func(row store.Alert) bool {
		if n == store.PageLimit(limit) || row.ResolvedAt == 0 || row.ResolvedAt >= before || row.ID > s.alerts.floor {
			return false
		}
		n++
		return true
	})
	return n, nil
}
