package unwind

import (
	"context"
	"encoding/json"
)

// Defaults that hold where a definition or a participant says nothing.
const (
	DefaultDeadline    = 24 * Hour
	DefaultGiveUpAfter = 72 * Hour
	DefaultTimeout     = 10 * Second
	DefaultBurst       = 2
)

// Limits on what a definition and a start may hold.
const (
	MaxSteps      = 128
	MaxNameLength = 64       // bytes of a name; see [ValidName]
	MaxInput      = 1 << 20  // bytes of a saga's input
	MaxOutput     = 64 << 10 // bytes of an action's output
	MaxKeyLength  = 256      // bytes of a start's key, and of a tenant
)

// A Definition says what a saga does: its steps, how they are undone, and how
// patient it is. It is a value; a running saga keeps the one it began with.
type Definition struct {
	// Name identifies the definition. It is set from the map's key in a
	// configuration file and from the path in the API.
	Name string `json:"name,omitempty"`
	// Deadline bounds the forward way. Before the pivot it acts as a cancel,
	// after it an alert goes out. It never bounds compensations.
	// Defaults to 24h.
	Deadline Duration `json:"deadline,omitempty"`
	// GiveUpAfter is how long a compensation is tried before it becomes a dead
	// letter. Defaults to 72h.
	GiveUpAfter Duration `json:"give_up_after,omitempty"`
	// OnDeadLetter says what a dead compensation does to those that come after
	// it. Defaults to [Continue].
	OnDeadLetter OnDeadLetter `json:"on_dead_letter,omitempty"`
	// Amount is a path into the input, as in input.amount, whose number is the
	// money at risk while the saga is not at rest in a good state.
	Amount string `json:"amount,omitempty"`
	// Compensation limits the compensations of this saga type over all services.
	Compensation *TypeLimits `json:"compensation,omitempty"`
	// Retry is the policy of actions that name none.
	// Defaults to initial 200ms, max 30s, multiplier 2, attempts 5.
	Retry *Retry `json:"retry,omitempty"`
	// CompensationRetry is the policy of compensations that name none.
	// Defaults to initial 1s, max 5m, multiplier 2, attempts 30.
	CompensationRetry *Retry `json:"compensation_retry,omitempty"`
	// Steps in the order in which they run, unless After says otherwise.
	Steps []Step `json:"steps"`
	// Tenants weighs and limits compensations by tenant.
	Tenants map[string]TypeLimits `json:"tenants,omitempty"`
}

// OnDeadLetter says what a dead compensation does to the rest of its saga.
type OnDeadLetter string

// What a dead compensation does to the rest of its saga.
const (
	// Continue undoes the rest.
	Continue OnDeadLetter = "continue"
	// Block holds the compensations that must come later.
	Block OnDeadLetter = "block"
)

// TypeLimits bounds the compensations of one saga type or tenant.
type TypeLimits struct {
	// Rate of compensations. Zero: not bounded by this scope.
	Rate Rate `json:"rate,omitzero"`
	// Concurrency is how many compensations may be in flight. Zero: not bounded
	// by this scope.
	Concurrency int `json:"concurrency,omitempty"`
	// Window is the most compensations in any span of that length. Zero: no window.
	Window Rate `json:"window,omitzero"`
	// Weight in the fair share of a service. Defaults to 1.
	Weight int `json:"weight,omitempty"`
	// Compensation holds the rate where the limits are a tenant's.
	Compensation *TypeLimits `json:"compensation,omitempty"`
}

// Retry is exponential backoff. The gap before attempt n+1 is
// min(Initial*Multiplier^(n-1), Max), lengthened by up to a quarter at random
// (never shortened). A field of zero takes its value from the policy that this
// one replaces.
type Retry struct {
	Initial Duration `json:"initial,omitempty"`
	Max     Duration `json:"max,omitempty"`
	// Multiplier is 1 to 100; 1 waits the same before every attempt.
	Multiplier float64 `json:"multiplier,omitempty"`
	// Attempts is how many attempts are made in all. Throttled attempts do not count.
	Attempts int `json:"attempts,omitempty"`
}

// DefaultRetry is the policy of actions where nothing is said.
var DefaultRetry = Retry{Initial: 200 * Millisecond, Max: 30 * Second, Multiplier: 2, Attempts: 5}

