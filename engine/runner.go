package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// The runner takes up the items of operations, in order and paced. It holds
// nothing that counts: an item is taken up by the transition that replays its
// dead letter, so a process that ends between two of them leaves the rest queued
// and none half done.
type runner struct {
	e     *Engine
	paces map[int64]*pacing
}

// A pacing is how fast an operation goes.
type pacing struct {
	allowed float64 // items that may be taken up now
	at      time.Time
	lanes   []livelane
	looked  time.Time
	rests   time.Time              // until then: it was in trouble
	shown   unwind.OperationCounts // as of the last event
	showed  time.Time
}

const (
	// runnerStep is how often items are taken up; runnerIdle how often it looks
	// where there is nothing to do.
	runnerStep = 25 * time.Millisecond
	runnerIdle = time.Second
	// takeMost bounds what is taken up at once, and outMost what of one operation
	// is being called: a pause or an abort holds soon.
	takeMost = 500
	outMost  = 1000
	// unpaced is how many items a second are taken up where nothing bounds them.
	unpaced = 10_000.0
)

// runOperations goes on with every operation that is begun, until the engine is closed.
func (e *Engine) runOperations() {
	defer e.workers.Done()
	if !e.untilReleased() {
		return
	}
	r := runner{e: e, paces: map[int64]*pacing{}}
	timer := time.NewTimer(0)
	defer timer.Stop()
	cleaned := time.Now()
	for {
		select {
		case <-e.operations.wake:
		case <-timer.C:
		case <-e.ctx.Done():
			return
		case <-e.stopped:
			return
		}
		wait, begin := runnerIdle, time.Now()
		states := []store.OperationState{store.OperationRunning}
		if planted.On(planted.ReplayPaused) {
			states = append(states, store.OperationPaused)
		}
		ops, _, err := e.store.Operations(e.ctx, store.OperationFilter{States: states, Limit: mostOperations})
		for i := range ops { // one that is in trouble holds no other up
			busy, trouble := r.step(e.ctx, &ops[i])
			if trouble != nil {
				r.paces[ops[i].ID].rests = time.Now().Add(runnerIdle)
				err = errors.Join(err, fmt.Errorf("operation %d: %w", ops[i].ID, trouble))
			}
			if busy {
				wait = runnerStep
			}
		}
		r.forget(ops)
		if err == nil && time.Since(cleaned) > time.Minute {
			cleaned, err = time.Now(), e.dropOld(e.ctx)
		}
		if err != nil && e.ctx.Err() == nil {
			e.cfg.Logger.Error("running operations", "error", err)
		}
		timer.Reset(max(wait-time.Since(begin), time.Millisecond))
	}
}

// forget drops the paces of operations that do not run.
func (r *runner) forget(running []store.Operation) {
	for id := range r.paces {
		found := false
		for i := range running {
			found = found || running[i].ID == id
		}
		if !found {
			delete(r.paces, id)
		}
	}
}

