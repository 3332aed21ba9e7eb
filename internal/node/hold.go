package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// A halt is a node's hold (Config.Hold). It calls nobody and moves no saga: it reads
// neither unfinished sagas nor queues, and refuses starts and operations, so that
// no order is in memory and none can be sent. What operators set at scopes, and
// the questions that they ask (question.go), pass. A release ends it.
type halt struct {
	on        bool
	releasing bool               // it is being written
	queues    []store.QueueDepth // that hold compensations
}

// Held says why nothing is begun; nil: the node is not on hold.
func (n *Node) Held(doing string) error {
	if !n.halt.on {
		return nil
	}
	return unwind.Errorf(unwind.Held, "%s: this server is on hold (serve --hold): it calls nobody and moves no saga; compare what it knows with the services (unwind reconcile), then let it go on with unwind release --reason …", doing)
}

// Release ends the hold. The reply comes once its audit row is durable; nobody is
// called before.
func (n *Node) Release(m Moment, t Token, a store.Audit) {
	switch {
	case !n.halt.on:
		n.out.Replies = append(n.out.Replies, Reply{Token: t, Err: unwind.Errorf(unwind.Conflict, "releasing the server: it is not on hold")})
		return
	case n.halt.releasing:
		n.out.Replies = append(n.out.Replies, Reply{Token: t, Err: unwind.Errorf(unwind.Conflict, "releasing the server: somebody else is releasing it")})
		return
	}
	n.halt.releasing = true
	a.At = int64(m.Now)
	n.building.rows.Audit = append(n.building.rows.Audit, a)
	n.building.releases = append(n.building.releases, t)
}

// released begins the work once the release in a batch is durable.
func (n *Node) released(m Moment, b *batch) {
	for _, t := range b.releases {
		queues := n.halt.queues
		n.halt = halt{}
		n.out.Released = true
		n.out.Replies = append(n.out.Replies, Reply{Token: t})
		n.takeUpAll(m, queues)
	}
}
