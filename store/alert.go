package store

import (
	"context"

	"github.com/unwindhq/unwind/internal/id"
)

// Alerts keeps what a person must know, and what each sink has been told of it.
// Batches write alerts.
//
// An alert with a key fires until a batch ends it: while it does, another of its
// key is not written. Its end is a row of its own, the notice, which sinks are
// told of like of the alert itself.
type Alerts interface {
	// Alerts returns alerts, newest first.
	Alerts(ctx context.Context, f AlertFilter) (alerts []Alert, next string, err error)
	// AlertSinks says which sinks there are. A new one has acknowledged what every
	// other had; what is known of one that is not named is forgotten.
	AlertSinks(ctx context.Context, epoch int64, sinks []string) error
	// PendingAlerts returns the oldest alerts and notices that a sink has not
	// acknowledged. A sink that AlertSinks did not name is one that is new.
	PendingAlerts(ctx context.Context, sink string, limit int) ([]Alert, error)
	// AlertsDelivered records that a sink has acknowledged everything up to an id.
	// An earlier id than before, or a sink that AlertSinks did not name, changes nothing.
	AlertsDelivered(ctx context.Context, epoch int64, sink string, upTo int64) error
	// PurgeAlerts deletes up to limit alerts and notices, oldest first, that are over
	// since before the given time and that every sink has acknowledged. It reports how
	// many it deleted.
	PurgeAlerts(ctx context.Context, epoch int64, before int64, limit int) (int, error)
}

// An Alert is a stored alert. The store gives it its ID, which rises and is never
// given twice, and says what became of it: ResolvedAt, Resolves, Delivered.
type Alert struct {
	ID   int64
	At   int64
	Kind string
	// Key is the alert's identity while it fires. Without one it is over at once.
	Key     string
	Saga    id.ID // zero: none
	Service string
	Message string
	Data    []byte
	// Ends, in a batch, ends the alert of the Key that fires: At is when, and the
	// notice has the Message and the rest of the alert. Where none fires nothing is written.
	Ends bool
	// ResolvedAt is when it was over; 0: it fires.
	ResolvedAt int64
	// Resolves is, of a notice, the alert that has ended; 0: it is no notice.
	Resolves int64
	// Delivered: every sink has acknowledged it.
	Delivered bool
}

// Over is the ResolvedAt of an alert that ends at a time: never 0.
func Over(at int64) int64 { return max(at, 1) }

// An AlertFilter selects alerts; zero fields match all.
type AlertFilter struct {
	// Firing leaves out what is over.
	Firing bool
	// Kinds are those that are wanted; none: all.
	Kinds []string
	// Notices are listed beside the alerts.
	Notices bool
	Cursor  string
	Limit   int
}