// step takes up what may be taken up now. busy: there will be more soon.
func (r *runner) step(ctx context.Context, op *store.Operation) (busy bool, err error) {
	p := r.paces[op.ID]
	if p == nil {
		p = &pacing{at: time.Now()}
		r.paces[op.ID] = p
	}
	if time.Now().Before(p.rests) {
		return false, nil
	}
	x, err := errandOf(op)
	if err != nil {
		return false, err
	}
	if time.Since(p.looked) > time.Second {
		p.looked = time.Now()
		if p.lanes, err = r.e.lanesOf(ctx, x); err != nil {
			return false, err
		}
	}
	running, err := r.e.store.Items(ctx, op.ID, store.ItemRunning, 0, outMost)
	if err != nil {
		return false, err
	}
	if planted.On(planted.ReplayLater) && len(running) == 0 {
		f := freezing{e: r.e, into: op.ID, now: int64(r.e.clock.now()), x: *x, lanes: map[laneName]bool{}}
		if err := f.fill(ctx, &x.Selection); err != nil {
			return false, err
		}
	}
	n := p.allow(x.Rate, time.Now())
	if heldUp(p.lanes) != "" {
		n = 0
	}
	queued, err := r.e.store.Items(ctx, op.ID, store.ItemQueued, 0, max(min(n, outMost-len(running), takeMost), 1))
	if err != nil {
		return false, err
	}
	canary := int64(x.Canary)
	for i := range queued {
		if canary > 0 && !x.Passed && queued[i].Seq > canary && !planted.On(planted.SkipCanary) {
			queued = queued[:i]
			break
		}
	}
	if len(queued) == 0 {
		if len(running) == 0 {
			return true, r.endOf(ctx, op, x)
		}
		return true, r.show(ctx, op, x, p)
	}
	queued = queued[:max(min(n, outMost-len(running), len(queued)), 0)]
	if err := r.take(ctx, op.ID, x, queued); err != nil {
		return false, err
	}
	p.allowed -= float64(len(queued))
	return true, r.show(ctx, op, x, p)
}

// allow returns how many items may be taken up. What was not used is not saved
// for longer than a tenth of a second: no burst follows a wait or a step that took long,
// and no second has more than a tenth above the rate.
func (p *pacing) allow(asked *unwind.Rate, now time.Time) int {
	rate := unpaced
	if r := pace(asked, p.lanes); r != nil {
		rate = *r
	}
	p.allowed = min(p.allowed+rate*now.Sub(p.at).Seconds(), max(rate/10, 1))
	p.at = now
	return int(p.allowed)
}

// take has items acted on, all at once, and waits until each is durable or refused.
func (r *runner) take(ctx context.Context, operation int64, x *errand, items []store.Item) error {
	replies := make([]chan node.Reply, len(items))
	for i := range items {
		op := r.act(operation, x, &items[i])
		ch, _, err := r.e.begin(func(m node.Moment, t node.Token) {
			op.Token, op.Audit.At = t, int64(m.Now)
			r.e.node.Operate(m, op)
		})
		if err != nil {
			return err
		}
		replies[i] = ch
	}
	var skips []store.Skip
	var trouble error
	for i, ch := range replies {
		var reply node.Reply
		select {
		case reply = <-ch:
		case <-ctx.Done():
			return ctx.Err()
		case <-r.e.stopped:
			return nil // what is not durable stays queued
		}
		why, err := r.why(ctx, x, &items[i], reply.Err)
		if err != nil {
			trouble = cmp.Or(trouble, err) // one says it for hundreds
		} else if why != "" {
			skips = append(skips, store.Skip{Seq: items[i].Seq, Why: why})
		}
	}
	if len(skips) > 0 {
		if err := r.e.store.SkipItems(ctx, r.e.epoch, operation, skips); err != nil {
			return err
		}
	}
	return trouble
}

// act is what is asked of an item's saga.
func (r *runner) act(operation int64, x *errand, it *store.Item) node.Operation {
	op := node.Operation{Saga: it.Saga, Item: store.ItemID{Operation: operation, Seq: it.Seq}}
	if planted.On(planted.ForgetItem) {
		op.Item = store.ItemID{}
	}
	if x.Kind == unwind.OperationCancel {
		op.Event = machine.Event{Kind: machine.CancelRequested, Actor: x.By, Reason: x.Reason}
		op.Audit = audit(x.By, "cancel", it.Saga.String(), x.Reason, map[string]any{"operation": operation})
		return op
	}
	op.Event = machine.Event{Kind: machine.Replayed, Step: it.Step, Dir: it.Direction, Actor: x.By, Reason: x.Reason}
	op.Audit = audit(x.By, "replay", it.Name(), x.Reason, map[string]any{"operation": operation})
	return op
}

