package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// Get implements unwind.Service.
func (e *Engine) Get(ctx context.Context, saga string) (*unwind.Instance, error) {
	sid, err := parseSaga(saga)
	if err != nil {
		return nil, err
	}
	s, err := e.snapshot(ctx, sid)
	if err != nil {
		return nil, err
	}
	inst := s.Instance()
	if !inst.Status.AtRest() {
		e.overlay(ctx, sid, inst)
	}
	return inst, nil
}

// snapshot reads a saga as it is durable.
func (e *Engine) snapshot(ctx context.Context, saga id.ID) (*node.Snapshot, error) {
	row, err := e.store.Load(ctx, saga)
	if errors.Is(err, store.ErrNotFound) {
		return nil, unwind.Errorf(unwind.NotFound, "there is no saga %s; it may be past its retention", saga)
	}
	if err != nil {
		return nil, unavailable("reading saga "+saga.String(), err)
	}
	return e.restore(ctx, &row)
}

func (e *Engine) restore(ctx context.Context, row *store.Saga) (*node.Snapshot, error) {
	plan, err := e.plans.view(ctx, row.Name, row.Start.Version)
	if err != nil {
		return nil, err
	}
	s, err := node.Restore(plan, row)
	if err != nil {
		return nil, fmt.Errorf("reading saga %s: %w", row.ID, err)
	}
	return &s, nil
}

// History implements unwind.Service.
func (e *Engine) History(ctx context.Context, saga string, page unwind.Page) (unwind.List[unwind.Entry], error) {
	var list unwind.List[unwind.Entry]
	sid, err := parseSaga(saga)
	if err != nil {
		return list, err
	}
	row, err := e.store.Load(ctx, sid)
	if errors.Is(err, store.ErrNotFound) {
		return list, unwind.Errorf(unwind.NotFound, "there is no saga %s; it may be past its retention", saga)
	}
	if err != nil {
		return list, unavailable("reading saga "+saga, err)
	}
	plan, err := e.plans.view(ctx, row.Name, row.Start.Version)
	if err != nil {
		return list, err
	}
	after := int64(0)
	if page.Cursor != "" {
		if after, err = strconv.ParseInt(page.Cursor, 36, 64); err != nil || after < 0 {
			return list, unwind.Errorf(unwind.InvalidRequest, "reading the history of saga %s: the cursor %q is not one of this list; use next_cursor as it came", saga, page.Cursor)
		}
	}
	limit := pageLimit(page.Limit)
	seq := int64(0)
	list.Items = []unwind.Entry{}
	for i := range row.Journal {
		entries, err := Entries(plan, &row.Journal[i])
		if err != nil {
			return list, err
		}
		for _, en := range entries {
			seq++
			if seq <= after {
				continue
			}
			if len(list.Items) == limit {
				list.NextCursor = strconv.FormatInt(seq-1, 36)
				return list, nil
			}
			en.Seq = seq
			list.Items = append(list.Items, en)
		}
	}
	return list, nil
}

// Entries is a journal row as users see it, without sequence numbers.
func Entries(p *machine.Plan, row *store.JournalRow) ([]unwind.Entry, error) {
	raw, err := machine.DecodeEntries(row.Body)
	if err != nil {
		return nil, err
	}
	entries := make([]unwind.Entry, len(raw))
	for i := range raw {
		r := &raw[i]
		entries[i] = unwind.Entry{At: unwind.TimeFromMicros(int64(r.At)), Kind: r.Kind, Direction: r.Dir, Attempt: int(r.Attempt), Node: row.Node, Data: entryData(r)}
		if r.Step >= 0 && r.Step < len(p.Steps) {
			entries[i].Step = p.Steps[r.Step].Name
		}
	}
	return entries, nil
}

