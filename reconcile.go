package unwind

import "encoding/json"

// A ReconcileRequest asks for a part of the sagas to be compared with what the
// services say of them. Zero fields match all.
type ReconcileRequest struct {
	Saga    string `json:"saga,omitempty" doc:"Only this saga type"`
	Service string `json:"service,omitempty" doc:"Only calls of this service"`
	// Since leaves out the sagas that began before.
	Since Time `json:"since,omitzero" doc:"Only sagas that began at this time or later"`
	// Rate bounds the questions to all services together; nil: what the lanes allow.
	// The forward lane of each service holds in any case.
	Rate *Rate `json:"rate,omitempty" doc:"The most questions, to all services together; the forward lanes hold in any case"`
	// Calls is how many calls one answer looks at, at most. Zero means 500; the most is 5000.
	Calls  int    `json:"calls,omitempty" doc:"How many calls one answer looks at: 500 where it is left out, 5000 at most"`
	Cursor string `json:"cursor,omitempty" doc:"next_cursor of the answer before"`
}

// A Reconciliation is what came of a part.
type Reconciliation struct {
	Items []Difference `json:"items" doc:"Where the journal and a service differ, newest saga first"`
	// Sagas were looked at to their end; Calls were compared.
	Sagas int64 `json:"sagas" doc:"How many were looked at to their end"`
	Calls int64 `json:"calls" doc:"How many were compared"`
	// NotChecked counts the calls that nobody could be asked about.
	NotChecked []Unchecked `json:"not_checked" doc:"Calls that nobody could be asked about"`
	// WaitingFor says what keeps the next question from being sent.
	WaitingFor string `json:"waiting_for,omitempty" doc:"What keeps the next question from being sent"`
	// NextCursor asks for the next part; empty: this was the last.
	NextCursor string `json:"next_cursor" doc:"Goes on from here; empty at the end"`
}

// A Difference is a call of which the journal and its service do not say the same.
type Difference struct {
	SagaID    string        `json:"saga_id"`
	Saga      string        `json:"saga"`
	Tenant    string        `json:"tenant,omitempty"`
	Status    Status        `json:"status" doc:"Of the saga"`
	Step      string        `json:"step"`
	Direction Direction     `json:"direction"`
	Service   string        `json:"service"`
	Key       string        `json:"key" doc:"The idempotency key that was asked about"`
	Journal   JournalWord   `json:"journal" doc:"What the journal says" enum:"done,undone,uncertain,dead,ordered,not_begun"`
	Answer    StatusOutcome `json:"answer" doc:"What the service says" enum:"done,not_done,in_progress"`
	Meaning   string        `json:"meaning" doc:"What that means"`
	// Amount is the saga's money at risk, as its definition finds it in the input.
	Amount json.RawMessage `json:"amount,omitempty" doc:"The saga's money at risk"`
}

// An Unchecked counts calls that nobody could be asked about.
type Unchecked struct {
	Service string `json:"service"`
	Reason  string `json:"reason"`
	// Asked: the service has a status path, and it gave no usable answer.
	Asked bool  `json:"asked" doc:"It has a status path, and that gave no usable answer"`
	Calls int64 `json:"calls"`
}

// A JournalWord is what the journal knows of a call.
type JournalWord string

// What the journal knows of a call.
const (
	JournalDone      JournalWord = "done"
	JournalUndone    JournalWord = "undone"
	JournalUncertain JournalWord = "uncertain"
	JournalDead      JournalWord = "dead"
	// JournalOrdered and JournalNotBegun are compared on hold only: else the engine
	// finds out by itself.
	JournalOrdered  JournalWord = "ordered"
	JournalNotBegun JournalWord = "not_begun"
)

// A StatusOutcome is what a status path says became of a key.
type StatusOutcome string

// What a status path says.
const (
	StatusDone       StatusOutcome = "done"
	StatusNotDone    StatusOutcome = "not_done"
	StatusInProgress StatusOutcome = "in_progress"
)

// A ReleaseRequest ends the hold of a server that was started with it.
type ReleaseRequest struct {
	// Reason is required: it is for those who read the audit.
	Reason string `json:"reason"`
	Actor  string `json:"-"`
}
