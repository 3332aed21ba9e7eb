package machine

import (
	"encoding/json"

	"github.com/unwindhq/unwind"
)

// A Transition is what one event did to a saga: the next state, the journal's
// entries, and what is to be done once both are durable.
type Transition struct {
	State   State
	Entries []Entry
	Effects []Effect
}

// An Effect is something to do after the transition is durable.
type Effect struct {
	Kind EffectKind
	Step int
	Dir  unwind.Direction
	// Attempt and Generation of an order.
	Attempt    uint32
	Generation uint32
	// NotBefore is the earliest time to send.
	NotBefore Micros
	// Ask: put the question to the status path instead of calling.
	Ask bool
	// Error, Group of a dead letter; Message of an alert.
	Error   unwind.CallError
	Group   string
	Message string
	State   unwind.DeadLetterState
	Alert   string
	Actor   string
	Reason  string
	Proof   string
}

// An EffectKind says what to do.
type EffectKind uint8

// The kinds of effects.
const (
	// CallAction: call the action of Step.
	CallAction EffectKind = iota
	// WithdrawAction: take the ordered action back if it has not been sent, and say so.
	WithdrawAction
	// QueueCompensation: put the compensation of Step into its target's queue,
	// or change the place it has there.
	QueueCompensation
	// DropCompensation: take it out of the queue.
	DropCompensation
	// OpenDeadLetter: record that the call died, with an alert.
	OpenDeadLetter
	// MoveDeadLetter: the dead letter is now in State.
	MoveDeadLetter
	// RaiseAlert: tell a person.
	RaiseAlert
)

// An Entry is one line of the journal as the machine writes it.
type Entry struct {
	Kind       string           `json:"k"`
	At         Micros           `json:"t"`
	Step       int              `json:"s"` // -1: the saga as a whole
	Dir        unwind.Direction `json:"d,omitempty"`
	Attempt    uint32           `json:"n,omitempty"`
	Generation uint32           `json:"g,omitempty"`
	NotBefore  Micros           `json:"b,omitempty"`
	Ask        bool             `json:"ask,omitempty"`
	Class      unwind.Class     `json:"c,omitempty"`
	Status     int              `json:"h,omitempty"`
	Asked      Micros           `json:"ra,omitempty"` // the answer's Retry-After
	Message    string           `json:"m,omitempty"`
	Counted    bool             `json:"i,omitempty"`
	Executed   bool             `json:"x,omitempty"` // may have executed
	Actor      string           `json:"by,omitempty"`
	Reason     string           `json:"why,omitempty"`
	Evidence   string           `json:"ev,omitempty"`
	NewKey     bool             `json:"nk,omitempty"`
	As         string           `json:"as,omitempty"`
	Group      string           `json:"gr,omitempty"`
	Output     json.RawMessage  `json:"o,omitempty"`
	Body       string           `json:"bd,omitempty"` // what a failed attempt was answered
}
