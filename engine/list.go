package engine

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// List implements unwind.Service.
func (e *Engine) List(ctx context.Context, f unwind.Filter) (unwind.List[unwind.Instance], error) {
	var list unwind.List[unwind.Instance]
	q := store.Filter{Name: f.Saga, Tenant: f.Tenant, Key: f.Key, Cursor: f.Cursor, Limit: store.PageLimit(f.Limit)}
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
		return list, failed("listing sagas", err)
	}
	list.Items, list.NextCursor = make([]unwind.Instance, 0, len(rows)), next
	for i := range rows {
		inst, err := e.listed(ctx, &rows[i])
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, *inst)
	}
	return list, nil
}

// listed is a saga in a list. One that can't be read hides no others.
func (e *Engine) listed(ctx context.Context, row *store.Saga) (*unwind.Instance, error) {
	err := row.Damage
	if err == nil {
		var s *node.Snapshot
		if s, err = e.restore(ctx, row); err == nil {
			return s.Instance(), nil
		}
	}
	if err = failed("reading saga "+row.ID.String(), err); unwind.CodeOf(err) == unwind.StoreUnavailable {
		return nil, err
	}
	inst := &unwind.Instance{
		ID: row.ID.String(), Saga: row.Name, Version: row.Start.Version, Tenant: row.Tenant, Key: row.Key,
		Input: json.RawMessage("null"), Steps: []unwind.StepInstance{}, Damage: err.Error(),
		CreatedAt: unwind.TimeFromMicros(row.CreatedAt), UpdatedAt: unwind.TimeFromMicros(row.UpdatedAt), Status: statusOf(row.Phase),
	}
	return inst, nil
}

// statusOf is a stored phase as users see it; empty: it is damaged.
func statusOf(phase uint8) unwind.Status {
	if p := machine.Phase(phase); p <= machine.DeadLettered {
		return p.Status()
	}
	return ""
}

func phaseOf(s unwind.Status) (uint8, bool) {
	for p := machine.Running; p <= machine.DeadLettered; p++ {
		if p.Status() == s {
			return uint8(p), true
		}
	}
	return 0, false
}

// Definition implements unwind.Service.
func (e *Engine) Definition(ctx context.Context, name, version string) (unwind.Revision, error) {
	row, err := e.store.Definition(ctx, name, version)
	if errors.Is(err, store.ErrNotFound) {
		if version != "" {
			return unwind.Revision{}, unwind.Errorf(unwind.UnknownSaga, "there is no version %q of saga definition %q", version, name)
		}
		return unwind.Revision{}, unwind.Errorf(unwind.UnknownSaga, "there is no saga definition %q", name)
	}
	if err != nil {
		return unwind.Revision{}, failed("reading the definition of saga "+name, err)
	}
	return revision(&row)
}

// Definitions implements unwind.Service.
func (e *Engine) Definitions(ctx context.Context, page unwind.Page) (unwind.List[unwind.Revision], error) {
	var list unwind.List[unwind.Revision]
	rows, err := e.store.Definitions(ctx)
	if err != nil {
		return list, failed("reading the definitions", err)
	}
	list.Items = []unwind.Revision{}
	limit := store.PageLimit(page.Limit)
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
		return r, damagedDefinition(row, err)
	}
	return r, nil
}

// Validate implements unwind.Service.
func (e *Engine) Validate(_ context.Context, def unwind.Definition) ([]unwind.Fault, error) {
	return def.Validate(e.cfg.Participants), nil
}

// Stats implements unwind.Service.
func (e *Engine) Stats(ctx context.Context) (unwind.Stats, error) {
	s, err := e.store.Stats(ctx)
	if err != nil {
		return s, failed("counting", err)
	}
	s.Started, s.Refused = e.begun.Load(), e.refused.Load()
	active := 0
	if err := e.look(ctx, "asking the node for its figures", func(node.Moment) { active = e.node.Active() }); err != nil {
		return unwind.Stats{}, err
	}
	s.ActiveSagas = int64(active)
	return s, nil
}
