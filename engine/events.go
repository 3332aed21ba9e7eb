package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// A bell wakes all who wait for what comes next.
type bell struct {
	mu    sync.Mutex
	rings int64
	next  chan struct{} // nil: nobody waits
}

// wait returns a channel that the next ring closes, and how often it has rung before.
func (b *bell) wait() (next <-chan struct{}, rings int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next, b.rings
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rings++
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}

const (
	// eventPoll bounds how long an event of another node stays unseen.
	eventPoll = 2 * time.Second
	// newAlerts bounds the alerts that one reading looks through.
	newAlerts = 100
)

// An eventCursor is a place in the journal, the alerts, the revisions of operations
// and the changes of services, and how many events past that place are seen already: a
// page of rows has one cursor, each of its events needs one.
type eventCursor struct {
	seen     int64
	alert    int64
	revision int64
	process  int64 // that counts the changes
	change   int64
	journal  string
}

// numbers are what comes before the journal's cursor, in this order.
func (c *eventCursor) numbers() [5]*int64 {
	return [...]*int64{&c.seen, &c.alert, &c.revision, &c.process, &c.change}
}

func (c eventCursor) String() string {
	var b []byte
	for _, n := range c.numbers() {
		b = append(strconv.AppendInt(b, *n, 36), '.')
	}
	return string(b) + c.journal
}

func parseEventCursor(s string) (c eventCursor, ok bool) {
	for _, n := range c.numbers() {
		text, rest, found := strings.Cut(s, ".")
		var err error
		if *n, err = strconv.ParseInt(text, 36, 64); !found || err != nil || *n < 0 {
			return c, false
		}
		s = rest
	}
	c.journal = s
	return c, s != ""
}

// Events returns up to limit events (a few more where one transition makes
// several) past the cursor, oldest first, and the cursor that resumes after
// them. It waits until there is one, or until ctx ends, whose error it returns
// with a cursor that is still good. The empty cursor is the end: what happens
// from now on. A cursor that is not known gives one [unwind.EventReset]. After both,
// and after one of another process, every service is told of as it stands.
func (e *Engine) Events(ctx context.Context, cursor string, limit int) ([]unwind.Event, string, error) {
	at, ok := parseEventCursor(cursor)
	if !ok {
		end, err := e.eventsEnd(ctx)
		if err != nil {
			return nil, "", err
		}
		if cursor != "" {
			return reset(end), end.String(), nil
		}
		at = end
	}
	e.standings.watch()
	defer e.standings.leave()
	timer := time.NewTimer(eventPoll)
	defer timer.Stop()
	for {
		committed, rings := e.committed.wait()
		var events []unwind.Event
		next := at
		page, err := e.fan.read(ctx, pageKey{at, limit}, rings, func(newest *eventPage) (*eventPage, error) { return e.readEvents(ctx, at, limit, newest) })
		if err == nil {
			events, next = page.events, page.next
		}
		if unwind.CodeOf(err) == unwind.InvalidRequest {
			end, err := e.eventsEnd(ctx)
			return reset(end), end.String(), err
		}
		if err != nil || len(events) > 0 {
			return events, next.String(), err
		}
		at = next
		select {
		case <-committed:
		case <-timer.C:
			timer.Reset(eventPoll)
		case <-e.stopped:
			return nil, at.String(), unwind.Errorf(unwind.StoreUnavailable, "%w", errStopped)
		case <-ctx.Done():
			return nil, at.String(), ctx.Err()
		}
	}
}

func reset(end eventCursor) []unwind.Event {
	return []unwind.Event{{Cursor: end.String(), Kind: unwind.EventReset, Data: json.RawMessage("null")}}
}

func (e *Engine) eventsEnd(ctx context.Context) (eventCursor, error) {
	_, journal, err := e.store.Journal(ctx, "now", 1)
	if err != nil {
		return eventCursor{}, failed("reading the end of the journal", err)
	}
	alerts, _, err := e.store.Alerts(ctx, store.AlertFilter{Notices: true, Limit: 1})
	if err != nil {
		return eventCursor{}, failed("reading the last alert", err)
	}
	end := eventCursor{journal: journal}
	if len(alerts) > 0 {
		end.alert = alerts[0].ID
	}
	end.revision, err = e.store.LastRevision(ctx)
	if err != nil {
		return eventCursor{}, failed("reading the last revision of operations", err)
	}
	return end, nil
}

// readEvents reads what is there past the cursor: a page of the journal, then,
// at the journal's end, the alerts that are new and the operations that have changed;
// at last the services that stand differently now, wherever in the journal that is.
func (e *Engine) readEvents(ctx context.Context, at eventCursor, limit int, newest *eventPage) (*eventPage, error) {
	all, journal, err := e.store.Journal(ctx, at.journal, limit)
	if err != nil {
		return nil, failed("reading the journal", err)
	}
	rows, joined := newest.upTo(all)
	if joined {
		journal = newest.next.journal
	}
	var events []unwind.Event
	for i := range rows {
		if events, err = e.rowEvents(ctx, events, &rows[i]); err != nil {
			return nil, err
		}
	}
	within, end := at, at
	for k := range events {
		within.seen = int64(k + 1)
		events[k].Cursor = within.String()
	}
	end.seen, end.journal = 0, journal
	if len(events) > 0 {
		events[len(events)-1].Cursor = end.String()
	}
	events = events[min(at.seen, int64(len(events))):]
	if !joined && len(all) < store.PageLimit(limit) {
		alerts, err := e.alertEvents(ctx, &end)
		if err != nil {
			return nil, err
		}
		events = append(events, alerts...)
		ops, err := e.operationEvents(ctx, &end)
		if err != nil {
			return nil, err
		}
		events = append(events, ops...)
	}
	events = append(events, e.standings.since(&end, limit)...)
	page := &eventPage{events: events, next: end}
	if n := len(rows); n > 0 {
		page.last = &rows[n-1]
	}
	return page, nil
}

