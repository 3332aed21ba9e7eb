package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// mostIDs bounds the ids that one request names.
const mostIDs = 10_000

// frozen returns the selection of a dry run.
func (e *Engine) frozen(ctx context.Context, req *unwind.OperationRequest) (store.Operation, error) {
	gone := unwind.Errorf(unwind.NotFound, "there is no selection %q, or its time is over; make another dry run", req.SelectionID)
	number, err := parseOperation(req.SelectionID)
	if err != nil {
		return store.Operation{}, gone
	}
	op, err := e.store.Operation(ctx, number)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return op, gone
	case err != nil:
		return op, failed("reading selection "+req.SelectionID, err)
	case op.State != store.OperationSelection:
		return op, unwind.Errorf(unwind.Conflict, "selection %s was used already; see unwind op watch %s", req.SelectionID, req.SelectionID)
	case op.At < int64(e.clock.now()):
		return op, gone
	}
	x, err := errandOf(&op)
	if err == nil && x.Kind != req.Kind {
		err = invalid("beginning an operation", "/kind", fmt.Sprintf("selection %s is for %s", req.SelectionID, x.Kind))
	}
	return op, err
}

// freeze writes down what a selection names at this moment. In the end the
// operation is as if it had been there at once, or not at all.
func (e *Engine) freeze(ctx context.Context, req *unwind.OperationRequest) (op store.Operation, err error) {
	const doing = "freezing a selection"
	if err := e.bounded(ctx, doing, store.OperationSelection); err != nil {
		return op, err
	}
	f := freezing{e: e, now: int64(e.clock.now()), lanes: map[laneName]bool{}}
	f.x = errand{Kind: req.Kind, Selection: *req.Selection, Left: map[string]int64{}}
	op = store.Operation{State: store.OperationSelection, At: f.now + selectionLives, Body: f.x.encode()}
	if op, err = e.store.AddOperation(ctx, e.epoch, op); err != nil {
		return op, failed(doing, err)
	}
	f.into = op.ID
	if err = f.fill(ctx, req.Selection); err == nil {
		f.x.Lanes = slices.SortedFunc(maps.Keys(f.lanes), func(a, b laneName) int {
			return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Dir, b.Dir))
		})
		f.x.Amount = f.sum.String()
		if planted.On(planted.DryRunBegins) {
			op.State = store.OperationRunning
		}
		op.Body = f.x.encode()
		op, err = e.store.ChangeOperation(ctx, e.epoch, op, nil)
	}
	if err != nil {
		e.dropOperation(ctx, f.into)
		return op, failed(doing, err)
	}
	return op, nil
}

// dropOperation takes back what will not be; if that fails, it expires.
func (e *Engine) dropOperation(ctx context.Context, operation int64) {
	if err := e.store.DropOperation(context.WithoutCancel(ctx), e.epoch, operation); err != nil {
		e.cfg.Logger.Warn("deleting a selection", "error", err)
	}
}

// A freezing fills an operation.
type freezing struct {
	e     *Engine
	into  int64
	now   int64
	x     errand
	lanes map[laneName]bool
	sum   store.Sum
	items []store.DeadLetterID
}

func (f *freezing) fill(ctx context.Context, s *unwind.Selection) error {
	var err error
	switch {
	case f.x.Kind == unwind.OperationCancel && len(s.IDs) > 0:
		err = f.sagas(ctx, s.IDs)
	case f.x.Kind == unwind.OperationCancel:
		err = f.running(ctx, s)
	case len(s.IDs) > 0:
		err = f.letters(ctx, s.IDs)
	default:
		err = f.filtered(ctx, s)
	}
	if err != nil {
		return err
	}
	return f.flush(ctx, 1)
}

// letters adds dead letters by their ids; one that is named twice counts once.
func (f *freezing) letters(ctx context.Context, ids []string) error {
	for _, name := range sortedOnce(ids) {
		did, err := parseDeadLetter(name)
		var d store.DeadLetter
		if err == nil {
			d, err = f.e.store.DeadLetter(ctx, did)
		}
		switch {
		case unwind.CodeOf(err) == unwind.NotFound, errors.Is(err, store.ErrNotFound):
			f.x.Left["not found"]++
			continue
		case err != nil:
			return err
		}
		if err := f.letter(ctx, &d); err != nil {
			return err
		}
	}
	return nil
}

