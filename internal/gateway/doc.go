// Package gateway models what stands downstream of a saga engine, as
// [net/http] handlers: a [Gateway] that bears so many calls and answers 429
// above that, a [Script] that answers call by call as a test wants it, and the
// [CallLog] that both write, for the checker.
//
// What a gateway bears is a [Model]: pure, with the time as an argument. A
// [TokenBucket], a [FixedWindow], [Phases] that follow each other (other rates,
// slow or no answers), a [Crowd] that chokes. A new behaviour is a new model; a
// new way of telling about it is a new [Hint]. What a gateway saw of its
// callers is its list of [Arrivals].
package gateway