// why says why an item is skipped; empty: it was taken up. The error is of what
// may work later.
func (r *runner) why(ctx context.Context, x *errand, it *store.Item, refusal error) (string, error) {
	switch unwind.CodeOf(refusal) {
	case "":
		if refusal == nil && x.Kind == unwind.OperationCancel {
			return "turns back already", nil // unless it was cancelled by this: then it is not queued any more
		}
		return "", refusal
	case unwind.NotFound, unwind.UnknownSaga:
		return "not found", nil
	case unwind.PastPivot:
		return "past its pivot", nil
	case unwind.Damaged:
		return "damaged", nil
	case unwind.Conflict, unwind.InvalidRequest:
	default:
		return "", refusal
	}
	if x.Kind == unwind.OperationCancel {
		return "at rest", nil
	}
	d, err := r.e.store.DeadLetter(ctx, it.DeadLetterID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "not found", nil
	case err != nil:
		return "", err
	case d.State != unwind.DeadLetterOpen:
		return string(d.State), nil
	}
	return "needs evidence: its key may be forgotten", nil
}

// endOf ends an operation that has nothing left to take up and nothing out, or its canary.
func (r *runner) endOf(ctx context.Context, op *store.Operation, x *errand) error {
	now := int64(r.e.clock.now())
	items, err := r.e.countItems(ctx, op.ID)
	if err != nil {
		return err
	}
	counts := sumItems(items, x)
	var a *store.Audit
	name := "operation " + operationName(op.ID)
	if x.Canary > 0 && !x.Passed && counts.Queued > 0 {
		text := fmt.Sprintf("canary: %d succeeded, %d failed again, %d skipped", counts.Succeeded, counts.FailedAgain, counts.Skipped)
		if x.Auto && counts.FailedAgain == 0 && counts.Succeeded > 0 {
			x.Passed = true
			a = audit("canary", "operation-resume", name, text, nil)
		} else {
			op.State = store.OperationPaused
			x.Paused = &unwind.LanePause{By: "canary", Reason: text, At: unwind.TimeFromMicros(now)}
			a = audit("canary", "operation-pause", name, text, nil)
		}
		a.At = now
	} else {
		op.State, x.EndedAt = store.OperationFinished, now
	}
	return r.change(ctx, op, x, a)
}

// show tells of progress, once a second at most.
func (r *runner) show(ctx context.Context, op *store.Operation, x *errand, p *pacing) error {
	if time.Since(p.showed) < time.Second {
		return nil
	}
	p.showed = time.Now()
	items, err := r.e.recentItems(ctx, op)
	if err != nil {
		return err
	}
	counts := sumItems(items, x)
	if reflect.DeepEqual(counts, p.shown) {
		return nil
	}
	p.shown = counts
	return r.change(ctx, op, x, nil)
}

// change writes an operation. Where somebody was faster, the next step reads it anew.
func (r *runner) change(ctx context.Context, op *store.Operation, x *errand, a *store.Audit) error {
	op.At, op.Body = int64(r.e.clock.now()), x.encode()
	_, err := r.e.store.ChangeOperation(ctx, r.e.epoch, *op, a)
	if errors.Is(err, store.ErrStale) {
		return nil
	}
	r.e.committed.ring()
	return err
}

// dropOld deletes selections that nobody has begun in time, and operations past
// their retention.
func (e *Engine) dropOld(ctx context.Context) error {
	now := int64(e.clock.now())
	for cursor := ""; ; {
		ops, next, err := e.store.Operations(ctx, store.OperationFilter{
			States: []store.OperationState{store.OperationSelection, store.OperationFinished, store.OperationAborted}, Cursor: cursor, Limit: 1000,
		})
		if err != nil {
			return err
		}
		for i := range ops {
			op := &ops[i]
			old := op.State == store.OperationSelection && op.At < now ||
				op.State != store.OperationSelection && e.cfg.Retention >= 0 && op.At < now-int64(micros(e.cfg.Retention))
			if old {
				if err := e.store.DropOperation(ctx, e.epoch, op.ID); err != nil {
					return err
				}
			}
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
}
