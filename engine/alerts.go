package engine

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// A Notice is what sinks are told: an alert fires, or it has ended.
type Notice struct {
	// Seq rises from notice to notice.
	Seq int64
	// Ended: the alert is over, and ResolvedAt says since when.
	Ended bool
	unwind.Alert
}

// AlertSinks says which sinks there are: a new one is told of what not all others
// have been told of, and one that is not named is waited for no more.
func (e *Engine) AlertSinks(ctx context.Context, sinks []string) error {
	if err := e.store.AlertSinks(ctx, e.epoch, sinks); err != nil {
		return failed("naming the sinks of alerts", err)
	}
	return nil
}

// PendingAlerts returns the oldest notices that a sink has not acknowledged.
func (e *Engine) PendingAlerts(ctx context.Context, sink string, limit int) ([]Notice, error) {
	rows, err := e.store.PendingAlerts(ctx, sink, limit)
	if err != nil {
		return nil, failed("reading the alerts to be delivered", err)
	}
	notices := make([]Notice, len(rows))
	for i := range rows {
		notices[i] = Notice{Seq: rows[i].ID, Ended: rows[i].Resolves != 0, Alert: e.alert(&rows[i])}
		if !notices[i].Ended {
			notices[i].ResolvedAt = nil // its end has a notice of its own
		}
	}
	return notices, nil
}

// AlertsDelivered records that a sink has acknowledged every notice up to a Seq.
func (e *Engine) AlertsDelivered(ctx context.Context, sink string, upTo int64) error {
	if err := e.store.AlertsDelivered(ctx, e.epoch, sink, upTo); err != nil {
		return failed("recording that alerts were delivered", err)
	}
	return nil
}

// Alerts implements unwind.Service.
func (e *Engine) Alerts(ctx context.Context, f unwind.AlertFilter) (unwind.List[unwind.Alert], error) {
	rows, next, err := e.store.Alerts(ctx, store.AlertFilter{Firing: f.Firing, Cursor: f.Cursor, Limit: store.PageLimit(f.Limit)})
	if err != nil {
		return unwind.List[unwind.Alert]{}, failed("listing alerts", err)
	}
	list := unwind.List[unwind.Alert]{Items: make([]unwind.Alert, 0, len(rows)), NextCursor: next}
	for i := range rows {
		list.Items = append(list.Items, e.alert(&rows[i]))
	}
	return list, nil
}

// alert is a stored alert, or the one that a notice tells of, as users see it.
func (e *Engine) alert(row *store.Alert) unwind.Alert {
	a := unwind.Alert{}
	if len(row.Data) > 0 {
		_ = json.Unmarshal(row.Data, &a) // its details: the alert stands without them
	}
	a.ID, a.At, a.Kind, a.Key = strconv.FormatInt(row.ID, 10), unwind.TimeFromMicros(row.At), row.Kind, row.Key
	a.Service, a.Message, a.Delivered = row.Service, row.Message, row.Delivered
	if row.Resolves != 0 {
		a.ID = strconv.FormatInt(row.Resolves, 10)
	}
	if row.ResolvedAt != 0 {
		t := unwind.TimeFromMicros(row.ResolvedAt)
		a.ResolvedAt = &t
	}
	if row.Saga != (id.ID{}) {
		a.SagaID = row.Saga.String()
	}
	a.Runbook, a.Link = e.cfg.AlertLinks.runbook(a.Kind), e.cfg.AlertLinks.link(&a)
	return a
}
