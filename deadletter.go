package unwind

import "encoding/json"

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
	ID        string    `json:"id" doc:"Saga, index of the step, a or c"`
	SagaID    string    `json:"saga_id" doc:"The saga"`
	Saga      string    `json:"saga"`
	Tenant    string    `json:"tenant"`
	Step      string    `json:"step" doc:"The step"`
	Direction Direction `json:"direction" doc:"action or compensation"`
	Service   string    `json:"service" doc:"Who was called"`
	// Key is the idempotency key of the call.
	Key       string    `json:"key" doc:"The idempotency key of the call"`
	Attempts  int       `json:"attempts" doc:"Attempts that counted"`
	Throttled int       `json:"throttled" doc:"Answers that asked to wait"`
	FirstAt   Time      `json:"first_at" doc:"When it was first wanted"`
	DeadAt    Time      `json:"dead_at" doc:"When it was given up"`
	Error     CallError `json:"error"`
	// Group is the fingerprint shared by dead letters of one cause.
	Group string          `json:"group" doc:"Shared by dead letters of one cause"`
	State DeadLetterState `json:"state" doc:"Where it stands" enum:"open,replaying,replayed,resolved"`
	// Owner looks after it.
	Owner string `json:"owner,omitempty"`
	// Replays counts how often it was called again.
	Replays int64 `json:"replays"`
	// OperationID names the operation that called it again last.
	OperationID string `json:"operation_id,omitempty"`
	// Amount at risk, as the definition's amount path finds it; null without one.
	Amount json.RawMessage `json:"amount,omitempty"`
	// By, Reason and Evidence are the last operator's.
	By       string `json:"by,omitempty" doc:"Who acted last"`
	Reason   string `json:"reason,omitempty" doc:"Why"`
	Evidence string `json:"evidence,omitempty" doc:"What shows it"`
	// UpdatedAt is when the state last changed.
	UpdatedAt Time `json:"updated_at"`
	// The rest is there only on a single item.

	// Verdict says whether to replay it.
	Verdict *Verdict `json:"verdict,omitempty" doc:"Whether to replay it; only on a single item"`
	// Notes are what people wrote, oldest first: the last 100.
	Notes []Note `json:"notes,omitempty" doc:"What people wrote, oldest first"`
	// History is the journal of this step and direction. The data of a failed attempt
	// holds its class and, of the first, the last and one of each cause, the body that
	// was answered, up to 4 KiB.
	History []Entry `json:"history,omitempty" doc:"The journal of its step and direction"`
}

// A Verdict is what the facts say of a dead letter. It is counted out anew each
// time, and decides nothing.
type Verdict struct {
	Advice Advice `json:"advice" enum:"replay,wait,look,none" doc:"replay: likely safe; wait: its lane is held; look: it would likely fail again, or needs evidence; none: nothing is to be done"`
	// Text is a few short sentences for people, with the evidence in them.
	Text     string   `json:"text" doc:"For people, with the evidence in it"`
	Evidence []string `json:"evidence" doc:"What it rests on, as sentences"`
	Facts    Facts    `json:"facts" doc:"What it rests on, as figures"`
}

// Facts are the figures that a [Verdict] rests on.
type Facts struct {
	Attempts  int   `json:"attempts"`
	Throttled int   `json:"throttled"`
	SpanMS    int64 `json:"span_ms" doc:"From the first attempt to its death"`
	// Last is what the last attempt was answered; RetryAfterMS is 0 where that named no wait.
	Last         CallError `json:"last" doc:"What the last attempt was answered"`
	RetryAfterMS int64     `json:"retry_after_ms" doc:"The Retry-After of that answer; 0: none"`
	// Breaker of the lane that a replay goes through; nil: it calls no service.
	Breaker *LaneBreaker `json:"breaker,omitempty" doc:"Of the lane that a replay goes through"`
	// Replayed and FailedAgain are what became of replays of its group.
	Replayed    int64 `json:"replayed" doc:"Of its group: replays that succeeded"`
	FailedAgain int64 `json:"failed_again" doc:"Of its group: replays that failed, and are open"`
}

