package engine

import (
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
	answer := make(chan error, 1)
	e.post(func(m node.Moment) { answer <- e.node.Sick(m) })
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return failed("asking the node how it is", ctx.Err())
	case <-e.stopped:
		return e.Running()
	}
}

// Running returns nil, or that and why the engine takes no more starts: it is being
// closed, or has stopped, as where another process has taken over the store. It is
// an *unwind.Error.
func (e *Engine) Running() error {
	select {
	case <-e.stopped:
		if e.failure != nil {
			return unwind.Errorf(unwind.StoreUnavailable, "the engine has stopped: %w", e.failure)
		}
		return unwind.Errorf(unwind.StoreUnavailable, "the engine has stopped")
	default:
	}
	if e.draining.Load() {
		return unwind.Errorf(unwind.StoreUnavailable, "the engine is being closed")
	}
	return nil
}
