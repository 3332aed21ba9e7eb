package sim

import (
	"context"
	"strings"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/sagatest/history"
	"github.com/unwindhq/unwind/store"
)

// A journal follows the store's.
type journal struct {
	cursor string
}

// readJournal writes down what has become durable.
func (w *world) readJournal() {
	for {
		rows, next, err := w.store.Journal(context.Background(), w.stored.cursor, 1000)
		if err != nil {
			panic(err)
		}
		w.stored.cursor = next
		for i := range rows {
			w.journalRow(&rows[i])
		}
		if len(rows) < 1000 {
			return
		}
	}
}

func (w *world) journalRow(row *store.JournalRow) {
	entries, err := machine.DecodeEntries(row.Body)
	if err != nil {
		panic(err)
	}
	saga := row.Saga.String()
	of := w.sagas[row.Saga]
	if of.seq == 0 {
		w.lives = append(w.lives, of)
	}
	for i := range entries {
		of.seq++
		w.checkEntry(of, &entries[i])
		l := w.line(&entries[i], of, row.Epoch)
		l.T, l.Node, l.Epoch, l.Event, l.Saga, l.Seq = history.Micros(epoch+w.now), row.Node, row.Epoch, history.Journal, saga, of.seq
		if entries[i].Executed && entries[i].Status == 0 && l.Kind == unwind.EntryActionFailed {
			l.T = history.Micros(int64(entries[i].At) - w.offsets[row.Epoch]) // when the call was given up
		}
		w.log.Engine = append(w.log.Engine, l)
		w.tracef("  %s: %s %s %s %d (%dms)", w.label(row.Saga), l.Kind, l.Step, l.Direction, l.Attempt, (int64(l.Data.NotBefore)-epoch)/1000)
	}
}

// line is an entry as the history wants it.
func (w *world) line(e *machine.Entry, of *life, ep int64) history.Line {
	l := history.Line{Kind: e.Kind, Direction: e.Dir, Attempt: int(e.Attempt), Generation: int(e.Generation)}
	if e.Step >= 0 {
		l.Step = of.recipe.def.Steps[e.Step].Name
	}
	d := &history.Data{
		Ask: e.Ask, MayHaveExecuted: e.Executed, Class: e.Class, Status: e.Status, Message: e.Message, Counted: e.Counted,
		Group: e.Group, Actor: e.Actor, Reason: e.Reason, NewKey: e.NewKey, As: e.As,
	}
	if e.NotBefore > 0 {
		d.NotBefore = history.Micros(int64(e.NotBefore) - w.offsets[ep])
	}
	switch e.Kind {
	case unwind.EntrySagaStarted:
		l.Name = of.recipe.def.Name
		d.Tenant, d.Key, d.InputSHA = of.tenant, of.key, of.inputSHA
	case unwind.EntrySagaCompensating, unwind.EntryCancelRequested:
		d.Cause, d.As = e.As, ""
	case unwind.EntryDeadLettered:
		of.dead = append(of.dead, e.Group)
	case unwind.EntrySagaEnded:
		d.Ended, d.As = unwind.Status(e.As), ""
		of.ended = d.Ended
	case unwind.EntryReplayed, unwind.EntryResolved, unwind.EntryReopened:
		of.ended = ""
	}
	l.Data = d
	return l
}

// readLedger writes down the audit rows and the alerts.
func (w *world) readLedger() {
	ctx := context.Background()
	for cursor := ""; ; {
		rows, next, err := w.store.Audit(ctx, store.AuditFilter{Cursor: cursor, Limit: 1000})
		if err != nil {
			panic(err)
		}
		for i := range rows {
			l := history.Line{T: history.Micros(rows[i].At), Event: history.Audit, Op: rows[i].Action, Data: &history.Data{Actor: rows[i].Actor, Reason: rows[i].Reason}}
			parts := strings.Split(rows[i].Target, "/")
			l.Saga = parts[0]
			if len(parts) == 3 {
				l.Step, l.Direction = parts[1], unwind.Direction(parts[2])
			}
			w.log.Engine = append(w.log.Engine, l)
		}
		if cursor = next; next == "" {
			break
		}
	}
	for cursor := ""; ; {
		alerts, next, err := w.store.Alerts(ctx, store.AlertFilter{Cursor: cursor, Limit: 1000})
		if err != nil {
			panic(err)
		}
		for i := range alerts {
			w.alert(&alerts[i])
		}
		if cursor = next; next == "" {
			return
		}
	}
}

func (w *world) alert(a *store.Alert) {
	if a.Saga == (id.ID{}) {
		return
	}
	l := history.Line{T: history.Micros(a.At), Event: history.Alert, Saga: a.Saga.String(), Note: a.Kind}
	if group, is := strings.CutPrefix(a.Key, unwind.AlertDeadLetter+"/"); is {
		w.told[group] = true
		l.Data = &history.Data{Group: group}
	}
	w.log.Engine = append(w.log.Engine, l)
}
