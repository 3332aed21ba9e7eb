package sqlite

import (
	"context"
	"fmt"
	"math"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// changeDeadLetter opens a dead letter, or moves it.
func (w *writer) changeDeadLetter(change *store.DeadLetterChange) error {
	if d := change.Open; d != nil {
		if err := w.settleItem(&d.DeadLetterID, store.ItemFailed); err != nil {
			return err
		}
		bind(w.openDead, d.Saga.Sequence(), int64(d.Step), direction(d.Direction), d.Saga[:],
			d.SagaType, d.Tenant, d.StepName, d.Service, d.Key, int64(d.Attempts), int64(d.Throttled),
			d.FirstAt, d.DeadAt, int64(d.Error.Status), string(d.Error.Class), d.Error.Message, d.Group,
			string(d.State), d.Amount, d.By, d.Reason, d.Evidence, d.UpdatedAt)
		if err := exec(w.openDead); err != nil {
			return fmt.Errorf("opening the dead letter of step %d: %w", d.Step, err)
		}
	}
	if m := change.Move; m != nil {
		bind(w.moveDead, m.Saga.Sequence(), int64(m.Step), direction(m.Direction),
			string(m.State), m.At, m.By, m.Reason, m.Evidence, m.State == unwind.DeadLetterReplaying, m.Item.Operation, m.Item.Seq)
		if err := exec(w.moveDead); err != nil {
			return fmt.Errorf("moving the dead letter of step %d: %w", m.Step, err)
		}
		switch {
		case w.conn.Changes() == 0:
		case m.State == unwind.DeadLetterReplaying:
			return w.moveItem(m.Item, store.ItemQueued, store.ItemRunning)
		case m.State == unwind.DeadLetterReplayed:
			return w.settleItem(&m.DeadLetterID, store.ItemSucceeded)
		}
	}
	return nil
}

// settleItem gives the item that a dead letter was replayed for its outcome.
func (w *writer) settleItem(dead *store.DeadLetterID, outcome store.ItemOutcome) error {
	var item store.ItemID
	bind(w.deadItem, dead.Saga.Sequence(), int64(dead.Step), direction(dead.Direction))
	err := rows(w.deadItem, func(s *sqlite.Stmt) error {
		item = store.ItemID{Operation: s.ColumnInt64(0), Seq: s.ColumnInt64(1)}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading what step %d was replayed for: %w", dead.Step, err)
	}
	return w.moveItem(item, store.ItemRunning, outcome)
}

func direction(d unwind.Direction) int64 {
	if d == unwind.Compensation {
		return 1
	}
	return 0
}

const selectDead = `SELECT saga, step, direction, type, tenant, step_name, service, key, attempts, throttled,
	first_at, dead_at, status, error, message, cause, state, amount, by, reason, evidence, updated, rid, owner, replays, operation, item FROM dead_letter `

func readDead(s *sqlite.Stmt) store.DeadLetter {
	d := store.DeadLetter{
		DeadLetterID: store.DeadLetterID{Step: s.ColumnInt(1), Direction: unwind.Action},
		SagaType:     s.ColumnText(3), Tenant: s.ColumnText(4), StepName: s.ColumnText(5), Service: s.ColumnText(6),
		Key: s.ColumnText(7), Attempts: s.ColumnInt(8), Throttled: s.ColumnInt(9),
		FirstAt: s.ColumnInt64(10), DeadAt: s.ColumnInt64(11),
		Error: unwind.CallError{Status: s.ColumnInt(12), Class: unwind.Class(s.ColumnText(13)), Message: s.ColumnText(14)},
		Group: s.ColumnText(15), State: unwind.DeadLetterState(s.ColumnText(16)), Amount: s.ColumnText(17),
		By: s.ColumnText(18), Reason: s.ColumnText(19), Evidence: s.ColumnText(20), UpdatedAt: s.ColumnInt64(21),
		Owner: s.ColumnText(23), Replays: s.ColumnInt64(24), Item: store.ItemID{Operation: s.ColumnInt64(25), Seq: s.ColumnInt64(26)},
	}
	s.ColumnBytes(0, d.Saga[:])
	if s.ColumnInt64(2) == 1 {
		d.Direction = unwind.Compensation
	}
	return d
}

// DeadLetter implements [store.Store].
func (s *Store) DeadLetter(ctx context.Context, dead store.DeadLetterID) (found store.DeadLetter, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		err := each(conn, selectDead+"WHERE rid = ? AND step = ? AND direction = ?", func(stmt *sqlite.Stmt) error {
			found = readDead(stmt)
			return nil
		}, dead.Saga.Sequence(), int64(dead.Step), direction(dead.Direction))
		if err == nil && (found.DeadLetterID != dead || found.StepName == "" && found.DeadAt == 0 && found.State == "") {
			err = store.ErrNotFound
		}
		return err
	})
	if err != nil {
		return store.DeadLetter{}, fmt.Errorf("finding the dead letter of saga %s, step %d, %s: %w", dead.Saga, dead.Step, dead.Direction, err)
	}
	return found, nil
}

// DeadLetters implements [store.Store].
func (s *Store) DeadLetters(ctx context.Context, f store.DeadLetterFilter) (found []store.DeadLetter, next string, err error) {
	list, past, order, end := store.DeadLetterCursor, "<", " DESC", int64(math.MaxInt64)
	if f.OldestFirst {
		list, past, order, end = store.OldestCursor, ">", "", math.MinInt64
	}
	at := []int64{end, end, end, end}
	if f.Cursor != "" {
		if at, err = list.Parse(f.Cursor, 4); err != nil {
			return nil, "", err
		}
	}
	where := strings.Builder{}
	where.WriteString("WHERE (dead_at, rid, step, direction) " + past + " (?, ?, ?, ?)")
	args := []any{at[0], at[1], at[2], at[3]}
	if f.Before != 0 {
		where.WriteString(" AND dead_at < ?")
		args = append(args, f.Before)
	}
	for _, filter := range []struct{ column, value string }{
		{"state", string(f.State)}, {"type", f.SagaType}, {"service", f.Service}, {"cause", f.Group},
	} {
		if filter.value != "" {
			where.WriteString(" AND " + filter.column + " = ?")
			args = append(args, filter.value)
		}
	}
	limit := store.PageLimit(f.Limit)
	query := selectDead + where.String() + " ORDER BY dead_at" + order + ", rid" + order + ", step" + order + ", direction" + order + " LIMIT ?"
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		var place [4]int64
		return each(conn, query, func(stmt *sqlite.Stmt) error {
			if len(found) == limit {
				next = list.At(place[:]...)
				return nil
			}
			found = append(found, readDead(stmt))
			place = [4]int64{stmt.ColumnInt64(11), stmt.ColumnInt64(22), stmt.ColumnInt64(1), stmt.ColumnInt64(2)}
			return nil
		}, append(args, int64(limit)+1)...)
	})
	if err != nil {
		return nil, "", fmt.Errorf("listing dead letters: %w", err)
	}
	return found, next, nil
}
