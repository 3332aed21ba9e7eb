package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// A Start asks for a new saga. Whoever makes it has checked the input.
type Start struct {
	Token Token
	ID    id.ID
	Plan  *machine.Plan
	store.Start
	// Wait: reply when the saga is at rest, not when it is durable.
	Wait bool
}

// Start begins a saga. The reply comes once it is durable (or at rest).
func (n *Node) Start(m Moment, req Start) {
	err := n.Held("starting a saga")
	if err == nil {
		err = n.refuse(m, len(req.Input))
	}
	if err == nil {
		err = n.shed(m, req.Plan)
	}
	if err != nil {
		n.out.Replies = append(n.out.Replies, Reply{Token: req.Token, Err: err})
		return
	}
	if planted.On(planted.StartTwice) {
		req.Key += req.ID.String()
	}
	sg := n.hold(newSnapshot(req.ID, req.Plan, &req.Start), store.AtRest)
	if planted.On(planted.AckBeforeCommit) {
		n.out.Replies = append(n.out.Replies, Reply{Token: req.Token, Saga: sg.share()})
		req.Token = 0
	}
	n.apply(m, sg, machine.Event{Kind: machine.Started}, &request{token: req.Token, start: &req.Start, wait: req.Wait})
}

// refuse says why no saga with an input of so many bytes can be started now.
func (n *Node) refuse(m Moment, bytes int) error {
	const doing = "starting a saga"
	if err := n.unwritable(m, doing); err != nil && !n.draining {
		return err
	}
	var err *unwind.Error
	switch {
	case n.draining:
		err = unwind.Errorf(unwind.StoreUnavailable, doing+": this node is shutting down; try again, on another node or in a moment")
	case len(n.sagas) >= n.cfg.MaxActive:
		err = unwind.Errorf(unwind.Overloaded, doing+": %d sagas are active, which is the most this node holds (max_active); try again later", len(n.sagas))
	case n.bytes+bytes > n.cfg.MaxBytes:
		err = unwind.Errorf(unwind.Overloaded, doing+": the inputs of the active sagas have %d bytes, and the most that this node holds is %d (max_active_bytes); try again later", n.bytes, n.cfg.MaxBytes)
	default:
		return nil
	}
	err.RetryAfter = unwind.Second
	return err
}
