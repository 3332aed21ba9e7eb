package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// Bounds on operations.
const (
	mostOperations = 64 // begun and not over; and as many selections
	mostItems      = 1_000_000
	mostCanary     = 1000
	selectionLives = 15 * 60 * 1_000_000 // µs
)

// operations is what the engine holds of operations in memory: nothing that a
// restart could lose.
type operations struct {
	making sync.Mutex // held while one is begun: the bounds hold
	wake   chan struct{}
}

// An errand is the body of a stored operation.
type errand struct {
	Kind      unwind.OperationKind `json:"kind"`
	Selection unwind.Selection     `json:"selection"`
	Request   []byte               `json:"request,omitempty"` // digest of what was asked under its key
	Rate      *unwind.Rate         `json:"rate,omitempty"`
	Canary    int                  `json:"canary,omitempty"`
	Passed    bool                 `json:"passed,omitempty"`
	Auto      bool                 `json:"auto,omitempty"`
	By        string               `json:"by,omitempty"`
	Reason    string               `json:"reason,omitempty"`
	BegunAt   int64                `json:"begun_at,omitempty"`
	EndedAt   int64                `json:"ended_at,omitempty"`
	Paused    *unwind.LanePause    `json:"paused,omitempty"`
	Items     int64                `json:"items"`
	Left      map[string]int64     `json:"left,omitempty"` // named, and not eligible when it was frozen
	Lanes     []laneName           `json:"lanes,omitempty"`
	Amount    string               `json:"amount,omitempty"`
}

type laneName struct {
	Service string           `json:"service"`
	Dir     unwind.Direction `json:"dir"`
}

func errandOf(op *store.Operation) (*errand, error) {
	var e errand
	if err := json.Unmarshal(op.Body, &e); err != nil {
		return nil, unwind.Errorf(unwind.Damaged, "reading operation %d: %w; restore the store from a backup", op.ID, err)
	}
	return &e, nil
}

func (e *errand) encode() []byte {
	b, _ := json.Marshal(e) // plain values always marshal
	return b
}

func operationName(id int64) string { return strconv.FormatInt(id, 10) }

func parseOperation(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || operationName(n) != text {
		return 0, unwind.Errorf(unwind.NotFound, "%q is not an operation's id; unwind op list shows them", text)
	}
	return n, nil
}

// PlanOperation implements unwind.Service.
func (e *Engine) PlanOperation(ctx context.Context, req unwind.OperationRequest) (*unwind.OperationPlan, error) {
	if err := validOperation(&req); err != nil {
		return nil, err
	}
	e.operations.making.Lock()
	defer e.operations.making.Unlock()
	op, err := e.selected(ctx, &req)
	if err != nil {
		return nil, err
	}
	return e.plan(ctx, &op, &req)
}

// selected is what a dry run has frozen, or what is frozen now.
func (e *Engine) selected(ctx context.Context, req *unwind.OperationRequest) (store.Operation, error) {
	if req.SelectionID != "" {
		return e.frozen(ctx, req)
	}
	return e.freeze(ctx, req)
}

// StartOperation implements unwind.Service.
func (e *Engine) StartOperation(ctx context.Context, req unwind.OperationRequest) (*unwind.Operation, error) {
	const doing = "beginning an operation"
	if err := e.heldBack(ctx, doing); err != nil {
		return nil, err
	}
	if err := validOperation(&req); err != nil {
		return nil, err
	}
	if err := checkReason(doing, req.Reason); err != nil {
		return nil, err
	}
	e.operations.making.Lock()
	defer e.operations.making.Unlock()
	digest := digestOf(&req)
	if was, err := e.begunBefore(ctx, req.Key, digest); was != nil || err != nil {
		return was, err
	}
	if err := e.bounded(ctx, doing, store.OperationRunning, store.OperationPaused); err != nil {
		return nil, err
	}
	op, err := e.selected(ctx, &req)
	if err != nil {
		return nil, err
	}
	x, err := errandOf(&op)
	if err != nil {
		return nil, err
	}
	if x.Items == 0 {
		e.dropOperation(ctx, op.ID)
		return nil, unwind.Errorf(unwind.Conflict, "%s: nothing that was selected can be %s; %s", doing, verbs[x.Kind], instead(x))
	}
	now := int64(e.clock.now())
	x.Request, x.Rate, x.Canary, x.Auto = digest, req.Rate, req.Canary, req.Auto
	x.By, x.Reason, x.BegunAt = orAnonymous(req.Actor), req.Reason, now
	op.State, op.Key, op.At, op.Body = store.OperationRunning, req.Key, now, x.encode()
	a := audit(req.Actor, "operation-start", "operation "+operationName(op.ID), req.Reason, map[string]any{
		"kind": x.Kind, "selection": x.Selection, "items": x.Items, "rate": x.Rate, "canary": x.Canary, "auto": x.Auto,
	})
	a.At = now
	if op, err = e.store.ChangeOperation(ctx, e.epoch, op, a); err != nil {
		return nil, failed(doing, err)
	}
	e.operationsChanged()
	return e.operation(ctx, &op)
}

