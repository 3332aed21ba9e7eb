// Package machine decides the way of one saga. It is pure:
//
//	Next(plan, state, event) -> the next state, what to journal, what to do
//
// The same arguments give the same answer; time and chance come in with the
// event. Nothing here calls, waits or writes. An effect may be carried out only
// after the transition that ordered it is durable.
//
// Reading order: plan.go (what a saga may do), state.go (where it stands),
// event.go (what can happen), answer.go (what an answer means), forward.go and
// undo.go (the two ways), operator.go (people), timer.go (time and recovery).
package machine

//go:generate go test -count=1 -run ^TestStateTableIsCurrent$ . -rewrite
