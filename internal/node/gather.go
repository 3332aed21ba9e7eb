package node

import "github.com/unwindhq/unwind/internal/machine"

// flush hands the next batch out when no commit is under way.
func (n *Node) flush(m Moment) {
	if n.flying != nil || n.sick.err != nil && m.Now < n.sick.retryAt {
		return
	}
	b := n.building
	urgent := !n.draining && n.sched.Wake() <= nanos(m.Now)
	if !urgent && n.gathers(m) {
		return
	}
	if urgent || !b.rows.Empty() {
		n.reserve(m, b)
	}
	if asks := n.doubts && urgent || len(b.probes) > 0; !asks && b.rows.Empty() {
		// Everything before these answers is durable.
		n.answer(m, b.answers)
		b.answers = nil
		return
	}
	n.flying, n.building, n.handed = b, newBatch(), m.Now
	b.sleeps = n.sleeps
	b.rows.Epoch, b.rows.Node, b.rows.At = n.cfg.Epoch, n.cfg.Name, int64(m.Now)
	n.out.Commit = &b.rows
}

// mostGather bounds how long a commit waits for its like.
const mostGather machine.Micros = 1000

// gathers reports whether the next commit waits a little for the answers to calls
// that are out at services; those of Go functions come as soon as there is a processor
// for them. It does so only right behind another one, for as long as that one
// took, and while it holds less than half as many transitions: a commit of a few
// costs the store as much as one of many. A saga of one step after another has no
// call out when it has something to commit.
func (n *Node) gathers(m Moment) bool {
	few := 2*len(n.building.rows.Transitions) < n.abroad
	return m.Now < n.gather && few && !n.building.rows.Empty()
}
