package engine

import (
	"cmp"
	"context"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/node"
)

// Writable returns nil, or why no saga can be made durable at the moment. It is
// an *unwind.Error.
func (e *Engine) Writable(ctx context.Context) error {
	if err := e.Running(); err != nil {
		return err
	}
	var sick error
	if err := e.look(ctx, "asking the node how it is", func(m node.Moment) { sick = e.node.Sick(m) }); err != nil {
		return cmp.Or(e.Running(), err)
	}
	return sick
}

// Running returns nil, or that and why the engine takes no more starts: it is being
// closed, or has stopped, as where another process has taken over the store. It is
// an *unwind.Error.
func (e *Engine) Running() error {
	select {
	case <-e.stopped:
		if e.failure != nil {
			return unwind.Errorf(unwind.StoreUnavailable, "%w: %w", errStopped, e.failure)
		}
		return unwind.Errorf(unwind.StoreUnavailable, "%w", errStopped)
	default:
	}
	if e.draining.Load() {
		return unwind.Errorf(unwind.StoreUnavailable, "the engine is being closed")
	}
	return nil
}