var verbs = map[unwind.OperationKind]string{unwind.OperationReplay: "replayed", unwind.OperationCancel: "cancelled"}

// validOperation finds what is wrong with a request, whatever it is for.
func validOperation(req *unwind.OperationRequest) error {
	const doing = "beginning an operation"
	if err := checkWords(doing, "/reason", req.Reason, mostReason, ""); err != nil {
		return err
	}
	s := req.Selection
	switch {
	case req.Kind != unwind.OperationReplay && req.Kind != unwind.OperationCancel:
		return invalid(doing, "/kind", "write replay or cancel")
	case len(req.Key) > unwind.MaxKeyLength:
		return invalid(doing, "/key", fmt.Sprintf("the idempotency key has %d bytes and the most is %d", len(req.Key), unwind.MaxKeyLength))
	case req.Canary < 0 || req.Canary > mostCanary:
		return invalid(doing, "/canary", fmt.Sprintf("write 0 to %d", mostCanary))
	case req.Rate != nil && req.Rate.IsZero():
		return invalid(doing, "/rate", "a rate of zero replays nothing; pause it instead")
	case s != nil && req.SelectionID != "":
		return invalid(doing, "/selection_id", "name a selection or the id of one, not both")
	case req.SelectionID != "":
		return nil
	case s == nil || len(s.IDs) == 0 && s.Group == "" && s.Saga == "" && s.Service == "" && s.Tenant == "" && s.Before == nil:
		return invalid(doing, "/selection", "it names nothing; to mean everything, name each saga or service")
	}
	return validSelection(doing, req.Kind, s)
}

func validSelection(doing string, kind unwind.OperationKind, s *unwind.Selection) error {
	filtered := s.Group != "" || s.Saga != "" || s.Service != "" || s.Tenant != "" || s.Before != nil
	switch {
	case len(s.IDs) > 0 && filtered:
		return invalid(doing, "/selection/ids", "with ids nothing else can be named")
	case len(s.IDs) > mostIDs:
		return invalid(doing, "/selection/ids", fmt.Sprintf("%d ids are named and the most is %d; select by group, saga or service", len(s.IDs), mostIDs))
	case len(s.IDs) > 0:
		return nil
	case kind == unwind.OperationCancel && (s.Group != "" || s.Service != ""):
		return invalid(doing, "/selection", "sagas are selected by ids, or by saga, tenant and before")
	case kind == unwind.OperationCancel && s.Saga == "":
		return invalid(doing, "/selection/saga", "name the saga type whose sagas are to be cancelled")
	case kind == unwind.OperationReplay && s.Tenant != "":
		return invalid(doing, "/selection/tenant", "dead letters are selected by ids, or by group, saga, service and before")
	case kind == unwind.OperationReplay && s.Group == "" && s.Saga == "" && s.Service == "":
		return invalid(doing, "/selection", "a time alone selects everything; name a group, saga or service too")
	}
	return nil
}

// digestOf tells the same request from another.
func digestOf(req *unwind.OperationRequest) []byte {
	b, _ := json.Marshal(req) // plain values always marshal
	sum := sha256.Sum256(b)
	return sum[:]
}

// begunBefore is the operation that the key began, or nil.
func (e *Engine) begunBefore(ctx context.Context, key string, digest []byte) (*unwind.Operation, error) {
	if key == "" {
		return nil, nil //nolint:nilnil // there was none
	}
	op, err := e.store.OperationByKey(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // there was none
	}
	if err != nil {
		return nil, failed("looking for the operation of a key", err)
	}
	x, err := errandOf(&op)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(x.Request, digest) {
		return nil, unwind.Errorf(unwind.KeyReused, "the key %q began operation %d by another request; use a new key for a new operation", key, op.ID)
	}
	return e.operation(ctx, &op)
}

// bounded refuses where there are as many operations in these states as there may be.
func (e *Engine) bounded(ctx context.Context, doing string, states ...store.OperationState) error {
	ops, _, err := e.store.Operations(ctx, store.OperationFilter{States: states, Limit: mostOperations})
	if err != nil {
		return failed(doing, err)
	}
	if len(ops) >= mostOperations {
		u := unwind.Errorf(unwind.Overloaded, "%s: there are %d already, the most that may be; abort some, or wait for them", doing, len(ops))
		u.RetryAfter = unwind.Minute
		return u
	}
	return nil
}

// operationsChanged wakes the runner and whoever waits for events.
func (e *Engine) operationsChanged() {
	select {
	case e.operations.wake <- struct{}{}:
	default:
	}
	e.committed.ring()
}

// Operation implements unwind.Service.
func (e *Engine) Operation(ctx context.Context, name string) (*unwind.Operation, error) {
	op, err := e.findOperation(ctx, name)
	if err != nil {
		return nil, err
	}
	return e.operation(ctx, &op)
}

