package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// operate has the node apply an event to a saga, with its audit row.
func (e *Engine) operate(ctx context.Context, saga id.ID, op node.Operation) (*node.Snapshot, error) {
	op.Saga = saga
	r, err := e.ask(ctx, func(m node.Moment, t node.Token) {
		op.Token = t
		if op.Audit != nil {
			op.Audit.At = int64(m.Now)
		}
		e.node.Operate(m, op)
	})
	if err != nil {
		return nil, err
	}
	return r.Saga, nil
}

// operateShown is operate for those who see the saga then.
func (e *Engine) operateShown(ctx context.Context, saga id.ID, op node.Operation) (*unwind.Instance, error) {
	s, err := e.operate(ctx, saga, op)
	if err != nil {
		return nil, err
	}
	return e.view(ctx, s), nil
}

func parseSaga(text string) (id.ID, error) {
	saga, err := id.Parse(text)
	if err != nil {
		return saga, unwind.Errorf(unwind.NotFound, "%w", err)
	}
	return saga, nil
}

// Cancel implements unwind.Service.
func (e *Engine) Cancel(ctx context.Context, saga string, req unwind.CancelRequest) (*unwind.Instance, error) {
	sid, err := parseSaga(saga)
	if err != nil {
		return nil, err
	}
	if err := checkWords("cancelling saga "+saga, "/reason", req.Reason, mostReason, ""); err != nil {
		return nil, err
	}
	return e.operateShown(ctx, sid, node.Operation{
		Event: machine.Event{Kind: machine.CancelRequested, Actor: orAnonymous(req.Actor), Reason: req.Reason},
		Audit: audit(req.Actor, "cancel", sid.String(), req.Reason, nil),
	})
}

// SendNow implements unwind.Service.
func (e *Engine) SendNow(ctx context.Context, saga string, req unwind.SendNow) (*unwind.Instance, error) {
	doing := "sending a call of saga " + saga + " now"
	sid, err := parseSaga(saga)
	if err != nil {
		return nil, err
	}
	switch req.Direction {
	case "":
		req.Direction = unwind.Compensation
	case unwind.Action, unwind.Compensation:
	default:
		return nil, invalid(doing, "/direction", "write one of action, compensation")
	}
	if err := checkReason(doing, req.Reason); err != nil {
		return nil, err
	}
	return e.operateShown(ctx, sid, node.Operation{
		StepName: req.Step, Event: machine.Event{Kind: machine.Hastened, Dir: req.Direction, Actor: orAnonymous(req.Actor), Reason: req.Reason},
		Audit: audit(req.Actor, "send-now", sid.String()+"/"+req.Step+"/"+string(req.Direction), req.Reason, nil),
	})
}

// Signal implements unwind.Service.
func (e *Engine) Signal(ctx context.Context, saga string, req unwind.SignalRequest) (*unwind.Instance, error) {
	sid, err := parseSaga(saga)
	if err != nil {
		return nil, err
	}
	if len(req.Data) > unwind.MaxOutput {
		return nil, unwind.Errorf(unwind.TooLarge, "signalling saga %s: the data has %d bytes and the most is %d", saga, len(req.Data), unwind.MaxOutput)
	}
	if err := validJSON(req.Data); len(req.Data) > 0 && err != nil {
		return nil, invalid("signalling saga "+saga, "/data", err.Error())
	}
	return e.operateShown(ctx, sid, node.Operation{
		StepName: req.Name,
		Event:    machine.Event{Kind: machine.Signalled, Actor: orAnonymous(req.Actor), Output: req.Data},
		Audit:    audit(req.Actor, "signal", sid.String()+"/"+req.Name, "", nil),
	})
}

// Complete implements unwind.Service.
func (e *Engine) Complete(ctx context.Context, token string, req unwind.Completion) error {
	saga, step, dir, generation, err := machine.ParseToken(token)
	if err != nil {
		return unwind.Errorf(unwind.NotFound, "completing a call: %w", err)
	}
	sid, err := parseSaga(saga)
	if err != nil {
		return err
	}
	ev := machine.Event{Kind: machine.CallCompleted, Step: step, Dir: dir, Generation: generation}
	switch req.Outcome {
	case "done":
		ev.Answer.Outcome, ev.Output = machine.OutcomeDone, req.Output
	case "refused":
		ev.Answer.Outcome, ev.Answer.Message = machine.OutcomeRefused, "refused by its completion"
	default:
		return invalid("completing a call", "/outcome", "write done or refused")
	}
	if len(req.Output) > unwind.MaxOutput {
		return unwind.Errorf(unwind.TooLarge, "completing a call: the output has %d bytes and the most is %d", len(req.Output), unwind.MaxOutput)
	}
	if err := validJSON(req.Output); len(req.Output) > 0 && err != nil {
		return invalid("completing a call", "/output", err.Error())
	}
	_, err = e.operate(ctx, sid, node.Operation{Event: ev})
	return err
}

func parseDeadLetter(text string) (store.DeadLetterID, error) {
	bad := unwind.Errorf(unwind.NotFound, "%q is not a dead letter's id; copy it from unwind dlq list", text)
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return store.DeadLetterID{}, bad
	}
	saga, err := id.Parse(parts[0])
	step, err2 := strconv.Atoi(parts[1])
	if err != nil || err2 != nil || step < 0 || step >= unwind.MaxSteps {
		return store.DeadLetterID{}, bad
	}
	d := store.DeadLetterID{Saga: saga, Step: step}
	switch parts[2] {
	case "a":
		d.Direction = unwind.Action
	case "c":
		d.Direction = unwind.Compensation
	default:
		return d, bad
	}
	if d.Name() != text { // one name each: the audit is searched by it
		return d, bad
	}
	return d, nil
}

