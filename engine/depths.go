package engine

import (
	"context"
	"sync"
	"time"

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
