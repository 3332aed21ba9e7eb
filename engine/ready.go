package engine

import (
	"cmp"
	"context"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
)

const (
	// probeAfter is how long nothing was written before Writable writes to see whether
	// it can be; and how long that may take.
	probeAfter = 5 * unwind.Second
	// slowWrite is how long a write may take before the store counts as hung. It is less
	// than a probe waits: who asks again after one hears the same.
	slowWrite = 3 * unwind.Second
)

// Writable returns nil, or why no saga can be made durable at the moment. An
// idle engine writes to the store to find out. It is an *unwind.Error.
func (e *Engine) Writable(ctx context.Context) error {
	if err := e.Running(); err != nil {
		return err
	}
	var sick error
	idle := false
	err := e.look(ctx, "asking the node how it is", func(m node.Moment) {
		var written machine.Micros
		sick = e.sick(m)
		idle, written = e.node.Idle()
		idle = idle && (sick != nil || m.Now-written > micros(probeAfter))
	})
	if err != nil {
		return cmp.Or(e.Running(), err)
	}
	if idle { // nobody else finds out
		return e.probe(ctx)
	}
	return sick
}

// sick says, in the node's goroutine, why the store can't be written; nil: it can.
func (e *Engine) sick(m node.Moment) error {
	if since := e.node.Writing(); since != 0 && m.Now-since >= micros(slowWrite) {
		return unwind.Errorf(unwind.StoreUnavailable, "the store has not answered a write for %d s; look at its disk", (m.Now-since)/1_000_000)
	}
	return e.node.Sick()
}

// probe writes nothing to the store, durably.
func (e *Engine) probe(ctx context.Context) error {
	probing, cancel := context.WithTimeout(ctx, probeAfter.Std())
	defer cancel()
	_, err := e.ask(probing, func(_ node.Moment, t node.Token) { e.node.Probe(t) })
	if err != nil && probing.Err() != nil {
		return unwind.Errorf(unwind.StoreUnavailable, "the store has not answered a write yet: %w; look at its disk", probing.Err())
	}
	return err
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
