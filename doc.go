// Package unwind is the vocabulary of a durable saga engine that treats undo as
// production traffic.
//
// A saga splits one business transaction over several services. Each [Step] is a
// local transaction of one participant; when a step fails, the steps completed
// before it are undone by their compensations, in reverse order.
//
// This package holds what users write ([Definition], [Step], [Call], [Retry],
// [Participant]), what they read back ([Instance], [DeadLetter], [Entry]), the
// errors they meet ([Error]) and the [Service] interface, which the engine
// embedded in a Go program and the HTTP client both implement. It imports
// nothing but the standard library.
package unwind