// Replay implements unwind.Service.
func (e *Engine) Replay(ctx context.Context, dead string, req unwind.ReplayRequest) (*unwind.DeadLetter, error) {
	doing, missing := "replaying dead letter "+dead, ""
	if req.NewKey {
		doing, missing = doing+" under a new key", "say how it is known that the old key did nothing"
	}
	if err := checkReason(doing, req.Reason); err != nil {
		return nil, err
	}
	if err := checkWords(doing, "/evidence", req.Evidence, mostReason, missing); err != nil {
		return nil, err
	}
	ev := machine.Event{Kind: machine.Replayed, Actor: orAnonymous(req.Actor), Reason: req.Reason, Evidence: req.Evidence, NewKey: req.NewKey}
	return e.settle(ctx, dead, ev, audit(req.Actor, "replay", dead, req.Reason, map[string]any{"new_key": req.NewKey, "evidence": req.Evidence}))
}

// Resolve implements unwind.Service.
func (e *Engine) Resolve(ctx context.Context, dead string, req unwind.ResolveRequest) (*unwind.DeadLetter, error) {
	doing := "resolving dead letter " + dead
	if err := checkReason(doing, req.Reason); err != nil {
		return nil, err
	}
	if err := checkWords(doing, "/evidence", req.Evidence, mostReason, "say how it is known to be settled, as in a refund's number"); err != nil {
		return nil, err
	}
	if len(req.Output) > unwind.MaxOutput || len(req.Output) > 0 && validJSON(req.Output) != nil {
		return nil, invalid(doing, "/output", fmt.Sprintf("it must be JSON of at most %d bytes", unwind.MaxOutput))
	}
	ev := machine.Event{Kind: machine.Resolved, Actor: orAnonymous(req.Actor), Reason: req.Reason, Evidence: req.Evidence, As: req.As, Output: req.Output}
	return e.settle(ctx, dead, ev, audit(req.Actor, "resolve", dead, req.Reason, map[string]any{"as": req.As, "evidence": req.Evidence}))
}

// settle applies an operator's decision to a dead letter. A conflict says who
// did what when.
func (e *Engine) settle(ctx context.Context, dead string, ev machine.Event, a *store.Audit) (*unwind.DeadLetter, error) {
	d, err := e.findDeadLetter(ctx, dead)
	if err != nil {
		return nil, err
	}
	ev.Step, ev.Dir = d.Step, d.Direction
	_, err = e.operate(ctx, d.Saga, node.Operation{Event: ev, Audit: a})
	var conflict *unwind.Error
	if errors.As(err, &conflict) && conflict.Code == unwind.Conflict {
		return nil, e.explainConflict(ctx, dead, ev.Kind, conflict)
	}
	if err != nil {
		return nil, err
	}
	return e.DeadLetter(ctx, dead)
}

// explainConflict says who was faster, unless it stands as it is asked for: then
// the refusal has another reason.
func (e *Engine) explainConflict(ctx context.Context, dead string, kind machine.EventKind, conflict *unwind.Error) error {
	wanted := unwind.DeadLetterOpen
	if kind == machine.Reopened {
		wanted = unwind.DeadLetterResolved
	}
	d, err := e.findDeadLetter(ctx, dead)
	if err != nil || d.State == wanted || d.By == "" {
		return conflict
	}
	by := orAnonymous(d.By)
	c := unwind.Errorf(unwind.Conflict, "dead letter %s is %s: %s did that at %s (%s)", dead, d.State, by, unwind.TimeFromMicros(d.UpdatedAt).Format("2006-01-02 15:04:05Z"), d.Reason)
	c.By, c.Action, c.At = by, string(d.State), unwind.TimeFromMicros(d.UpdatedAt)
	return c
}

func (e *Engine) findDeadLetter(ctx context.Context, dead string) (store.DeadLetter, error) {
	did, err := parseDeadLetter(dead)
	if err != nil {
		return store.DeadLetter{}, err
	}
	d, err := e.store.DeadLetter(ctx, did)
	if errors.Is(err, store.ErrNotFound) {
		return d, unwind.Errorf(unwind.NotFound, "there is no dead letter %s", dead)
	}
	if err != nil {
		return d, failed("reading dead letter "+dead, err)
	}
	return d, nil
}

// PutDefinition implements unwind.Service.
func (e *Engine) PutDefinition(ctx context.Context, def unwind.Definition, actor string) (unwind.Revision, error) {
	if faults := refusing(def.Validate(e.cfg.Participants)); len(faults) > 0 {
		return unwind.Revision{}, invalidDefinition(def.Name, faults)
	}
	body, err := json.Marshal(&def)
	if err != nil {
		return unwind.Revision{}, unwind.Errorf(unwind.Internal, "writing the definition of saga %q: %w", def.Name, err)
	}
	row := store.Definition{Name: def.Name, Version: def.Digest(), Body: body, CreatedAt: int64(e.clock.now()), By: orAnonymous(actor)}
	plan, err := e.plans.compile(&row, true)
	if err != nil {
		return unwind.Revision{}, unwind.Errorf(unwind.InvalidRequest, "storing the definition: %w", err)
	}
	a := audit(actor, "put-definition", def.Name, "", map[string]any{"version": row.Version})
	a.At = row.CreatedAt
	if _, err := e.store.PutDefinition(ctx, e.epoch, row, *a); err != nil {
		return unwind.Revision{}, failed(fmt.Sprintf("storing the definition of saga %q", def.Name), err)
	}
	e.plans.keep(plan, true)
	if e.node != nil {
		e.post(func(m node.Moment) {
			if e.outlast(plan) {
				e.limitServices(m)
			}
			e.limitType(m, plan.Def)
		})
	}
	return revision(&row)
}
