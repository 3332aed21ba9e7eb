package storetest

import (
	"context"
	"fmt"
	"math"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// An observation is all that a store answers, each list followed to its end.
type observation struct {
	Sagas       []store.Saga // with journals, newest first
	Listed      []store.Saga
	Due         []store.Saga
	Queues      []store.QueueDepth
	Tasks       []store.Task
	DeadLetters []store.DeadLetter
	Groups      []counted
	Notes       []store.Note
	Operations  []operated
	Journal     []store.JournalRow
	Definitions []store.Definition
	Alerts      []store.Alert
	Firing      []store.Alert
	Pending     []store.Alert // of the sink "pager"
	Lacking     []store.Alert // of the sink "chat"
	Audit       []store.Audit
	AuditHead   store.AuditHead
	Controls    []store.Control
	Flow        []store.FlowState
	Stats       unwind.Stats
}

const most = 1000 // rows of a page

func (s *scene) observe() observation {
	s.Helper()
	return must(observe(s.Context(), s.Store, begin+3600*second))(s)
}

// observe reads everything; now divides the tasks that are ready from those that
// back off.
func observe(ctx context.Context, st store.Store, now int64) (o observation, err error) {
	o.Listed = read(&err, "the sagas", func() ([]store.Saga, error) {
		return all(func(cursor string) ([]store.Saga, string, error) {
			return st.List(ctx, store.Filter{Cursor: cursor, Limit: most})
		})
	})
	for i := range o.Listed {
		o.Sagas = append(o.Sagas, read(&err, "a listed saga", func() (store.Saga, error) { return st.Load(ctx, o.Listed[i].ID) }))
	}
	o.Due = read(&err, "what is due", func() ([]store.Saga, error) { return claimAll(ctx, st, most) })
	o.Queues = read(&err, "the queues", func() ([]store.QueueDepth, error) { return st.Queues(ctx, now) })
	for _, q := range o.Queues {
		o.Tasks = append(o.Tasks, read(&err, "a queue", func() ([]store.Task, error) { return st.Tasks(ctx, q.Queue, most) })...)
	}
	o.DeadLetters = read(&err, "the dead letters", func() ([]store.DeadLetter, error) {
		return all(func(cursor string) ([]store.DeadLetter, string, error) {
			return st.DeadLetters(ctx, store.DeadLetterFilter{Cursor: cursor, Limit: most})
		})
	})
	o.Groups = read(&err, "the groups of dead letters", func() ([]counted, error) {
		groups, err := st.DeadLetterGroups(ctx)
		return countedOf(groups), err
	})
	for i := range o.DeadLetters {
		o.Notes = append(o.Notes, read(&err, "the notes", func() ([]store.Note, error) { return st.Notes(ctx, o.DeadLetters[i].DeadLetterID) })...)
	}
	o.Operations = read(&err, "the operations", func() ([]operated, error) { return operations(ctx, st) })
	o.Journal = read(&err, "the journal", func() ([]store.JournalRow, error) { return journalFrom(ctx, st, "", most) })
	o.Definitions = read(&err, "the definitions", func() ([]store.Definition, error) { return st.Definitions(ctx) })
	o.Alerts = read(&err, "the alerts", func() ([]store.Alert, error) {
		return all(func(cursor string) ([]store.Alert, string, error) {
			return st.Alerts(ctx, store.AlertFilter{Notices: true, Cursor: cursor, Limit: most})
		})
	})
	o.Firing = read(&err, "the alerts that fire", func() ([]store.Alert, error) {
		return all(func(cursor string) ([]store.Alert, string, error) {
			return st.Alerts(ctx, store.AlertFilter{Firing: true, Cursor: cursor, Limit: most})
		})
	})
	o.Pending = read(&err, "the pending alerts", func() ([]store.Alert, error) { return st.PendingAlerts(ctx, "pager", most) })
	o.Lacking = read(&err, "the alerts that another sink lacks", func() ([]store.Alert, error) { return st.PendingAlerts(ctx, "chat", most) })
	o.Audit = read(&err, "the audit", func() ([]store.Audit, error) {
		return all(func(cursor string) ([]store.Audit, string, error) {
			return st.Audit(ctx, store.AuditFilter{Cursor: cursor, Limit: most})
		})
	})
	o.AuditHead = read(&err, "the audit's head", func() (store.AuditHead, error) { return st.AuditHead(ctx) })
	o.Controls = read(&err, "the controls", func() ([]store.Control, error) { return st.Controls(ctx) })
	o.Flow = read(&err, "the states of flow control", func() ([]store.FlowState, error) { return st.FlowStates(ctx) })
	o.Stats = read(&err, "the stats", func() (unwind.Stats, error) { return st.Stats(ctx) })
	return o, err
}

// An operated is an operation with its items and their counts.
type operated struct {
	store.Operation
	Items  []store.Item
	Counts []store.ItemCount
}

func operations(ctx context.Context, st store.Store) ([]operated, error) {
	ops, err := all(func(cursor string) ([]store.Operation, string, error) {
		return st.Operations(ctx, store.OperationFilter{Cursor: cursor, Limit: most})
	})
	var out []operated
	for i := range ops {
		o := operated{Operation: ops[i]}
		for outcome := store.ItemQueued; outcome <= store.ItemSkipped; outcome++ {
			items := read(&err, "items", func() ([]store.Item, error) { return st.Items(ctx, o.ID, outcome, 0, most) })
			o.Items = append(o.Items, items...)
		}
		o.Counts = read(&err, "counts", func() ([]store.ItemCount, error) { return st.CountItems(ctx, o.ID, 0) })
		out = append(out, o)
	}
	return out, err
}

// read reads one part, unless reading another failed before.
func read[T any](err *error, what string, part func() (T, error)) (v T) {
	if *err != nil {
		return v
	}
	v, e := part()
	if e != nil {
		*err = fmt.Errorf("reading %s: %w", what, e)
	}
	return v
}

// all follows a list's cursors to its end.
func all[T any](page func(cursor string) ([]T, string, error)) ([]T, error) {
	var rows []T
	for cursor := ""; ; {
		more, next, err := page(cursor)
		if err != nil {
			return nil, err
		}
		if rows = append(rows, more...); next == "" {
			return rows, nil
		}
		cursor = next
	}
}

// claimAll returns every saga that is not at rest, in pages of the given size.
func claimAll(ctx context.Context, st store.Store, size int) ([]store.Saga, error) {
	var sagas []store.Saga
	due, after := store.Active, id.ID{}
	for {
		page, err := st.ClaimDue(ctx, due, after, math.MaxInt64, size)
		if err != nil || len(page) == 0 {
			return sagas, err
		}
		sagas = append(sagas, page...)
		last := page[len(page)-1]
		due, after = last.Due, last.ID
	}
}

// journalFrom returns the journal's rows past a cursor, in pages of the given size.
func journalFrom(ctx context.Context, st store.Store, cursor string, size int) ([]store.JournalRow, error) {
	var rows []store.JournalRow
	for {
		page, next, err := st.Journal(ctx, cursor, size)
		if err != nil || len(page) == 0 {
			return rows, err
		}
		rows, cursor = append(rows, page...), next
	}
}