// Advice says what to do with a dead letter.
type Advice string

// The kinds of advice.
const (
	// AdviceReplay: it is likely safe to replay.
	AdviceReplay Advice = "replay"
	// AdviceWait: its lane is held; a replay would wait in it.
	AdviceWait Advice = "wait"
	// AdviceLook: a replay would likely fail again, or needs evidence; find the cause first.
	AdviceLook Advice = "look"
	// AdviceNone: there is nothing to do.
	AdviceNone Advice = "none"
)

// A Note is what a person wrote about a dead letter.
type Note struct {
	At   Time   `json:"at"`
	By   string `json:"by"`
	Text string `json:"text,omitempty"`
	// Owner who looks after it from then on; empty: as before.
	Owner string `json:"owner,omitempty" doc:"Who looks after it from then on; empty: as before"`
}

// A DeadLetterGroup counts the dead letters of one cause: the same saga, step,
// direction, service, status or class, and message but for its variable parts.
type DeadLetterGroup struct {
	Group     string    `json:"group"`
	Saga      string    `json:"saga"`
	Step      string    `json:"step"`
	Direction Direction `json:"direction"`
	Service   string    `json:"service"`
	// Error is the newest one's.
	Error     CallError `json:"error" doc:"The newest one's"`
	Open      int64     `json:"open"`
	Replaying int64     `json:"replaying"`
	Replayed  int64     `json:"replayed"`
	Resolved  int64     `json:"resolved"`
	// FailedAgain counts the open ones that were replayed before.
	FailedAgain int64 `json:"failed_again" doc:"Open ones that were replayed before"`
	// OldestAt is when the first died that is open or replaying; null: none is.
	OldestAt *Time `json:"oldest_at" doc:"When the first died that is open or replaying; null: none is"`
	NewestAt Time  `json:"newest_at"`
	// AmountAtRisk is the exact sum of what is open or replaying; null without
	// amounts. AmountsLeftOut counts amounts with too many digits to be added.
	AmountAtRisk   json.RawMessage `json:"amount_at_risk,omitempty" doc:"The exact sum of what is open or replaying"`
	AmountsLeftOut int64           `json:"amounts_left_out,omitempty" doc:"Amounts with too many digits to be added"`
	// Breaker, Gate and Paused are those of the lane that a replay goes through;
	// empty for Go functions.
	Breaker string     `json:"breaker,omitempty"`
	Gate    *LaneGate  `json:"gate,omitempty"`
	Paused  *LanePause `json:"paused,omitempty"`
}

// DeadLetterFilter selects dead letters; zero fields match all.
type DeadLetterFilter struct {
	Page
	Saga, Service, Group string
	State                DeadLetterState
}

// ReplayRequest asks for a dead letter to be called again.
type ReplayRequest struct {
	Reason string `json:"reason"`
	// NewKey raises the key's generation: only where the participant is known
	// not to have executed the old one. It needs Evidence.
	NewKey   bool   `json:"new_key,omitempty"`
	Evidence string `json:"evidence,omitempty"`
	Actor    string `json:"-"`
}

// ResolveRequest settles a dead letter by hand, without a call.
type ResolveRequest struct {
	Reason   string `json:"reason"`
	Evidence string `json:"evidence"`
	// As is "done" or "refused" for a forward dead letter; empty for a compensation.
	As     string          `json:"as,omitempty"`
	Output json.RawMessage `json:"output,omitempty"`
	Actor  string          `json:"-"`
}

// GroupFilter selects groups; zero fields match all. State selects those that
// hold a dead letter in it.
type GroupFilter struct {
	Page
	Saga, Service string
	State         DeadLetterState
}

// ReopenRequest takes back that a dead letter was settled by hand.
type ReopenRequest struct {
	Reason string `json:"reason"`
	Actor  string `json:"-"`
}

// NoteRequest says something of a dead letter, or who looks after it, or both.
type NoteRequest struct {
	Text  string `json:"text,omitempty"`
	Owner string `json:"owner,omitempty"`
	Actor string `json:"-"`
}
