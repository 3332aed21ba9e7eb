package engine

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// audit makes the row of an operator's act. Its texts are UTF-8, so that they go
// through JSON unchanged and keep their hash.
func audit(actor, action, target, reason string, data any) *store.Audit {
	a := &store.Audit{Actor: valid(orAnonymous(actor)), Action: action, Target: valid(target), Reason: valid(reason)}
	if data != nil {
		a.Data, _ = json.Marshal(data) // plain strings and bools always marshal
	}
	return a
}

func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

func orAnonymous(actor string) string {
	if actor == "" {
		return "anonymous"
	}
	return actor
}

// Audit implements unwind.Service.
func (e *Engine) Audit(ctx context.Context, f unwind.AuditFilter) (unwind.List[unwind.AuditRow], error) {
	by := store.AuditFilter{Action: f.Action, Actor: f.Actor, Target: f.Target, Cursor: f.Cursor, Limit: f.Limit}
	if !f.Since.IsZero() {
		by.Since = f.Since.UnixMicro()
	}
	rows, next, err := e.store.Audit(ctx, by)
	if err != nil {
		return unwind.List[unwind.AuditRow]{}, failed("listing the audit", err)
	}
	list := unwind.List[unwind.AuditRow]{Items: make([]unwind.AuditRow, 0, len(rows)), NextCursor: next}
	for i := range rows {
		r := &rows[i]
		list.Items = append(list.Items, unwind.AuditRow{
			ID: r.ID, At: unwind.TimeFromMicros(r.At), Actor: r.Actor, Action: r.Action, Target: r.Target, Reason: r.Reason, Data: r.Data,
			Previous: hex.EncodeToString(r.Previous[:]), Hash: hex.EncodeToString(r.Hash[:]),
		})
	}
	return list, nil
}

// AuditHead implements unwind.Service.
func (e *Engine) AuditHead(ctx context.Context) (unwind.AuditHead, error) {
	h, err := e.store.AuditHead(ctx)
	if err != nil {
		return unwind.AuditHead{}, failed("reading the audit's head", err)
	}
	return unwind.AuditHead{ID: h.ID, Hash: hex.EncodeToString(h.Hash[:]), Count: h.Count}, nil
}
