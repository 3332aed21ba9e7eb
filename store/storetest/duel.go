package storetest

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// own makes what a store may choose for itself comparable: epochs become the
// numbers of their joins, and the ids of alerts are left out once their order is
// checked.
func (s *side) own(o observation) (observation, error) {
	for _, sagas := range [][]store.Saga{o.Sagas, o.Listed, o.Due} {
		s.ownSagas(sagas)
	}
	s.ownRows(o.Journal)
	s.ownTasks(o.Tasks)
	for _, alerts := range [][]store.Alert{o.Alerts, o.Firing, reversed(o.Pending), reversed(o.Lacking)} {
		ownNotices(alerts)
		if err := falling(alerts, func(a *store.Alert) *int64 { return &a.ID }); err != nil {
			return o, fmt.Errorf("the ids of alerts: %w", err)
		}
	}
	return o, nil
}

// ownNotices leaves out which alert a notice tells of: its key says that.
func ownNotices(alerts []store.Alert) {
	for i := range alerts {
		alerts[i].Resolves = min(alerts[i].Resolves, 1)
	}
}

func (s *side) ownSagas(sagas []store.Saga) {
	for i := range sagas {
		sagas[i].Epoch = s.join(sagas[i].Epoch)
		s.ownRows(sagas[i].Journal)
	}
}

func (s *side) ownRows(rows []store.JournalRow) {
	for i := range rows {
		rows[i].Epoch = s.join(rows[i].Epoch)
	}
}

func (s *side) ownTasks(tasks []store.Task) {
	for i := range tasks {
		tasks[i].Epoch = s.join(tasks[i].Epoch)
	}
}

// falling checks that ids fall from row to row, and leaves them out.
func falling[T any](rows []T, number func(*T) *int64) error {
	for i := range rows {
		if n := *number(&rows[i]); n <= 0 || i > 0 && n >= *number(&rows[i-1]) {
			return fmt.Errorf("%d comes after a younger row; ids are positive and rise", n)
		}
	}
	for i := range rows {
		*number(&rows[i]) = 0
	}
	return nil
}

func reversed(alerts []store.Alert) []store.Alert {
	// In place: the order is judged, and both sides are reversed alike.
	for i, j := 0, len(alerts)-1; i < j; i, j = i+1, j-1 {
		alerts[i], alerts[j] = alerts[j], alerts[i]
	}
	return alerts
}

// lookAround compares everything.
func (d *duel) lookAround(r *rapid.T) {
	d.same(r, "everything", func(s *side) (any, error) {
		o, err := observe(d.ctx, s, 20)
		if err != nil {
			return nil, err
		}
		return s.own(o)
	})
}

func (d *duel) claim(r *rapid.T) {
	due, until, limit := draw(r, "after due", dues...), draw(r, "until", dues...), draw(r, "limit", 1, 2, 5, 0)
	var after id.ID
	if len(d.sagas) > 0 && rapid.Bool().Draw(r, "after a saga") {
		after = d.drawSaga(r).id
	}
	d.same(r, "ClaimDue", func(s *side) (any, error) {
		sagas, err := s.ClaimDue(d.ctx, due, after, until, limit)
		s.ownSagas(sagas)
		return sagas, err
	})
	q := draw(r, "queue", queues...)
	d.same(r, "Tasks", func(s *side) (any, error) {
		tasks, err := s.Tasks(d.ctx, q, limit)
		s.ownTasks(tasks)
		return tasks, err
	})
}