// DefaultCompensationRetry is the policy of compensations where nothing is said.
var DefaultCompensationRetry = Retry{Initial: Second, Max: 5 * Minute, Multiplier: 2, Attempts: 30}

// StepKind says what a step does.
type StepKind string

// The kinds of steps.
const (
	// ActionStep calls a participant. It is the default.
	ActionStep StepKind = "action"
	// DelayStep waits for a time.
	DelayStep StepKind = "delay"
	// SignalStep waits for a person or an event.
	SignalStep StepKind = "signal"
)

// A Step is one local transaction of one participant, and how it is undone.
type Step struct {
	Name string   `json:"name"`
	Kind StepKind `json:"kind,omitempty"`
	// After names the steps that must have succeeded before this one starts.
	// Nil means the step before it in the list; empty means none.
	After []string `json:"after,omitzero"`
	// Action is the call that does the step.
	Action *Call `json:"action,omitempty"`
	// Compensation is the call that undoes it, or [None] where there is nothing to undo.
	Compensation *Call `json:"compensation,omitempty"`
	// Pivot marks the point of no return: once it succeeded there is only forward.
	Pivot bool `json:"pivot,omitempty"`
	// Retry and CompensationRetry replace the saga's policies for this step.
	Retry             *Retry `json:"retry,omitempty"`
	CompensationRetry *Retry `json:"compensation_retry,omitempty"`
	// For is how long a delay step waits.
	For Duration `json:"for,omitempty"`
	// Timeout is how long a signal step waits before it counts as refused. Zero: until the deadline.
	Timeout Duration `json:"timeout,omitempty"`
}

// A Call is one request to a participant, over HTTP or to a Go function.
type Call struct {
	// Service names a declared participant. Empty for a Go function.
	Service string `json:"service,omitempty"`
	// Path is appended to the participant's URL.
	Path string `json:"path,omitempty"`
	// Timeout bounds one attempt. Defaults to the participant's.
	Timeout Duration `json:"timeout,omitempty"`
	// Async says that 202 means "will be completed later".
	Async bool `json:"async,omitempty"`
	// Body is a JSON template; "${input.…}" and "${outputs.step.…}" pick values.
	// Nil sends the standard body.
	Body json.RawMessage `json:"body,omitempty"`
	// Priority of a compensation in its service's queue. Defaults to [Normal].
	Priority Priority `json:"priority,omitempty"`
	// Func is called instead of a service. It must be safe against duplicates,
	// as a participant must.
	Func Func `json:"-"`
	// Local records that Func does the call, in definitions that were stored.
	Local bool `json:"local,omitempty"`

	none bool
}

// None says that a step has nothing to undo. It is written compensation: none.
var None = &Call{none: true}

// IsNone reports whether the call is the declared absence of one.
func (c *Call) IsNone() bool { return c != nil && c.none }

type plainCall Call

// MarshalJSON implements json.Marshaler; [None] is the string "none".
func (c *Call) MarshalJSON() ([]byte, error) {
	if c.none {
		return []byte(`"none"`), nil
	}
	p := plainCall(*c)
	p.Local = p.Local || p.Func != nil
	return json.Marshal(&p)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Call) UnmarshalJSON(b []byte) error {
	if string(b) == `"none"` {
		*c = Call{none: true}
		return nil
	}
	return json.Unmarshal(b, (*plainCall)(c))
}

// Priority is the class of a compensation in its service's queue.
type Priority string

// The classes, first served first; the lower ones keep a share.
const (
	Money  Priority = "money"
	Normal Priority = "normal"
	Low    Priority = "low"
)

// A Func does an action or a compensation inside the engine's process. It gets
// what an HTTP participant gets. A nil error means done; [Refuse] makes a
// business refusal; any other error leaves the call's effect uncertain, so that
// it is tried again under the same key.
type Func func(ctx context.Context, req Request) (output json.RawMessage, err error)

// A Request is what a participant is sent.
type Request struct {
	// Key is the same on every attempt, node and replay.
	Key string
	// Saga is the saga's id, Step the step's name.
	Saga      string
	Step      string
	Direction Direction
	// Attempt counts from 1. It repeats after a crash and after an answer that
	// did not count.
	Attempt int
	// Body is the frozen JSON body: the same on every attempt.
	Body json.RawMessage
}

// Direction tells an action from a compensation.
type Direction string

// The directions of a call.
const (
	Action       Direction = "action"
	Compensation Direction = "compensation"
)
