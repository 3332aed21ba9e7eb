package unwind

import "encoding/json"

// Status is where a saga stands.
type Status string

// The states of a saga; it rests in the last three.
const (
	Running      Status = "running"
	Compensating Status = "compensating"
	Completed    Status = "completed"
	Compensated  Status = "compensated"
	DeadLettered Status = "dead_lettered"
)

// AtRest reports whether a saga in this state makes no call until an operator acts.
func (s Status) AtRest() bool {
	return s == Completed || s == Compensated || s == DeadLettered
}

// StepStatus is where a step stands.
type StepStatus string

// The states of a step.
const (
	StepPending StepStatus = "pending"
	StepRunning StepStatus = "running"
	// StepAwaiting: the participant has accepted the call and will complete it.
	StepAwaiting  StepStatus = "awaiting"
	StepSucceeded StepStatus = "succeeded"
	StepFailed    StepStatus = "failed"
	// StepSkipped: the saga turned back before it had any effect.
	StepSkipped StepStatus = "skipped"
)

// CompensationStatus is where the undoing of a step stands.
type CompensationStatus string

// The states of a compensation.
const (
	// CompensationNone: nothing is to be undone.
	CompensationNone CompensationStatus = "none"
	// CompensationPending: its turn has not come; later steps are undone first.
	CompensationPending CompensationStatus = "pending"
	// CompensationQueued: it waits in its service's queue.
	CompensationQueued       CompensationStatus = "queued"
	CompensationRunning      CompensationStatus = "running"
	CompensationAwaiting     CompensationStatus = "awaiting"
	CompensationCompensated  CompensationStatus = "compensated"
	CompensationDeadLettered CompensationStatus = "dead_lettered"
	// CompensationResolved: an operator settled it without a call.
	CompensationResolved CompensationStatus = "resolved"
)

// Class is what an answer that was not "done" meant.
type Class string

// The classes of answers.
const (
	ClassRefused      Class = "refused"
	ClassInvalid      Class = "invalid"
	ClassInProgress   Class = "in_progress"
	ClassThrottled    Class = "throttled"
	ClassServiceFault Class = "service_fault"
	ClassNotSent      Class = "not_sent"
	ClassUncertain    Class = "uncertain"
	ClassKeyExpired   Class = "key_expired"
	// ClassLocal: the caller's own machine had no descriptor, port or buffer left.
	ClassLocal Class = "local"
)

// An Instance is one saga as users see it.
type Instance struct {
	ID string `json:"id" doc:"UUID v7" example:"019307e2-5a00-7001-8000-000000000001"`
	// Saga is the definition's name and Version the digest it began with.
	Saga      string          `json:"saga" doc:"The definition's name"`
	Version   string          `json:"version" doc:"The digest of the definition that it began with"`
	Tenant    string          `json:"tenant" doc:"Whose it is"`
	Key       string          `json:"key" doc:"The idempotency key that began it"`
	Status    Status          `json:"status" doc:"Where it stands" enum:"running,compensating,completed,compensated,dead_lettered"`
	Input     json.RawMessage `json:"input" doc:"As it came"`
	Steps     []StepInstance  `json:"steps" doc:"In the order of the definition"`
	CreatedAt Time            `json:"created_at" doc:"When it began"`
	UpdatedAt Time            `json:"updated_at" doc:"When it last changed"`
	// Cancelled is known where one saga is read; nil: nobody cancelled it. A pivot that
	// was in flight then may have succeeded all the same.
	Cancelled *Cancellation `json:"cancelled,omitempty" doc:"Where one saga is read: who cancelled it, when and why; absent: nobody did. A pivot in flight may have succeeded all the same"`
	// Purged, in the answer to a start: the saga that the key began is deleted. Steps
	// is empty then, and Input is that of the start that is answered.
	Purged bool `json:"purged,omitempty" doc:"In the answer to a start: the saga that the key began is past its retention and deleted; its steps are not known any more"`
	// Damage, in a list, says why the saga can't be read. Then little else is known.
	Damage string `json:"damage,omitempty" doc:"In a list: why the saga can't be read; then little else is known"`
}

// A Cancellation says who cancelled a saga, and why.
type Cancellation struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
	At     Time   `json:"at"`
}

