package engine

import (
	"context"
	"strconv"

	"github.com/unwindhq/unwind"
)

// PendingAlerts returns the oldest alerts that no sink has acknowledged.
func (e *Engine) PendingAlerts(ctx context.Context, limit int) ([]unwind.Alert, error) {
	rows, err := e.store.PendingAlerts(ctx, limit)
	if err != nil {
		return nil, failed("reading the alerts to be delivered", err)
	}
	alerts := make([]unwind.Alert, len(rows))
	for i := range rows {
		alerts[i] = Alert(&rows[i])
	}
	return alerts, nil
}

// AlertsDelivered records that the sinks have acknowledged alerts.
func (e *Engine) AlertsDelivered(ctx context.Context, ids []string) error {
	rows := make([]int64, 0, len(ids))
	for _, text := range ids {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return unwind.Errorf(unwind.NotFound, "there is no alert %q", text)
		}
		rows = append(rows, n)
	}
	if err := e.store.AlertsDelivered(ctx, e.epoch, rows); err != nil {
		return failed("recording that alerts were delivered", err)
	}
	return nil
}
