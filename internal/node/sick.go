package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// Sick says why the store could not be written when that was last tried; nil: it could.
func (n *Node) Sick() error {
	if n.sick.err == nil {
		return nil
	}
	return unwind.Errorf(unwind.StoreUnavailable, "the store can't be written: %w", n.sick.err)
}

// unwritable says why nothing is begun that has to be written; nil: it is. Once a
// write has failed, what comes when the next one is due is let in to be tried with it.
func (n *Node) unwritable(m Moment, doing string) error {
	if n.sick.err == nil || m.Now >= n.sick.retryAt {
		return nil
	}
	err := unwind.Errorf(unwind.StoreUnavailable, "%s: the store can't be written: %w; nothing was begun, and nothing that was acknowledged is lost; try again later", doing, n.sick.err)
	err.RetryAfter = unwind.Second
	return err
}

// Idle reports whether nothing waits to be written, and when the store was last known
// to take a write; 0: not yet.
func (n *Node) Idle() (idle bool, written machine.Micros) {
	return n.flying == nil && n.building.empty(), n.written
}

// Writing returns since when a batch is being written; 0: none is.
func (n *Node) Writing() machine.Micros {
	if n.flying == nil {
		return 0
	}
	return n.handed
}

// Probe has the store written although nothing is to be. The reply comes once that is
// durable, or with the error of Sick.
func (n *Node) Probe(t Token) { n.building.probes = append(n.building.probes, t) }

// probed answers the probes of a batch.
func (n *Node) probed(b *batch, err error) {
	for _, t := range b.probes {
		n.out.Replies = append(n.out.Replies, Reply{Token: t, Err: err})
	}
	b.probes = nil
}
