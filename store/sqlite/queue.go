package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

// changeTasks puts the tasks of a transition into their queues, or takes them out.
func (w *writer) changeTasks(t *store.Transition) error {
	rid := t.Saga.Sequence()
	for i := range t.Tasks {
		c := &t.Tasks[i]
		if c.Delete {
			w.dropTask.BindInt64(1, rid)
			w.dropTask.BindInt64(2, int64(c.Step))
			if err := exec(w.dropTask); err != nil {
				return fmt.Errorf("taking the task of step %d out of its queue: %w", c.Step, err)
			}
			continue
		}
		target, err := w.name(c.Target)
		if err != nil {
			return err
		}
		sagaType, err := w.name(c.SagaType)
		if err != nil {
			return err
		}
		p := w.putTask
		p.BindInt64(1, rid)
		p.BindInt64(2, int64(c.Step))
		p.BindBytes(3, t.Saga[:])
		p.BindInt64(4, target)
		p.BindInt64(5, sagaType)
		p.BindInt64(6, int64(c.Class))
		p.BindText(7, c.Tenant)
		p.BindInt64(8, int64(c.Generation))
		p.BindInt64(9, int64(c.Attempt))
		p.BindInt64(10, c.Due)
		p.BindInt64(11, c.QueuedAt)
		p.BindBool(12, c.Ask)
		p.BindInt64(13, w.epoch)
		if err := exec(p); err != nil {
			return fmt.Errorf("putting the task of step %d into its queue: %w", c.Step, err)
		}
	}
	return nil
}

const tasksQuery = `SELECT saga, step, generation, attempt, due, queued, ask, epoch
	FROM task INDEXED BY task_queue WHERE target = ? AND type = ? AND tenant = ? AND class = ?
	ORDER BY due, rid, step LIMIT ?`

// Tasks implements [store.Store].
func (s *Store) Tasks(ctx context.Context, q store.Queue, limit int) (found []store.Task, err error) {
	target, known := s.names.known(q.Target)
	sagaType, alsoKnown := s.names.known(q.SagaType)
	if !known || !alsoKnown {
		return nil, s.usable(ctx)
	}
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, tasksQuery, func(stmt *sqlite.Stmt) error {
			t := store.Task{
				Step: stmt.ColumnInt(1), Queue: q,
				Generation: uint32(stmt.ColumnInt64(2)), Attempt: uint32(stmt.ColumnInt64(3)),
				Due: stmt.ColumnInt64(4), QueuedAt: stmt.ColumnInt64(5), Ask: stmt.ColumnBool(6), Epoch: stmt.ColumnInt64(7),
			}
			stmt.ColumnBytes(0, t.Saga[:])
			found = append(found, t)
			return nil
		}, target, sagaType, q.Tenant, int64(q.Class), int64(store.PageLimit(limit)))
	})
	if err != nil {
		return nil, fmt.Errorf("reading the queue of %s for %s: %w", q.Target, q.SagaType, err)
	}
	return found, nil
}

// Queues implements [store.Store].
func (s *Store) Queues(ctx context.Context, now int64) (depths []store.QueueDepth, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, `SELECT target.text, type.text, tenant, class, ready, tasks - ready, oldest FROM (
				SELECT target, type, tenant, class, sum(due <= ?) ready, count(*) tasks, min(queued) oldest
				FROM task INDEXED BY task_queue GROUP BY target, type, tenant, class) q
			JOIN name target ON target.id = q.target JOIN name type ON type.id = q.type
			ORDER BY 1, 2, 3, 4`, func(stmt *sqlite.Stmt) error {
			depths = append(depths, store.QueueDepth{
				Queue: store.Queue{Target: stmt.ColumnText(0), SagaType: stmt.ColumnText(1), Tenant: stmt.ColumnText(2), Class: uint8(stmt.ColumnInt64(3))},
				Ready: stmt.ColumnInt(4), BackingOff: stmt.ColumnInt(5), Oldest: stmt.ColumnInt64(6),
			})
			return nil
		}, now)
	})
	if err != nil {
		return nil, fmt.Errorf("counting the queues: %w", err)
	}
	return depths, nil
}
