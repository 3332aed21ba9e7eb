// Package storm judges how the engine undoes a thousand sagas at once, against
// services in trouble.
//
// # The protocol
//
// A scenario is a gateway model, a number of sagas, and goals. Its sagas charge
// a payment, reserve, and are held at their third step until all of them are
// there; then all are refused at once, and every charge is to be refunded
// through the gateway. Everything goes over real HTTP on loopback; the engine
// has SQLite on disk, and for the scenarios that kill it is a process of its own.
//
// The judge reads the gateway's list of arrivals and the books of its effects,
// and asks the engine only what it says of each saga: a refund that is missing
// and that nobody will make is lost. Times run from the first refund that
// arrives to the last one's effect. What would be ideal is computed from the
// model's capacity and from what the last call takes; a naive control (ten workers,
// full-jitter exponential backoff, five attempts) meets a model of its own of the
// same kind, after the engine.
//
// Goals marked as figures are those that the project has set itself; the others
// are marked as ours, and only guard what is reached.
//
// Reading order: scenario.go, list.go, run.go; world.go and books.go (downstream),
// engine.go and process.go (the subject), control.go; evidence.go, judge.go, goals.go;
// compare.go for the scenarios that put two loads side by side; page.go and
// picture.go for the report.
package storm
