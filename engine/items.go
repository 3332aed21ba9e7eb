package engine

import (
	"context"
	"sync"

	"github.com/unwindhq/unwind/store"
)

// itemTallies count the items of operations that run, so that who watches one does not have
// all of them counted each time. The zero value is ready to use; safe for concurrent use.
type itemTallies struct {
	mu      sync.Mutex
	running map[int64]*tally[store.ItemCount]
}

// mostTallies is how many operations are remembered: more than anybody watches.
const mostTallies = 64

// countItems counts the items of an operation by what became of them.
func (e *Engine) countItems(ctx context.Context, operation int64) ([]store.ItemCount, error) {
	rows, err := e.store.CountItems(ctx, operation, 0)
	if err != nil {
		return nil, failed("counting the items of operation "+operationName(operation), err)
	}
	return rows, nil
}

// recentItems is countItems, and of an operation that runs as it was a moment ago.
func (e *Engine) recentItems(ctx context.Context, op *store.Operation) ([]store.ItemCount, error) {
	if op.State != store.OperationRunning {
		return e.countItems(ctx, op.ID)
	}
	return e.items.of(e, op.ID).recent(ctx)
}

func (t *itemTallies) of(e *Engine, operation int64) *tally[store.ItemCount] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if y := t.running[operation]; y != nil {
		return y
	}
	if t.running == nil || len(t.running) >= mostTallies {
		t.running = map[int64]*tally[store.ItemCount]{}
	}
	y := newTally(func(ctx context.Context) ([]store.ItemCount, error) { return e.countItems(ctx, operation) })
	t.running[operation] = &y
	return &y
}
