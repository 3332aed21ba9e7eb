package engine

import (
	"context"
	"sync"
	"time"

	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// depths remembers how deep the queues are. Counting them takes time in
// proportion to what waits, so it is done at most once a second, and takes at most
// a twentieth of the time.
type depths struct {
	store store.Store
	clock clock

	mu    sync.Mutex // held while counting: who asks meanwhile waits for the answer
	rows  []store.QueueDepth
	until time.Time
}

const (
	depthsAge   = time.Second
	depthsShare = 20
)

// queues returns the depths of all queues, as they were a moment ago.
func (d *depths) queues(ctx context.Context) ([]store.QueueDepth, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	begin := time.Now()
	if begin.Before(d.until) {
		return d.rows, nil
	}
	rows, err := d.store.Queues(ctx, int64(d.clock.now()))
	if err != nil {
		return nil, failed("counting the compensation queues", err)
	}
	d.rows, d.until = rows, begin.Add(max(depthsAge, depthsShare*time.Since(begin)))
	return rows, nil
}

// A depth is what waits for one service.
type depth struct {
	ready, backingOff int
	oldest            int64 // when the oldest was queued; 0: none waits
}

// services sums the queues up by service.
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
	ticks := time.NewTicker(depthsAge)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
		case <-e.ctx.Done():
			return
		}
		rows, err := e.depths.queues(e.ctx)
		if err != nil {
			continue // the loop says that the store is sick
		}
		e.post(func(m node.Moment) { e.node.Depths(m, rows) })
	}
}
