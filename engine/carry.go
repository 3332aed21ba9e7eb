package engine

import (
	"errors"
	"sync"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// carryOut does what the node decided. It never blocks.
func (e *Engine) carryOut(out node.Output) {
	if out.Commit != nil {
		e.commits <- out.Commit // has room: one commit is under way at most
	}
	if out.Released {
		close(e.released)
	}
	for _, r := range out.Replies {
		e.reply(r)
	}
	for i := range out.Rests {
		e.metrics.rested(&out.Rests[i])
	}
	for i := range out.Calls {
		e.startCall(&out.Calls[i])
	}
	for _, saga := range out.Loads {
		e.read(func() { e.load(saga) })
	}
	if c := out.Claim; c != nil {
		e.read(func() { e.claim(*c) })
	}
	for _, r := range out.Reads {
		e.read(func() {
			tasks, err := e.store.Tasks(e.ctx, r.Queue, r.Limit)
			e.post(func(m node.Moment) { e.node.TasksRead(m, r, tasks, err) })
		})
	}
}

// reply answers whoever waits for a token, if anybody still does.
func (e *Engine) reply(r node.Reply) {
	if ch := e.waiting[r.Token]; ch != nil {
		delete(e.waiting, r.Token)
		ch <- r
	}
}

// commitLoop writes one batch after another.
func (e *Engine) commitLoop() {
	defer e.workers.Done()
	for b := range e.commits {
		begin := time.Now()
		e.stamp(b)
		results, err := e.store.Commit(e.ctx, b)
		e.metrics.committed(b, results, err, time.Since(begin))
		if err != nil {
			e.cfg.Logger.Error("committing a batch", "transitions", len(b.Transitions), "error", err)
		}
		e.post(func(m node.Moment) { e.node.Committed(m, results, err) })
		e.committed.ring()
	}
}

// read does a read of the store beside the loop, or when one that is under way
// ends: a list of what waits takes less than a goroutine for each.
func (e *Engine) read(do func()) {
	e.reads.mu.Lock()
	defer e.reads.mu.Unlock()
	if e.reads.running == concurrentReads {
		e.reads.waiting = append(e.reads.waiting, do)
		return
	}
	e.reads.running++
	e.workers.Add(1)
	go e.readLoop(do)
}

// readLoop does one read, and then those that wait.
func (e *Engine) readLoop(do func()) {
	defer e.workers.Done()
	for do != nil {
		do()
		do = e.reads.next(e.ctx.Err() == nil)
	}
}

// reads are the reads of the store for the loop. Their bound is what asks for
// them: sagas to be loaded, queues to be read.
type reads struct {
	mu      sync.Mutex
	running int
	waiting []func()
}

// next returns the next read, or nil where a reader is to end.
func (r *reads) next(more bool) func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !more || len(r.waiting) == 0 {
		r.running--
		return nil
	}
	do := r.waiting[0]
	r.waiting[0] = nil
	r.waiting = r.waiting[1:]
	return do
}

func (e *Engine) load(saga id.ID) {
	row, plan, err := e.find(saga)
	e.post(func(m node.Moment) { e.node.Loaded(m, saga, plan, row, err) })
}

// find reads a saga and its plan.
func (e *Engine) find(saga id.ID) (*store.Saga, *machine.Plan, error) {
	row, err := e.store.Load(e.ctx, saga)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, unwind.Errorf(unwind.NotFound, "there is no saga %s", saga)
	}
	if err != nil {
		return nil, nil, failed("reading saga "+saga.String(), err)
	}
	plan, err := e.plans.get(e.ctx, row.Name, row.Start.Version)
	if err != nil {
		return nil, nil, err
	}
	return &row, plan, nil
}

func (e *Engine) claim(c node.Claim) {
	rows, err := e.store.ClaimDue(e.ctx, c.AfterDue, c.After, c.Until, c.Limit)
	claimed := make([]node.Claimed, len(rows))
	for i := range rows {
		claimed[i].Row = rows[i]
		if damage := rows[i].Damage; damage != nil {
			claimed[i].Err = failed("reading saga "+rows[i].ID.String(), damage)
		} else {
			claimed[i].Plan, claimed[i].Err = e.plans.get(e.ctx, rows[i].Name, rows[i].Start.Version)
		}
		if unwind.CodeOf(claimed[i].Err) == unwind.StoreUnavailable {
			err = claimed[i].Err // all of them are read again
		}
	}
	if err != nil && e.ctx.Err() == nil {
		e.cfg.Logger.Error("reading unfinished sagas", "error", err)
	}
	e.post(func(m node.Moment) {
		for i := range claimed {
			if s := &claimed[i]; err == nil && s.Err != nil && !e.node.Stuck(s.Row.ID) {
				e.cfg.Logger.Error("taking up a saga", "saga", s.Row.ID, "error", s.Err)
			}
		}
		e.node.Claimed(m, c, claimed, err)
	})
}
