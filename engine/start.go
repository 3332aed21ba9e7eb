package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// maxWait bounds how long a start waits for its saga to come to rest.
const maxWait = 60 * unwind.Second

// Start implements unwind.Service.
func (e *Engine) Start(ctx context.Context, req unwind.StartRequest) (*unwind.Instance, bool, error) {
	start, err := e.newStart(ctx, req)
	if err != nil {
		return nil, false, err
	}
	ch, token, err := e.beginStart(start)
	if err != nil {
		return nil, false, err
	}
	return e.started(ctx, ch, token, start, req.Wait)
}

func (e *Engine) beginStart(start *node.Start) (chan node.Reply, *node.Token, error) {
	ch, token, err := e.begin(func(m node.Moment, t node.Token) {
		start.Token = t
		e.node.Start(m, *start)
	})
	if err != nil {
		e.refused.Add(1)
	}
	return ch, token, err
}

// StartBatch implements unwind.Service. All are begun before the first is waited for.
func (e *Engine) StartBatch(ctx context.Context, reqs []unwind.StartRequest) ([]unwind.StartResult, error) {
	type pending struct {
		start *node.Start
		ch    chan node.Reply
		token *node.Token
	}
	results := make([]unwind.StartResult, len(reqs))
	waiting := make([]pending, len(reqs))
	for i := range reqs {
		start, err := e.newStart(ctx, reqs[i])
		if err != nil {
			results[i].Err = err
			continue
		}
		start.Wait = false
		p := pending{start: start}
		p.ch, p.token, results[i].Err = e.beginStart(start)
		waiting[i] = p
	}
	for i, p := range waiting {
		if p.ch != nil {
			results[i].Instance, results[i].Created, results[i].Err = e.started(ctx, p.ch, p.token, p.start, 0)
		}
	}
	return results, nil
}

// started waits for a start's reply: durable, at rest, or the wait is over. For a store
// that can't be written it does not wait longer than ask does.
func (e *Engine) started(ctx context.Context, ch chan node.Reply, token *node.Token, start *node.Start, wait unwind.Duration) (*unwind.Instance, bool, error) {
	over := time.NewTimer(min(cmp.Or(wait, patience), maxWait).Std())
	defer over.Stop()
	for {
		select {
		case r := <-ch:
			return e.startReplied(ctx, start, r, wait)
		case <-over.C:
			e.post(func(m node.Moment) {
				if saga := e.node.Forget(start.ID, *token); saga != nil {
					e.reply(node.Reply{Token: *token, Saga: saga})
				} else if err := e.sick(m); err != nil {
					e.reply(node.Reply{Token: *token, Err: unknown(err)})
				}
			})
			over.Reset(time.Second)
		case <-ctx.Done():
			e.post(func(node.Moment) {
				e.node.Forget(start.ID, *token)
				delete(e.waiting, *token)
			})
			return nil, false, unknown(fmt.Errorf("starting saga %q: %w", start.Name, ctx.Err()))
		case <-e.stopped:
			r, err := e.afterStop(ch)
			if err != nil {
				return nil, false, err
			}
			return e.startReplied(ctx, start, r, wait)
		}
	}
}

func (e *Engine) startReplied(ctx context.Context, start *node.Start, r node.Reply, wait unwind.Duration) (*unwind.Instance, bool, error) {
	switch {
	case r.Err != nil:
		e.refused.Add(1)
		return nil, false, r.Err
	case r.Existing == (id.ID{}):
		e.begun.Add(1)
		e.metrics.started.Inc()
		if wait == 0 {
			return r.Saga.Instance(), true, nil // its first call has not left yet
		}
		return e.view(ctx, r.Saga), true, nil
	}
	inst, err := e.Get(ctx, r.Existing.String())
	switch {
	case unwind.CodeOf(err) == unwind.NotFound:
		inst, err = e.purged(ctx, start)
	case err == nil && wait > 0 && !inst.Status.AtRest():
		inst, err = e.await(ctx, r.Existing, wait)
	}
	return inst, false, err
}

