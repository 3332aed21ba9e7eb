package machine

import (
	"encoding/json"

	"github.com/unwindhq/unwind"
)

// An Event is something that happened to a saga. At and Rand are the caller's
// clock and chance; the fields that a kind does not name stay zero.
type Event struct {
	Kind EventKind
	At   Micros
	Rand uint64
	Step int
	Dir  unwind.Direction
	// Attempt that an answer belongs to.
	Attempt uint32
	// Generation of the key that an answer belongs to.
	Generation uint32
	// Resent: the attempt may have left before, in a process that has ended.
	Resent bool
	Answer Answer
	// SentAt is when the answered call was sent; 0 where that is not known.
	SentAt Micros
	// Operator events.
	Actor, Reason, Evidence string
	NewKey                  bool
	As                      string // of Resolved: "", done, refused
	// Output of Resolved, Signalled or Completed.
	Output json.RawMessage
}

// An EventKind says what happened.
type EventKind uint8

// The kinds of events.
const (
	// Started begins the saga; the state is the zero State.
	Started EventKind = iota
	// Answered: a call ended with Answer. Step, Dir, Attempt, Generation.
	Answered
	// StatusAnswered: the status path answered; Answer.Outcome done, refused
	// (not done), in_progress, or none where it could not be asked.
	StatusAnswered
	// Withdrawn: the ordered action was taken back before this process sent it.
	// Step, Attempt; Resent where another process may have sent it before.
	Withdrawn
	// Lost: nobody knows whether the ordered action left, and nobody waits for
	// it any more. Step, Attempt.
	Lost
	// TimerFired: the time that NextTimer named has come, or [Expired] held an
	// order back. Step, Dir; Resent where another process may have sent the order.
	TimerFired
	// DeadlineReached: the saga's deadline has come.
	DeadlineReached
	// CancelRequested by Actor for Reason.
	CancelRequested
	// Signalled: a waiting signal step got its answer in Output. Step.
	Signalled
	// CallCompleted: an awaiting call was completed; Answer.Outcome done or refused. Step, Dir.
	CallCompleted
	// Replayed: an operator has a dead letter called again. Step, Dir.
	Replayed
	// Resolved: an operator settled a dead letter by hand. Step, Dir.
	Resolved
	// Reopened: an operator takes back that a compensation was settled by hand. Step, Dir.
	Reopened
	// Hastened: an operator has what is ordered sent now, ahead of its time. Step, Dir; Resent
	// where another process may have sent it before.
	Hastened
	eventKinds
)

var eventNames = [...]string{"started", "answered", "status_answered", "withdrawn", "lost", "timer_fired", "deadline_reached",
	"cancel_requested", "signalled", "call_completed", "replayed", "resolved", "reopened", "hastened"}

// String returns the event's name.
func (k EventKind) String() string { return eventNames[k] }

// An Answer is what came of one call.
type Answer struct {
	// Outcome is the participant's own word (Unwind-Outcome), or "".
	Outcome Outcome
	// Status is the HTTP status; 0 where there was none.
	Status int
	// Fault says why there was no usable answer.
	Fault Fault
	// Hint is the Retry-After of the answer, as far as it is granted; 0 where there was none.
	Hint Micros
	// Asked is the Retry-After as the participant wrote it.
	Asked Micros
	// Quota is what the answer says of the participant's own limit.
	Quota  Quota
	Output json.RawMessage
	// Message for people, at most a few hundred bytes.
	Message string
	// Body of an answer that is no success, where it says more than Message; UTF-8,
	// at most 4 KiB.
	Body string
}

// A Quota is what an answer says of its participant's own limit. The zero value
// says nothing.
type Quota struct {
	Remaining int64  // calls until the reset
	Reset     Micros // from the answer to the reset; 0: nothing is said
	Limit     int64  // calls per Window; 0: not said
	Window    Micros
}

// An Outcome is a participant's own word on what became of a call.
type Outcome uint8

// The outcomes.
const (
	NoOutcome Outcome = iota
	OutcomeDone
	OutcomeRefused
	OutcomeInProgress
)

// A Fault is why a call has no usable answer.
type Fault uint8

// The faults.
const (
	NoFault Fault = iota
	// FaultNotSent: name not found, connection refused, handshake failed.
	FaultNotSent
	// FaultCertificate: the certificate was not accepted.
	FaultCertificate
	// FaultTimeout: no answer in time.
	FaultTimeout
	// FaultBroken: the connection broke after something was sent.
	FaultBroken
	// FaultUnreadable: a 2xx whose body is not JSON, or is too large.
	FaultUnreadable
	// FaultForbidden: the address is one that must not be called.
	FaultForbidden
	// FaultLocal: this machine had no descriptor, port or buffer left; nothing was
	// sent, and the participant is not to blame.
	FaultLocal
)
