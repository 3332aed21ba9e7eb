package engine

import (
	"context"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// A tally remembers what was counted in the store. Counting takes time in proportion
// to what is there, so it is done at most once a second, and takes at most a
// twentieth of the time. A count that took long once, as the first one after a restart
// does, cold and behind the reads of the recovery, is no measure: two in a row are.
type tally[T any] struct {
	count func(context.Context) ([]T, error)
	turn  chan struct{} // held while counting: who asks meanwhile waits for the answer
	rows  []T
	took  time.Duration // the last count
	until time.Time
}

const (
	tallyAge   = time.Second
	tallyShare = 20
)

func newTally[T any](count func(context.Context) ([]T, error)) tally[T] {
	return tally[T]{count: count, turn: make(chan struct{}, 1)}
}

// recent returns the rows as they were a moment ago; they are not to be changed.
func (y *tally[T]) recent(ctx context.Context) ([]T, error) { return y.read(ctx, false) }

// read counts anew where it must, and else where it is time to.
func (y *tally[T]) read(ctx context.Context, anew bool) ([]T, error) {
	select {
	case y.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, failed("waiting for a count that is under way", ctx.Err())
	}
	defer func() { <-y.turn }()
	begin := time.Now()
	if !anew && begin.Before(y.until) {
		return y.rows, nil
	}
	rows, err := y.count(ctx)
	if err != nil {
		return nil, err
	}
	took := time.Since(begin)
	y.rows, y.until = rows, begin.Add(max(tallyAge, tallyShare*min(took, y.took)))
	y.took = took
	return rows, nil
}

// countQueues returns the depths of all queues.
func (e *Engine) countQueues(ctx context.Context) ([]store.QueueDepth, error) {
	rows, err := e.store.Queues(ctx, int64(e.clock.now()))
	if err != nil {
		return nil, failed("counting the compensation queues", err)
	}
	return rows, nil
}

// A depth is what waits for one service.
type depth struct {
	ready, backingOff int
	oldest            int64 // when the oldest was queued; 0: none waits
}

// byService sums the queues up by service.
func byService(rows []store.QueueDepth) map[string]depth {
	m := map[string]depth{}
	for i := range rows {
		q := &rows[i]
		d := m[q.Target]
		d.ready += q.Ready
		d.backingOff += q.BackingOff
		if d.oldest == 0 || q.Oldest > 0 && q.Oldest < d.oldest {
			d.oldest = q.Oldest
		}
		m[q.Target] = d
	}
	return m
}

// drains is how long, in ns, saga types and tenants whose own limits hold them back take
// for what waits of them at each service, at the least.
func (e *Engine) drains(m node.Moment, rows []store.QueueDepth) map[string]int64 {
	type part struct {
		service string
		scope   unwind.Scope
	}
	waits := map[part]int{}
	for i := range rows {
		q := &rows[i]
		waits[part{q.Target, unwind.Scope{Kind: unwind.ScopeSagaType, Name: q.SagaType}}] += q.Ready + q.BackingOff
		waits[part{q.Target, unwind.Scope{Kind: unwind.ScopeTenant, Name: q.SagaType, Tenant: q.Tenant}}] += q.Ready + q.BackingOff
	}
	longest := map[string]int64{}
	for _, scope := range e.node.Scopes() {
		if scope.Kind != unwind.ScopeSagaType && scope.Kind != unwind.ScopeTenant {
			continue
		}
		snap := e.node.Snapshot(m, scope)
		for service := range e.cfg.Participants {
			if ns := snap.Drain(waits[part{service, scope}], int64(m.Now)*1000); ns != flow.Never {
				longest[service] = max(longest[service], ns)
			}
		}
	}
	return longest
}

// watchDepths tells the node how old the compensations are that wait, where a service
// has a backlog to keep.
func (e *Engine) watchDepths() {
	defer e.workers.Done()
	needed := false
	for _, p := range e.cfg.Participants {
		needed = needed || p.Backlog.Objective > 0
	}
	if !needed {
		return
	}
	e.every(tallyAge, func() {
		rows, err := e.depths.recent(e.ctx)
		if err != nil {
			return // the loop says that the store is sick
		}
		e.post(func(m node.Moment) { e.node.Depths(m, rows) })
	})
}