// findOperation returns an operation that was begun.
func (e *Engine) findOperation(ctx context.Context, name string) (store.Operation, error) {
	number, err := parseOperation(name)
	if err != nil {
		return store.Operation{}, err
	}
	op, err := e.store.Operation(ctx, number)
	if errors.Is(err, store.ErrNotFound) || err == nil && op.State == store.OperationSelection {
		return op, unwind.Errorf(unwind.NotFound, "there is no operation %s", name)
	}
	if err != nil {
		return op, failed("reading operation "+name, err)
	}
	return op, nil
}

var begunStates = []store.OperationState{store.OperationRunning, store.OperationPaused, store.OperationFinished, store.OperationAborted}

// Operations implements unwind.Service.
func (e *Engine) Operations(ctx context.Context, f unwind.OperationFilter) (unwind.List[unwind.Operation], error) {
	list := unwind.List[unwind.Operation]{Items: []unwind.Operation{}}
	states := begunStates
	if f.State != "" {
		states = []store.OperationState{store.OperationState(f.State)}
	}
	ops, next, err := e.store.Operations(ctx, store.OperationFilter{States: states, Cursor: f.Cursor, Limit: f.Limit})
	if err != nil {
		return list, failed("listing operations", err)
	}
	list.NextCursor = next
	for i := range ops {
		op, err := e.operation(ctx, &ops[i])
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, *op)
	}
	return list, nil
}

// ChangeOperation implements unwind.Service.
func (e *Engine) ChangeOperation(ctx context.Context, name string, req unwind.OperationChange) (*unwind.Operation, error) {
	doing := "changing operation " + name
	switch {
	case req.Rate == nil && req.Paused == nil:
		return nil, invalid(doing, "", "it changes nothing; name a rate, or paused")
	case req.Rate != nil && req.Rate.IsZero():
		return nil, invalid(doing, "/rate", "a rate of zero replays nothing; pause it instead")
	}
	if err := checkWords(doing, "/reason", req.Reason, mostReason, ""); err != nil {
		return nil, err
	}
	return e.alter(ctx, name, func(op *store.Operation, x *errand, now int64) (*store.Audit, error) {
		action := "operation-rate"
		if req.Rate != nil {
			x.Rate = req.Rate
		}
		switch {
		case req.Paused == nil:
		case *req.Paused:
			action, op.State = "operation-pause", store.OperationPaused
			x.Paused = &unwind.LanePause{Reason: req.Reason, By: orAnonymous(req.Actor), At: unwind.TimeFromMicros(now)}
		case op.State != store.OperationPaused:
			return nil, unwind.Errorf(unwind.Conflict, "%s: it is not paused, so there is nothing to resume", doing)
		default:
			action, op.State = "operation-resume", store.OperationRunning
			x.Paused, x.Passed = nil, true
		}
		return audit(req.Actor, action, "operation "+name, req.Reason, map[string]any{"rate": x.Rate}), nil
	})
}

// AbortOperation implements unwind.Service.
func (e *Engine) AbortOperation(ctx context.Context, name string, req unwind.AbortRequest) (*unwind.Operation, error) {
	if err := checkWords("aborting operation "+name, "/reason", req.Reason, mostReason, ""); err != nil {
		return nil, err
	}
	return e.alter(ctx, name, func(op *store.Operation, x *errand, now int64) (*store.Audit, error) {
		op.State, x.EndedAt, x.Paused = store.OperationAborted, now, nil
		return audit(req.Actor, "operation-abort", "operation "+name, req.Reason, nil), nil
	})
}

// alter changes an operation that is not over, with its audit row. Where the
// runner was faster, it is read and changed again.
func (e *Engine) alter(ctx context.Context, name string, change func(*store.Operation, *errand, int64) (*store.Audit, error)) (*unwind.Operation, error) {
	for {
		op, err := e.findOperation(ctx, name)
		if err != nil {
			return nil, err
		}
		x, err := errandOf(&op)
		if err != nil {
			return nil, err
		}
		if unwind.OperationState(op.State).Over() {
			c := unwind.Errorf(unwind.Conflict, "operation %s is %s since %s; there is nothing to change", name, op.State, unwind.TimeFromMicros(op.At).Format("2006-01-02 15:04:05Z"))
			c.By, c.Action, c.At = x.By, string(op.State), unwind.TimeFromMicros(op.At)
			return nil, c
		}
		now := int64(e.clock.now())
		a, err := change(&op, x, now)
		if err != nil {
			return nil, err
		}
		a.At, op.At, op.Body = now, now, x.encode()
		if planted.On(planted.AuditApart) {
			if op, err = e.store.ChangeOperation(ctx, e.epoch, op, nil); err != nil {
				return nil, err
			}
		}
		changed, err := e.store.ChangeOperation(ctx, e.epoch, op, a)
		if errors.Is(err, store.ErrStale) {
			continue
		}
		if err != nil {
			return nil, failed("changing operation "+name, err)
		}
		e.operationsChanged()
		return e.operation(ctx, &changed)
	}
}