// purged is the saga that a key began, as far as the key tells of it: the saga itself
// is deleted.
func (e *Engine) purged(ctx context.Context, start *node.Start) (*unwind.Instance, error) {
	key, err := e.store.FindKey(ctx, start.Tenant, start.Name, start.Key)
	if errors.Is(err, store.ErrNotFound) || err == nil && !key.Purged {
		err := unwind.Errorf(unwind.Overloaded, "starting saga %q with key %q: the key was taken and has just become free; start it again", start.Name, start.Key)
		err.RetryAfter = unwind.Second
		return nil, err
	}
	if err != nil {
		return nil, failed("reading what the key "+strconv.Quote(start.Key)+" began", err)
	}
	return &unwind.Instance{
		ID: key.Saga.String(), Saga: start.Name, Version: key.Version, Tenant: start.Tenant, Key: start.Key, Status: statusOf(key.Phase),
		Input: start.Input, Steps: []unwind.StepInstance{}, Purged: true,
		CreatedAt: unwind.TimeFromMicros(key.CreatedAt), UpdatedAt: unwind.TimeFromMicros(key.UpdatedAt),
	}, nil
}

// await waits until a saga that began before is at rest, or the wait is over.
func (e *Engine) await(ctx context.Context, saga id.ID, wait unwind.Duration) (*unwind.Instance, error) {
	ctx, cancel := context.WithTimeout(ctx, min(wait, maxWait).Std())
	defer cancel()
	ch, token, err := e.begin(func(m node.Moment, t node.Token) {
		e.node.Operate(m, node.Operation{Token: t, Saga: saga, Wait: true})
	})
	if err != nil {
		return nil, err
	}
	select {
	case r := <-ch:
		if r.Err != nil {
			return nil, r.Err
		}
		return e.view(ctx, r.Saga), nil
	case <-ctx.Done():
		e.post(func(node.Moment) {
			e.node.Forget(saga, *token)
			delete(e.waiting, *token)
		})
	case <-e.stopped:
	}
	return e.Get(context.WithoutCancel(ctx), saga.String())
}

// newStart checks a request and fills in what the node needs.
func (e *Engine) newStart(ctx context.Context, req unwind.StartRequest) (*node.Start, error) {
	if faults := checkStart(&req); len(faults) > 0 {
		err := unwind.Errorf(unwind.InvalidRequest, "starting a saga: %s", faults[0])
		err.Faults = faults
		return nil, err
	}
	if len(req.Input) > unwind.MaxInput {
		return nil, unwind.Errorf(unwind.TooLarge, "starting saga %q: the input has %d bytes and the most is %d; keep large things elsewhere and pass their address", req.Saga, len(req.Input), unwind.MaxInput)
	}
	plan, err := e.plans.get(ctx, req.Saga, "")
	if err != nil {
		return nil, err
	}
	input := req.Input
	if len(input) == 0 {
		input = json.RawMessage("null")
	}
	digest, compact, err := canonical(input)
	if err != nil {
		f := unwind.Errorf(unwind.InvalidRequest, "starting saga %q: input: %w", req.Saga, err)
		f.Faults = []unwind.Fault{{Pointer: "/input", Message: err.Error()}}
		return nil, f
	}
	hash := id.KeyHash(req.Tenant, req.Saga, req.Key)
	slot := id.SlotOf(hash)
	return &node.Start{
		ID: e.ids.New(slot), Plan: plan, Wait: req.Wait > 0,
		Start: store.Start{Name: req.Saga, Version: plan.Version, Tenant: req.Tenant, Key: req.Key, KeyHash: hash, Input: compact, InputDigest: digest},
	}, nil
}

func checkStart(req *unwind.StartRequest) (faults []unwind.Fault) {
	add := func(pointer, message string) {
		faults = append(faults, unwind.Fault{Pointer: pointer, Message: message})
	}
	if req.Saga == "" {
		add("/saga", "name the saga to start")
	}
	text := func(pointer, v string) {
		switch {
		case len(v) > unwind.MaxKeyLength:
			add(pointer, "it is longer than 256 bytes")
		case !utf8.ValidString(v):
			add(pointer, "it is not UTF-8")
		default:
			if r, found := deceiver(v, ""); found {
				add(pointer, fmt.Sprintf("it holds the control character %U; take it away", r))
			}
		}
	}
	text("/key", req.Key)
	text("/tenant", req.Tenant)
	if req.Wait < 0 || req.Wait > maxWait {
		add("/wait", "wait at most 60s")
	}
	return faults
}

// deceives reports characters that steer what shows a text: controls, breaks of
// lines, and those that turn its direction.
func deceives(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}