// entryData is what an entry says beside its names.
func entryData(r *machine.Entry) json.RawMessage {
	var d struct {
		Generation uint32          `json:"generation,omitempty"`
		NotBefore  *unwind.Time    `json:"not_before,omitempty"`
		Ask        bool            `json:"ask,omitempty"`
		Class      unwind.Class    `json:"class,omitempty"`
		Status     any             `json:"status,omitempty"`
		Message    string          `json:"message,omitempty"`
		Counted    bool            `json:"counted,omitempty"`
		Executed   bool            `json:"may_have_executed,omitempty"`
		Actor      string          `json:"actor,omitempty"`
		Reason     string          `json:"reason,omitempty"`
		Evidence   string          `json:"evidence,omitempty"`
		NewKey     bool            `json:"new_key,omitempty"`
		As         string          `json:"as,omitempty"`
		Cause      string          `json:"cause,omitempty"`
		Group      string          `json:"group,omitempty"`
		Output     json.RawMessage `json:"output,omitempty"`
	}
	d.Generation, d.Ask, d.Class, d.Message, d.Counted, d.Executed = r.Generation, r.Ask, r.Class, r.Message, r.Counted, r.Executed
	d.Actor, d.Reason, d.Evidence, d.NewKey, d.Group, d.Output = r.Actor, r.Reason, r.Evidence, r.NewKey, r.Group, r.Output
	if r.NotBefore > 0 {
		t := unwind.TimeFromMicros(int64(r.NotBefore))
		d.NotBefore = &t
	}
	switch r.Kind {
	case unwind.EntrySagaEnded:
		d.Status = r.As
	case unwind.EntrySagaCompensating, unwind.EntryCancelRequested, unwind.EntryTimerFired:
		d.Cause = r.As
	default:
		d.As = r.As
		if r.Status != 0 {
			d.Status = r.Status
		}
	}
	b, err := json.Marshal(d)
	if err != nil || string(b) == "{}" {
		return nil
	}
	return b
}

func pageLimit(n int) int {
	if n <= 0 {
		return 100
	}
	return min(n, 1000)
}

// List implements unwind.Service.
func (e *Engine) List(ctx context.Context, f unwind.Filter) (unwind.List[unwind.Instance], error) {
	var list unwind.List[unwind.Instance]
	q := store.Filter{Name: f.Saga, Tenant: f.Tenant, Key: f.Key, Cursor: f.Cursor, Limit: pageLimit(f.Limit)}
	if !f.Since.IsZero() {
		q.Since = f.Since.UnixMicro()
	}
	if f.Status != "" {
		phase, ok := phaseOf(f.Status)
		if !ok {
			return list, unwind.Errorf(unwind.InvalidRequest, "listing sagas: the status %q is not known; use running, compensating, completed, compensated or dead_lettered", f.Status)
		}
		q.Phase = &phase
	}
	rows, next, err := e.store.List(ctx, q)
	if err != nil {
		return list, readError("listing sagas", err)
	}
	list.Items, list.NextCursor = make([]unwind.Instance, 0, len(rows)), next
	for i := range rows {
		s, err := e.restore(ctx, &rows[i])
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, *s.Instance())
	}
	return list, nil
}

func phaseOf(s unwind.Status) (uint8, bool) {
	for p := machine.Running; p <= machine.DeadLettered; p++ {
		if p.Status() == s {
			return uint8(p), true
		}
	}
	return 0, false
}

// readError keeps the errors of bad requests and makes the others "unavailable".
func readError(doing string, err error) error {
	var u *unwind.Error
	if errors.As(err, &u) {
		return u
	}
	return unavailable(doing, err)
}

// Definition implements unwind.Service.
func (e *Engine) Definition(ctx context.Context, name string) (unwind.Revision, error) {
	row, err := e.store.Definition(ctx, name, "")
	if errors.Is(err, store.ErrNotFound) {
		return unwind.Revision{}, unwind.Errorf(unwind.UnknownSaga, "there is no saga definition %q", name)
	}
	if err != nil {
		return unwind.Revision{}, unavailable("reading the definition of saga "+name, err)
	}
	return revision(&row)
}

// Definitions implements unwind.Service.
func (e *Engine) Definitions(ctx context.Context, page unwind.Page) (unwind.List[unwind.Revision], error) {
	var list unwind.List[unwind.Revision]
	rows, err := e.store.Definitions(ctx)
	if err != nil {
		return list, unavailable("reading the definitions", err)
	}
	list.Items = []unwind.Revision{}
	limit := pageLimit(page.Limit)
	for i := range rows {
		if rows[i].Name <= page.Cursor {
			continue
		}
		if len(list.Items) == limit {
			list.NextCursor = list.Items[limit-1].Name
			break
		}
		r, err := revision(&rows[i])
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, r)
	}
	return list, nil
}

func revision(row *store.Definition) (unwind.Revision, error) {
	r := unwind.Revision{Name: row.Name, Version: row.Version, CreatedAt: unwind.TimeFromMicros(row.CreatedAt), By: row.By}
	if err := json.Unmarshal(row.Body, &r.Definition); err != nil {
		return r, fmt.Errorf("reading the stored definition of saga %q: %w; the row is damaged", row.Name, err)
	}
	return r, nil
}

// Validate implements unwind.Service.
func (e *Engine) Validate(_ context.Context, def unwind.Definition) ([]unwind.Fault, error) {
	return def.Validate(e.cfg.Participants), nil
}

