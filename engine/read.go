package engine

import (
	"context"
	"encoding/json"
	"errors"
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
	return e.view(ctx, s), nil
}

// view is a saga as those see it who asked for it: as it is durable, with what its
// calls wait for.
func (e *Engine) view(ctx context.Context, s *node.Snapshot) *unwind.Instance {
	inst := s.Instance()
	if !inst.Status.AtRest() {
		e.overlay(ctx, s, inst)
	}
	return inst
}

// snapshot reads a saga as it is durable.
func (e *Engine) snapshot(ctx context.Context, saga id.ID) (*node.Snapshot, error) {
	row, err := e.stored(ctx, saga)
	if err != nil {
		return nil, err
	}
	return e.restore(ctx, &row)
}

// stored is a saga as the store has it.
func (e *Engine) stored(ctx context.Context, saga id.ID) (store.Saga, error) {
	row, err := e.store.Load(ctx, saga)
	if errors.Is(err, store.ErrNotFound) {
		return row, unwind.Errorf(unwind.NotFound, "there is no saga %s; it may be past its retention", saga)
	}
	if err != nil {
		return row, failed("reading saga "+saga.String(), err)
	}
	return row, nil
}

func (e *Engine) restore(ctx context.Context, row *store.Saga) (*node.Snapshot, error) {
	plan, err := e.plans.view(ctx, row.Name, row.Start.Version)
	if err != nil {
		return nil, err
	}
	s, err := node.Restore(plan, row)
	if err != nil {
		return nil, err
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
	row, err := e.stored(ctx, sid)
	if err != nil {
		return list, err
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
	limit := store.PageLimit(page.Limit)
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

// Entries is a journal row as users see it, without sequence numbers. Its error is
// an *unwind.Error.
func Entries(p *machine.Plan, row *store.JournalRow) ([]unwind.Entry, error) {
	raw, err := machine.DecodeEntries(row.Body)
	if err != nil {
		return nil, unwind.Errorf(unwind.Damaged, "reading the journal of saga %s: %w; restore the store from a backup", row.Saga, err)
	}
	entries := make([]unwind.Entry, len(raw))
	for i := range raw {
		r := &raw[i]
		entries[i] = unwind.Entry{At: unwind.TimeFromMicros(int64(r.At)), Kind: r.Kind, Direction: r.Dir, Attempt: int(r.Attempt), Node: row.Node, Epoch: row.Epoch, Data: entryData(r)}
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
		RetryAfter int64           `json:"retry_after_ms,omitempty"`
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
		Body       string          `json:"body,omitempty"`
	}
	d.Generation, d.Ask, d.Class, d.Message, d.Counted, d.Executed = r.Generation, r.Ask, r.Class, r.Message, r.Counted, r.Executed
	d.RetryAfter = int64(r.Asked) / 1000
	d.Actor, d.Reason, d.Evidence, d.NewKey, d.Group, d.Output, d.Body = r.Actor, r.Reason, r.Evidence, r.NewKey, r.Group, r.Output, r.Body
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
