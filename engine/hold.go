package engine

import (
	"context"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/node"
)

// Release implements unwind.Service.
func (e *Engine) Release(ctx context.Context, req unwind.ReleaseRequest) error {
	const doing = "releasing the server"
	if err := checkReason(doing, req.Reason); err != nil {
		return err
	}
	_, err := e.ask(ctx, func(m node.Moment, t node.Token) {
		e.node.Release(m, t, *audit(req.Actor, "release", "server", req.Reason, nil))
	})
	return err
}

// OnHold reports whether the engine calls nobody until it is released.
func (e *Engine) OnHold() bool {
	select {
	case <-e.released:
		return false
	default:
		return true
	}
}

// untilReleased waits for the end of the hold; false: the engine has ended before.
func (e *Engine) untilReleased() bool {
	select {
	case <-e.released:
		return true
	case <-e.ctx.Done():
	case <-e.stopped:
	}
	return false
}

// heldBack says why nothing is begun on hold.
func (e *Engine) heldBack(ctx context.Context, doing string) (err error) {
	if !e.OnHold() {
		return nil
	}
	asked := e.look(ctx, doing, func(node.Moment) { err = e.node.Held(doing) })
	if asked != nil {
		return asked
	}
	return err
}
