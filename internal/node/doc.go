// Package node decides what one node does: which sagas it holds, what it
// commits, whom it calls, and when. It is pure:
//
//	(node, event, moment) -> what to commit, call, read and answer
//
// The engine carries the decisions out on real disks and sockets; the simulator
// carries the same decisions out in a world it controls.
//
// # The protocol
//
// The owner calls one method per event, in one goroutine, and then takes the
// [Output]. At most one commit is under way; what becomes ready meanwhile forms
// the next batch, so that a busy store gets large groups and an idle one adds no
// delay. Every effect of a transition (a call, an answer to a client, a place in
// a queue) is held until the commit that carries the transition is durable.
//
// Reading order, the way data takes: start.go, commit.go, action.go (orders and
// grants), answer.go, operate.go, claim.go (recovery and parked sagas), queue.go.
package node