// DeadLetters implements unwind.Service.
func (e *Engine) DeadLetters(ctx context.Context, f unwind.DeadLetterFilter) (unwind.List[unwind.DeadLetter], error) {
	var list unwind.List[unwind.DeadLetter]
	rows, next, err := e.store.DeadLetters(ctx, store.DeadLetterFilter{SagaType: f.Saga, Service: f.Service, Group: f.Group, State: f.State, Cursor: f.Cursor, Limit: pageLimit(f.Limit)})
	if err != nil {
		return list, readError("listing dead letters", err)
	}
	list.Items, list.NextCursor = make([]unwind.DeadLetter, 0, len(rows)), next
	for i := range rows {
		list.Items = append(list.Items, deadLetter(&rows[i]))
	}
	return list, nil
}

// DeadLetter implements unwind.Service.
func (e *Engine) DeadLetter(ctx context.Context, dead string) (*unwind.DeadLetter, error) {
	row, err := e.findDeadLetter(ctx, dead)
	if err != nil {
		return nil, err
	}
	d := deadLetter(&row)
	page := unwind.Page{Limit: 1000}
	for {
		history, err := e.History(ctx, row.Saga.String(), page)
		if err != nil {
			return nil, err
		}
		for _, en := range history.Items {
			if en.Step == d.Step && (en.Direction == d.Direction || en.Direction == "") {
				d.History = append(d.History, en)
			}
		}
		if page.Cursor = history.NextCursor; page.Cursor == "" {
			return &d, nil
		}
	}
}

func deadLetter(row *store.DeadLetter) unwind.DeadLetter {
	return unwind.DeadLetter{
		ID: deadLetterID(row.DeadLetterID), SagaID: row.Saga.String(), Saga: row.SagaType, Tenant: row.Tenant,
		Step: row.StepName, Direction: row.Direction, Service: row.Service, Key: row.Key, Attempts: row.Attempts, Throttled: row.Throttled,
		FirstAt: unwind.TimeFromMicros(row.FirstAt), DeadAt: unwind.TimeFromMicros(row.DeadAt), Error: row.Error, Group: row.Group, State: row.State,
		Amount: json.RawMessage(row.Amount), By: row.By, Reason: row.Reason, Evidence: row.Evidence, UpdatedAt: unwind.TimeFromMicros(row.UpdatedAt),
	}
}

// Alerts implements unwind.Service.
func (e *Engine) Alerts(ctx context.Context, page unwind.Page) (unwind.List[unwind.Alert], error) {
	rows, next, err := e.store.Alerts(ctx, page.Cursor, pageLimit(page.Limit))
	if err != nil {
		return unwind.List[unwind.Alert]{}, readError("listing alerts", err)
	}
	list := unwind.List[unwind.Alert]{Items: make([]unwind.Alert, 0, len(rows)), NextCursor: next}
	for i := range rows {
		list.Items = append(list.Items, Alert(&rows[i]))
	}
	return list, nil
}

// Alert is a stored alert as users see it.
func Alert(row *store.Alert) unwind.Alert {
	a := unwind.Alert{ID: strconv.FormatInt(row.ID, 10), At: unwind.TimeFromMicros(row.At), Kind: row.Kind, Service: row.Service, Message: row.Message, Data: row.Data, Delivered: row.Delivered}
	if row.Saga != (id.ID{}) {
		a.SagaID = row.Saga.String()
	}
	return a
}

// Audit implements unwind.Service.
func (e *Engine) Audit(ctx context.Context, page unwind.Page) (unwind.List[unwind.AuditRow], error) {
	rows, next, err := e.store.Audit(ctx, page.Cursor, pageLimit(page.Limit))
	if err != nil {
		return unwind.List[unwind.AuditRow]{}, readError("listing the audit", err)
	}
	list := unwind.List[unwind.AuditRow]{Items: make([]unwind.AuditRow, 0, len(rows)), NextCursor: next}
	for _, r := range rows {
		list.Items = append(list.Items, unwind.AuditRow{ID: r.ID, At: unwind.TimeFromMicros(r.At), Actor: r.Actor, Action: r.Action, Target: r.Target, Reason: r.Reason, Data: r.Data})
	}
	return list, nil
}

// Stats implements unwind.Service.
func (e *Engine) Stats(ctx context.Context) (unwind.Stats, error) {
	s, err := e.store.Stats(ctx)
	if err != nil {
		return s, unavailable("counting", err)
	}
	s.Started, s.Refused = e.begun.Load(), e.refused.Load()
	done := make(chan int, 1)
	e.post(func(node.Moment) { done <- e.node.Active() })
	select {
	case n := <-done:
		s.ActiveSagas = int64(n)
	case <-ctx.Done():
	case <-e.stopped:
	}
	return s, nil
}
