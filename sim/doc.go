// Package sim runs the whole system in a world of its own: the real machine, flow
// control, node and memory store, on a clock, a network, a disk and participants
// that exist only as one seed decides. It is deterministic: one schedule, one
// outcome.
//
// A [Schedule] says what clients ask for and what goes wrong; whatever is taken
// out of it leaves the rest as it was, so that [Shrink] can make a failure small.
// [Run] plays it: first with its trouble, then, in the calm, until everything has
// come to rest. What clients, participants and the store wrote down is judged by
// package sagatest/history; the world itself judges what no history holds: the
// participants' books, bodies, gates and hints, queues that the process has
// forgotten, what is left in memory, and every scope of flow control by what
// operators were told of it, and starts that wait for late compensations. It runs
// no package engine: operations over many dead letters are not driven.
//
// Reading order: schedule.go, world.go (time), process.go (a life of a node),
// storage.go, call.go (the network), participant.go and book.go, client.go,
// operator.go, act.go and control.go (what operators do to flow control),
// backlog.go, incident.go, then the judges: oracle.go, contract.go, queues.go, lane.go,
// rule.go and meter.go.
//
// Reproduce a failure with go test ./sim -run TestSimulation -sim.seed=N -v.
package sim
