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
	Saga      string          `json:"saga"`
	Version   string          `json:"version"`
	Tenant    string          `json:"tenant"`
	Key       string          `json:"key"`
	Status    Status          `json:"status" enum:"running,compensating,completed,compensated,dead_lettered"`
	Input     json.RawMessage `json:"input"`
	Steps     []StepInstance  `json:"steps"`
	CreatedAt Time            `json:"created_at"`
	UpdatedAt Time            `json:"updated_at"`
	// Damage, in a list, says why the saga can't be read. Then little else is known.
	Damage string `json:"damage,omitempty" doc:"In a list: why the saga can't be read; then little else is known"`
}

// A StepInstance is one step of an [Instance].
type StepInstance struct {
	Name   string     `json:"name"`
	Status StepStatus `json:"status"`
	// Attempts counts those that count; Throttled the answers that asked to wait.
	Attempts  int `json:"attempts"`
	Throttled int `json:"throttled"`
	// AttemptLimit is how many attempts there are in all; 0 before the first is
	// ordered. A replay raises it.
	AttemptLimit int `json:"attempt_limit,omitempty"`
	// Uncertain: some attempt may have executed without an answer. It stays.
	Uncertain bool            `json:"uncertain"`
	Output    json.RawMessage `json:"output"`
	Error     *CallError      `json:"error"`
	StartedAt *Time           `json:"started_at,omitempty"`
	EndedAt   *Time           `json:"ended_at,omitempty"`
	// NextAt is when the next attempt leaves, at the earliest, or a wait ends.
	// What holds the attempt back beyond its backoff is counted in where one saga
	// is read, and not in lists.
	NextAt *Time `json:"next_at,omitempty"`
	// WaitingFor says in words what an awaiting step awaits and, where one saga is
	// read, what keeps a call from being sent; empty while it is out.
	WaitingFor string `json:"waiting_for,omitempty"`
	// CallToken completes the call while the step is awaiting ([Service].Complete).
	CallToken    string                `json:"call_token,omitempty"`
	Compensation *CompensationInstance `json:"compensation"`
}

// A CompensationInstance is the undoing of one step. What it shares with a
// [StepInstance] means the same.
type CompensationInstance struct {
	Status       CompensationStatus `json:"status"`
	Attempts     int                `json:"attempts"`
	Throttled    int                `json:"throttled"`
	AttemptLimit int                `json:"attempt_limit,omitempty"`
	Uncertain    bool               `json:"uncertain"`
	Error        *CallError         `json:"error"`
	NextAt       *Time              `json:"next_at,omitempty"`
	CallToken    string             `json:"call_token,omitempty"`
	WaitingFor   string             `json:"waiting_for,omitempty"`
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
	Seq       int64     `json:"seq"`
	At        Time      `json:"at"`
	Kind      string    `json:"kind"`
	Step      string    `json:"step,omitempty"`
	Direction Direction `json:"direction,omitempty"`
	Attempt   int       `json:"attempt,omitempty"`
	// Node and Epoch say who wrote it: each writer of a store has a higher epoch
	// than those before it.
	Node  string          `json:"node"`
	Epoch int64           `json:"epoch"`
	Data  json.RawMessage `json:"data,omitempty"`
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

// DeadLetterState is where a dead letter stands.
type DeadLetterState string

// The states of a dead letter.
const (
	DeadLetterOpen      DeadLetterState = "open"
	DeadLetterReplaying DeadLetterState = "replaying"
	DeadLetterReplayed  DeadLetterState = "replayed"
	DeadLetterResolved  DeadLetterState = "resolved"
)

// A DeadLetter is a call that will not be made again until a person decides.
type DeadLetter struct {
	ID        string    `json:"id"`
	SagaID    string    `json:"saga_id"`
	Saga      string    `json:"saga"`
	Tenant    string    `json:"tenant"`
	Step      string    `json:"step"`
	Direction Direction `json:"direction"`
	Service   string    `json:"service"`
	// Key is the idempotency key of the call.
	Key       string    `json:"key"`
	Attempts  int       `json:"attempts"`
	Throttled int       `json:"throttled"`
	FirstAt   Time      `json:"first_at"`
	DeadAt    Time      `json:"dead_at"`
	Error     CallError `json:"error"`
	// Group is the fingerprint shared by dead letters of one cause.
	Group string          `json:"group"`
	State DeadLetterState `json:"state" enum:"open,replaying,replayed,resolved"`
	// Amount at risk, as the definition's amount path finds it; null without one.
	Amount json.RawMessage `json:"amount,omitempty"`
	// By, Reason and Evidence are the last operator's.
	By       string `json:"by,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Evidence string `json:"evidence,omitempty"`
	// UpdatedAt is when the state last changed.
	UpdatedAt Time `json:"updated_at"`
	// History is the journal of this step and direction; only on a single item.
	History []Entry `json:"history,omitempty"`
}