// rowEvents appends the events of one transition: the saga's, and one for each
// dead letter that it touched.
func (e *Engine) rowEvents(ctx context.Context, events []unwind.Event, row *store.JournalRow) ([]unwind.Event, error) {
	at := unwind.TimeFromMicros(row.At)
	saga := unwind.SagaEvent{ID: row.Saga.String(), Saga: row.Name, At: at, Entries: []unwind.EventEntry{}}
	if row.Damage != nil {
		return appendEvent(events, unwind.EventSaga, &saga) // whoever reads it hears why there is no more
	}
	plan, err := e.plans.view(ctx, row.Name, row.Version)
	if unwind.CodeOf(err) == unwind.StoreUnavailable {
		return nil, err
	}
	raw, broken := machine.DecodeEntries(row.Body)
	if err != nil || broken != nil {
		return appendEvent(events, unwind.EventSaga, &saga)
	}
	saga.Entries = make([]unwind.EventEntry, len(raw))
	var dead []unwind.DeadLetterEvent
	for i := range raw {
		r := &raw[i]
		entry := unwind.EventEntry{Kind: r.Kind, Direction: r.Dir}
		if r.Step >= 0 && r.Step < len(plan.Steps) {
			entry.Step = plan.Steps[r.Step].Name
		}
		saga.Entries[i] = entry
		switch r.Kind {
		case unwind.EntrySagaStarted:
			saga.Status = unwind.Running
		case unwind.EntrySagaCompensating:
			saga.Status = unwind.Compensating
		case unwind.EntrySagaEnded:
			saga.Status = unwind.Status(r.As)
		}
		if state := deadLetterMove(r.Kind); state != "" && entry.Step != "" && r.Dir != "" {
			dead = append(dead, unwind.DeadLetterEvent{
				ID:     store.DeadLetterID{Saga: row.Saga, Step: r.Step, Direction: r.Dir}.Name(),
				SagaID: saga.ID, Saga: saga.Saga, Step: entry.Step, Direction: r.Dir, At: at, State: state,
			})
		}
	}
	if events, err = appendEvent(events, unwind.EventSaga, &saga); err != nil {
		return nil, err
	}
	for i := range dead {
		if events, err = appendEvent(events, unwind.EventDeadLetter, &dead[i]); err != nil {
			return nil, err
		}
	}
	return events, nil
}

func appendEvent(events []unwind.Event, kind unwind.EventKind, data any) ([]unwind.Event, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("writing an event: %w", err)
	}
	return append(events, unwind.Event{Kind: kind, Data: b}), nil
}

func deadLetterMove(entry string) unwind.DeadLetterState {
	switch entry {
	case unwind.EntryDeadLettered, unwind.EntryReopened:
		return unwind.DeadLetterOpen
	case unwind.EntryReplayed:
		return unwind.DeadLetterReplaying
	case unwind.EntryResolved:
		return unwind.DeadLetterResolved
	}
	return ""
}

// alertEvents reads the alerts past the cursor, oldest first, and moves it.
// Where more came than are looked through, a reset says so.
func (e *Engine) alertEvents(ctx context.Context, at *eventCursor) ([]unwind.Event, error) {
	rows, _, err := e.store.Alerts(ctx, store.AlertFilter{Notices: true, Limit: newAlerts})
	if err != nil {
		return nil, failed("reading the alerts", err)
	}
	var fresh []store.Alert
	for i := range rows {
		if rows[i].ID > at.alert {
			fresh = append(fresh, rows[i])
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	if len(fresh) == newAlerts && at.alert > 0 && fresh[len(fresh)-1].ID > at.alert+1 {
		at.alert = fresh[0].ID
		return reset(*at), nil
	}
	var events []unwind.Event
	for i := len(fresh) - 1; i >= 0; i-- {
		a := e.alert(&fresh[i])
		if events, err = appendEvent(events, unwind.EventAlert, &a); err != nil {
			return nil, err
		}
		at.alert = fresh[i].ID
		events[len(events)-1].Cursor = at.String()
	}
	return events, nil
}

// operationEvents reads the operations of later revisions, and moves the cursor.
func (e *Engine) operationEvents(ctx context.Context, at *eventCursor) ([]unwind.Event, error) {
	ops, err := e.store.ChangedOperations(ctx, at.revision, newAlerts)
	if err != nil {
		return nil, failed("reading the operations that have changed", err)
	}
	var events []unwind.Event
	for i := range ops {
		at.revision = ops[i].Revision
		if ops[i].State == store.OperationSelection {
			continue
		}
		op, err := e.operation(ctx, &ops[i])
		if err != nil {
			return nil, err
		}
		if events, err = appendEvent(events, unwind.EventOperation, op); err != nil {
			return nil, err
		}
		events[len(events)-1].Cursor = at.String()
	}
	return events, nil
}