// A StepInstance is one step of an [Instance].
type StepInstance struct {
	Name   string     `json:"name" doc:"The step's name"`
	Status StepStatus `json:"status" doc:"Where it stands"`
	// Attempts counts those that count; Throttled the answers that asked to wait.
	Attempts  int `json:"attempts" doc:"Attempts that count"`
	Throttled int `json:"throttled" doc:"Answers that asked to wait; they cost no attempt"`
	// AttemptLimit is how many attempts there are in all; 0 before the first is
	// ordered. A replay raises it.
	AttemptLimit int `json:"attempt_limit,omitempty" doc:"How many attempts there are in all"`
	// Uncertain: some attempt may have executed without an answer. It stays.
	Uncertain bool            `json:"uncertain" doc:"Some attempt may have executed without an answer"`
	Output    json.RawMessage `json:"output" doc:"Of a step that succeeded"`
	Error     *CallError      `json:"error" doc:"The last answer that was not done"`
	StartedAt *Time           `json:"started_at,omitempty" doc:"When its first call was ordered"`
	EndedAt   *Time           `json:"ended_at,omitempty" doc:"When it succeeded, failed or was skipped"`
	// NextAt is when the next attempt leaves, at the earliest, or a wait ends.
	// What holds the attempt back beyond its backoff is counted in where one saga
	// is read, and not in lists.
	NextAt *Time `json:"next_at,omitempty" doc:"When the next attempt leaves at the earliest, or a wait ends"`
	// WaitingFor says in words what an awaiting step awaits and, where one saga is
	// read, what keeps a call from being sent; empty while it is out.
	WaitingFor string `json:"waiting_for,omitempty" doc:"In words, what keeps the call from being sent or what is awaited"`
	// CallToken completes the call while the step is awaiting ([Service].Complete).
	CallToken    string                `json:"call_token,omitempty" doc:"Completes the call while it is awaited: POST /v1/calls/{token}"`
	Compensation *CompensationInstance `json:"compensation" doc:"How it is undone"`
}

// A CompensationInstance is the undoing of one step. What it shares with a
// [StepInstance] means the same.
type CompensationInstance struct {
	Status       CompensationStatus `json:"status" doc:"Where it stands"`
	Attempts     int                `json:"attempts" doc:"Attempts that count"`
	Throttled    int                `json:"throttled" doc:"Answers that asked to wait; they cost no attempt"`
	AttemptLimit int                `json:"attempt_limit,omitempty" doc:"How many attempts there are in all"`
	Uncertain    bool               `json:"uncertain" doc:"Some attempt may have executed without an answer"`
	Error        *CallError         `json:"error" doc:"The last answer that was not done"`
	NextAt       *Time              `json:"next_at,omitempty" doc:"When the next attempt leaves at the earliest, or a wait ends"`
	CallToken    string             `json:"call_token,omitempty" doc:"Completes the call while it is awaited: POST /v1/calls/{token}"`
	WaitingFor   string             `json:"waiting_for,omitempty" doc:"In words, what keeps the call from being sent or what is awaited"`
}

// A CallError is the last answer that was not "done".
type CallError struct {
	// Status is the HTTP status, 0 where there was no answer.
	Status  int    `json:"status"`
	Class   Class  `json:"class"`
	Message string `json:"message"`
}

// An Entry is one line of a saga's journal.
type Entry struct {
	// Seq counts the entries of one saga from 1.
	Seq       int64     `json:"seq" doc:"Counts a saga's entries from 1"`
	At        Time      `json:"at"`
	Kind      string    `json:"kind" doc:"What happened"`
	Step      string    `json:"step,omitempty"`
	Direction Direction `json:"direction,omitempty"`
	Attempt   int       `json:"attempt,omitempty" doc:"Of a call"`
	// Node and Epoch say who wrote it: each writer of a store has a higher epoch
	// than those before it.
	Node  string          `json:"node" doc:"Who wrote it"`
	Epoch int64           `json:"epoch" doc:"The fence that it was written under"`
	Data  json.RawMessage `json:"data,omitempty" doc:"What more there is to say"`
}

// The kinds of journal entries.
const (
	EntrySagaStarted           = "saga_started"
	EntryActionOrdered         = "action_ordered"
	EntryActionSucceeded       = "action_succeeded"
	EntryActionFailed          = "action_failed"
	EntryActionThrottled       = "action_throttled"
	EntryActionAwaiting        = "action_awaiting"
	EntryCancelRequested       = "cancel_requested"
	EntrySagaCompensating      = "saga_compensating"
	EntryCompensationOrdered   = "compensation_ordered"
	EntryCompensationSucceeded = "compensation_succeeded"
	EntryCompensationFailed    = "compensation_failed"
	EntryCompensationThrottled = "compensation_throttled"
	EntryCompensationAwaiting  = "compensation_awaiting"
	EntryDeadLettered          = "dead_lettered"
	EntryReplayed              = "replayed"
	EntryResolved              = "resolved"
	EntryReopened              = "reopened"
	EntrySignalReceived        = "signal_received"
	EntryTimerFired            = "timer_fired"
	EntryLateAnswer            = "late_answer"
	EntrySagaEnded             = "saga_ended"
)
