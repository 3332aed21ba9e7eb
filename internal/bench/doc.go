// Package bench measures what the engine does, beside what the machine under it
// could do in the same minute.
//
// # The protocol
//
// The process that calls [Run] generates the load. The server, the participant
// and the engine that runs Go functions are child processes: the same program
// with the arguments of [Config.Command] and server, participant or worker
// behind them. A child says where it is in one line of JSON ([Ready]), then
// answers one line of JSON with another ([Converse]), and ends when its standard
// input does; so no child outlives its parent, even one that was killed.
//
// Every measurement makes a fixed number of calls, sagas or transitions, and
// puts its figure beside a limit taken in the same run, the two taking turns;
// what stands in a report is the median of the turns. A figure without a limit
// of its own run says more about the machine than about the engine.
//
// Reading order: run.go, figure.go, child.go; then one file per measurement:
// raw.go, sagas.go (http), inprocess.go, growth.go, memory.go, restart.go, backlog.go.
package bench