// filtered adds dead letters, the oldest first. What dies from now on is none of
// them. What was handled to its end before is not named; what is being replayed is
// skipped.
func (f *freezing) filtered(ctx context.Context, s *unwind.Selection) error {
	before := f.now
	if s.Before != nil {
		before = min(before, s.Before.UnixMicro())
	}
	for _, state := range []unwind.DeadLetterState{unwind.DeadLetterReplaying, unwind.DeadLetterOpen} {
		err := f.inState(ctx, store.DeadLetterFilter{
			State: state, SagaType: s.Saga, Service: s.Service, Group: s.Group, Before: before, OldestFirst: true, Limit: 1000,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *freezing) inState(ctx context.Context, filter store.DeadLetterFilter) error {
	for {
		page, next, err := f.e.store.DeadLetters(ctx, filter)
		if err != nil {
			return err
		}
		for i := range page {
			if err := f.letter(ctx, &page[i]); err != nil {
				return err
			}
		}
		if filter.Cursor = next; next == "" {
			return nil
		}
	}
}

func (f *freezing) letter(ctx context.Context, d *store.DeadLetter) error {
	if d.State != unwind.DeadLetterOpen {
		f.x.Left[string(d.State)]++
		return nil
	}
	if d.Service != "" {
		f.lanes[laneName{d.Service, d.Direction}] = true
	}
	f.sum.Add([]byte(d.Amount))
	return f.add(ctx, d.DeadLetterID)
}

// sagas adds sagas by their ids.
func (f *freezing) sagas(ctx context.Context, ids []string) error {
	for _, name := range sortedOnce(ids) {
		saga, err := id.Parse(name)
		var row store.Saga
		if err == nil {
			row, err = f.e.store.Load(ctx, saga)
		} else {
			err = store.ErrNotFound
		}
		switch {
		case errors.Is(err, store.ErrNotFound):
			f.x.Left["not found"]++
		case errors.Is(err, store.ErrDamaged):
			f.x.Left["damaged"]++
		case err != nil:
			return err
		case machine.Phase(row.Phase) != machine.Running:
			f.x.Left[machine.Phase(row.Phase).String()]++
		default:
			if err := f.add(ctx, store.DeadLetterID{Saga: saga, Step: -1, Direction: unwind.Action}); err != nil {
				return err
			}
		}
	}
	return nil
}

// running adds the sagas of a type that run forward.
func (f *freezing) running(ctx context.Context, s *unwind.Selection) error {
	phase := uint8(machine.Running)
	filter := store.Filter{Phase: &phase, Name: s.Saga, Tenant: s.Tenant, Limit: 1000}
	for {
		page, next, err := f.e.store.List(ctx, filter)
		if err != nil {
			return err
		}
		for i := range page {
			row := &page[i]
			if row.Damage != nil || row.CreatedAt >= f.now || s.Before != nil && row.CreatedAt >= s.Before.UnixMicro() {
				continue
			}
			if err := f.add(ctx, store.DeadLetterID{Saga: row.ID, Step: -1, Direction: unwind.Action}); err != nil {
				return err
			}
		}
		if filter.Cursor = next; next == "" {
			return nil
		}
	}
}

func (f *freezing) add(ctx context.Context, item store.DeadLetterID) error {
	if f.x.Items++; f.x.Items > mostItems {
		return unwind.Errorf(unwind.InvalidRequest, "freezing a selection: it names more than %d, the most that one operation takes; narrow it down, as with before", mostItems)
	}
	f.items = append(f.items, item)
	return f.flush(ctx, 1000)
}

// flush writes items down, once there are enough of them.
func (f *freezing) flush(ctx context.Context, enough int) error {
	if len(f.items) < enough {
		return nil
	}
	err := f.e.store.AddItems(ctx, f.e.epoch, f.into, f.items)
	f.items = f.items[:0]
	return err
}

func sortedOnce(ids []string) []string { return slices.Compact(slices.Sorted(slices.Values(ids))) }

// plan says what a frozen selection comes to.
func (e *Engine) plan(ctx context.Context, op *store.Operation, req *unwind.OperationRequest) (*unwind.OperationPlan, error) {
	x, err := errandOf(op)
	if err != nil {
		return nil, err
	}
	lanes, err := e.lanesOf(ctx, x)
	if err != nil {
		return nil, err
	}
	x.Rate = req.Rate
	p := unwind.OperationPlan{
		SelectionID: operationName(op.ID), ExpiresAt: unwind.TimeFromMicros(op.At), Eligible: x.Items, Skipped: x.Left,
		AmountAtRisk: json.RawMessage(x.Amount), Lanes: []unwind.OperationLane{}, Rate: pace(x.Rate, lanes),
	}
	if p.Skipped == nil {
		p.Skipped = map[string]int64{}
	}
	for i, l := range lanes {
		p.Lanes = append(p.Lanes, unwind.OperationLane{
			Service: l.Service, Lane: laneWords[x.Lanes[i].Dir], Rate: l.state.Rate.Effective,
			Waiting: l.state.Depth.Ready + l.state.Depth.BackingOff, Held: l.held(),
		})
	}
	p.EstimateMS = remaining(p.Rate, x.Items, 0, lanes, e.clock.now())
	p.Command = commandOf(p.SelectionID, x.Kind, req)
	return &p, nil
}

var laneWords = map[unwind.Direction]string{unwind.Action: unwind.ForwardLane, unwind.Compensation: unwind.CompensationLane}

var commands = map[unwind.OperationKind]string{unwind.OperationReplay: "unwind dlq replay", unwind.OperationCancel: "unwind saga cancel"}

// commandOf is how the operation on a frozen selection is begun from a shell.
func commandOf(selection string, kind unwind.OperationKind, req *unwind.OperationRequest) string {
	words := []string{commands[kind], "--selection", selection}
	if req.Rate != nil {
		words = append(words, "--rate", req.Rate.String())
	}
	if req.Canary > 0 {
		words = append(words, "--canary", fmt.Sprint(req.Canary))
	}
	if req.Auto {
		words = append(words, "--auto")
	}
	reason := "…"
	if req.Reason != "" {
		reason = req.Reason
	}
	return strings.Join(append(words, "--reason", "'"+strings.ReplaceAll(reason, "'", `'\''`)+"'"), " ")
}

// instead says what was named where nothing of it can be taken up.
func instead(x *errand) string {
	if len(x.Left) == 0 && x.Kind == unwind.OperationReplay {
		return "no open dead letter is like that; unwind dlq list (GET /v1/dead-letters) shows those that there are"
	}
	if len(x.Left) == 0 {
		return "no saga that runs forward is like that; unwind saga list (GET /v1/sagas) shows those that there are"
	}
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(x.Left)) {
		parts = append(parts, fmt.Sprintf("%d %s", x.Left[why], why))
	}
	return "it names " + strings.Join(parts, ", ")
}