// lookUp asks for single rows, some of which do not exist.
func (d *duel) lookUp(r *rapid.T) {
	tenant, name, key := draw(r, "tenant", tenants...), draw(r, "name", names...), draw(r, "key", "", "k1", "k2", "k3")
	d.same(r, "FindKey", func(s *side) (any, error) { return s.FindKey(d.ctx, tenant, name, key) })
	version := draw(r, "version", "", "A", "B", "C")
	d.same(r, "Definition", func(s *side) (any, error) { return s.Definition(d.ctx, name, version) })
	if len(d.sagas) == 0 {
		return
	}
	c := d.drawDeadLetter(r, d.drawSaga(r).id)
	var dead store.DeadLetterID
	if c.Open != nil {
		dead = c.Open.DeadLetterID
	} else {
		dead = c.Move.DeadLetterID
	}
	d.same(r, "DeadLetter", func(s *side) (any, error) { return s.DeadLetter(d.ctx, dead) })
}

// A heldCursor is where both stores stand in the same list, perhaps since long.
type heldCursor struct {
	list           string
	page           func(s *side, cursor string, limit int) (rows any, next string, err error)
	model, subject string
}

// openList begins to read a list.
func (d *duel) openList(r *rapid.T) {
	h := heldCursor{list: draw(r, "list", "sagas", "dead letters", "journal", "alerts", "audit")}
	switch h.list {
	case "sagas":
		f := d.drawFilter(r)
		h.page = func(s *side, cursor string, limit int) (any, string, error) {
			g := f
			g.Cursor, g.Limit = cursor, limit
			rows, next, err := s.List(d.ctx, g)
			s.ownSagas(rows)
			return rows, next, err
		}
	case "dead letters":
		f := drawDeadLetterFilter(r)
		f.OldestFirst = rapid.Bool().Draw(r, "oldest first")
		h.page = func(s *side, cursor string, limit int) (any, string, error) {
			g := f
			g.Cursor, g.Limit = cursor, limit
			return pageOf(s.DeadLetters(d.ctx, g))
		}
	case "journal":
		if rapid.Bool().Draw(r, "from now") {
			h.model, h.subject = "now", "now"
		}
		h.page = func(s *side, cursor string, limit int) (any, string, error) {
			rows, next, err := s.Journal(d.ctx, cursor, limit)
			s.ownRows(rows)
			return rows, next, err
		}
	case "alerts":
		h.page = func(s *side, cursor string, limit int) (any, string, error) {
			rows, next, err := s.Alerts(d.ctx, store.AlertFilter{Notices: true, Cursor: cursor, Limit: limit})
			if ownNotices(rows); err == nil {
				err = falling(rows, func(a *store.Alert) *int64 { return &a.ID })
			}
			return rows, next, err
		}
	case "audit":
		if rapid.Bool().Draw(r, "from the oldest") {
			h.model, h.subject = store.AuditOldest, store.AuditOldest
		}
		f := store.AuditFilter{Action: draw(r, "action", "", "cancel", "put"), Target: draw(r, "target", "", "batch"), Since: draw(r, "since", 0, d.now-2)}
		h.page = func(s *side, cursor string, limit int) (any, string, error) {
			g := f
			g.Cursor, g.Limit = cursor, limit
			return pageOf(s.Audit(d.ctx, g))
		}
	}
	d.read(r, h)
}

func pageOf[T any](rows []T, next string, err error) (any, string, error) { return rows, next, err }

// resumeList reads on in a list that was opened before.
func (d *duel) resumeList(r *rapid.T) {
	if len(d.held) == 0 {
		r.Skip("no list is open")
	}
	d.read(r, d.held[rapid.IntRange(0, len(d.held)-1).Draw(r, "held cursor")])
}

// read reads one page and holds its next cursor.
func (d *duel) read(r *rapid.T, h heldCursor) {
	limit := draw(r, "limit", 1, 2, 5, 0)
	next := h
	d.same(r, "a page of "+h.list, func(s *side) (any, error) {
		from, to := h.model, &next.model
		if s == d.subject {
			from, to = h.subject, &next.subject
		}
		rows, cursor, err := h.page(s, from, limit)
		*to = cursor
		return struct {
			Rows any
			More bool
		}{rows, cursor != ""}, err
	})
	if next.model != "" {
		d.held = append(d.held, next)
	}
}
