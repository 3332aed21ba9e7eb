// Package flow decides which call may go now, and when to ask again.
//
// It is one interface for both lanes of a service, the forward actions and
// the compensations: scopes in; a grant, or a reason and a time, out.
//
// # The protocol
//
//	Configure  sets the limits of a scope, at start and live
//	Push       puts a task into its queue
//	Next       grants one task that every one of its scopes admits
//	Wake       says when Next can answer otherwise, if nothing else happens
//	Done       gives the slot back and tells what the service answered
//
// and, so that the limits hold over a crash (Config.Durable),
//
//	Reservations  names what has to be durable before more is granted
//	Reserved      says that it is, or that the write failed
//	Restore       begins where an earlier process may have been
//
// A task is checked against all of its scopes (all compensations, the
// service's lane, the saga type, the tenant), and only when all admit it, all are charged.
// Nothing is ever reserved and cancelled, so a denial changes no budget.
//
// # How waiting costs nothing
//
// A target, one lane of one service, sits in a heap at the time from which
// its pace, its gate and its probe let it go. A target that waits for an event
// instead of a time (a free slot, a resume, the answer to a probe) is in no
// heap at all, and the event puts it back. Inside a target the tasks of one
// flow, a tenant of a saga type, form a queue in each class, first in, first out.
// The flows of a class share by start-time fair queueing, weighted by Weight. A
// flow at its tenant's limit parks, and so do all of a saga type at its limit, so
// nobody waits behind them; they come back at the virtual time of then and never
// catch up. A flow without a task, here or in the store, is forgotten, a few steps
// at a time.
//
// Only the heads of a queue are in memory. What Push leaves behind stays in
// the store, and Short names the queues that want to be refilled from it.
//
// # The adaptive rate
//
// A lane that asks for it finds the rate that its service bears: adaptive.go has its
// states and what an accepted call does, cut.go what a refusal does, and each state a file with its
// answer to both: slow.go, seek.go, climb.go, fallen.go, refused.go. taken.go has what a service is
// seen to take, careful.go what one gets that has little to give, vain.go when
// cuts end that help nothing, found.go what survives a restart, law.go the constants.
// How many calls it has in flight is found apart from that, in slots.go. Decisions 15 and
// 19 in docs/decisions say why.
//
// # Over a crash
//
// Each scope with a rate or a window grants only inside of what is durable: of a
// rate 200 ms ahead, below 10 calls per second one call; of a window about as
// many calls. Under load the next block rides on some commit while this one is
// used, at most about ten times a second; a scope without calls writes nothing.
// A process begins where its scopes were reserved to, with empty buckets, so at
// most one block is lost and nothing is overshot. The entries of a window are
// held until every call that may have been out has ended (Limits.Hold) and a
// window more.
//
// The caller gives a clock that goes on over a restart of the process, and of
// the machine: CLOCK_BOOTTIME while the boot id is the same, else moved on by at
// least the time that the machine was down. One that stands still makes waits
// longer. One that was set back makes them longer by at most one block, because
// nothing that was stored is trusted further ahead; one that was set forward can
// end them early. What SendNow has overdrawn beyond a block is forgotten.
//
// # Purity
//
// Time is int64 nanoseconds on a clock of the caller's that does not go back;
// a clock that does go back makes the scheduler stricter, never laxer. There is
// no clock, no random source, no goroutine and no channel in here: the same
// calls give the same answers. A Scheduler is not safe for concurrent use.
package flow
