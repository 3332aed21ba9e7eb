package unwind

import (
	"context"
	"encoding/json"
)

// Service is what an engine offers. The embedded engine and the HTTP client
// both implement it; both are safe for concurrent use. Every error is an
// [*Error].
type Service interface {
	// Start begins a saga and returns once that is durable; created is false
	// where the same key and input already began one.
	Start(ctx context.Context, req StartRequest) (inst *Instance, created bool, err error)
	// StartBatch begins many; answers are in the order of the requests.
	StartBatch(ctx context.Context, reqs []StartRequest) ([]StartResult, error)
	Get(ctx context.Context, id string) (*Instance, error)
	History(ctx context.Context, id string, page Page) (List[Entry], error)
	List(ctx context.Context, filter Filter) (List[Instance], error)
	// Cancel turns a saga back; it returns once that is durable.
	Cancel(ctx context.Context, id string, req CancelRequest) (*Instance, error)
	// SendNow has one waiting call sent at once; it returns once that is durable.
	SendNow(ctx context.Context, id string, req SendNow) (*Instance, error)
	// Signal answers a waiting signal step.
	Signal(ctx context.Context, id string, req SignalRequest) (*Instance, error)
	// Complete completes an asynchronous call by its token.
	Complete(ctx context.Context, token string, req Completion) error

	PutDefinition(ctx context.Context, def Definition, actor string) (Revision, error)
	// Definition returns a revision by its version; the newest where that is empty.
	Definition(ctx context.Context, name, version string) (Revision, error)
	Definitions(ctx context.Context, page Page) (List[Revision], error)
	// Validate returns every fault of a definition against the declared participants.
	Validate(ctx context.Context, def Definition) ([]Fault, error)

	DeadLetters(ctx context.Context, filter DeadLetterFilter) (List[DeadLetter], error)
	DeadLetter(ctx context.Context, id string) (*DeadLetter, error)
	Replay(ctx context.Context, id string, req ReplayRequest) (*DeadLetter, error)
	Resolve(ctx context.Context, id string, req ResolveRequest) (*DeadLetter, error)
	// Reopen makes a compensation that was resolved by hand a dead letter again. Its
	// saga must be at rest; it rests as dead_lettered then.
	Reopen(ctx context.Context, id string, req ReopenRequest) (*DeadLetter, error)
	// Note writes down what people should know of a dead letter, and who looks after it.
	Note(ctx context.Context, id string, req NoteRequest) (*DeadLetter, error)
	// DeadLetterGroups counts dead letters by their cause, exactly: those with most
	// open ones first.
	DeadLetterGroups(ctx context.Context, filter GroupFilter) (List[DeadLetterGroup], error)

	// PlanOperation freezes a selection and says what an operation on it would do.
	PlanOperation(ctx context.Context, req OperationRequest) (*OperationPlan, error)
	// StartOperation begins an operation, which goes on without whoever asked for it,
	// over restarts too.
	StartOperation(ctx context.Context, req OperationRequest) (*Operation, error)
	Operation(ctx context.Context, id string) (*Operation, error)
	Operations(ctx context.Context, filter OperationFilter) (List[Operation], error)
	// ChangeOperation changes the rate, pauses or resumes.
	ChangeOperation(ctx context.Context, id string, req OperationChange) (*Operation, error)
	AbortOperation(ctx context.Context, id string, req AbortRequest) (*Operation, error)

	Participants(ctx context.Context) ([]ServiceState, error)
	// Scopes returns every scope that has limits or that operators have set
	// something at, by kind, name and tenant.
	Scopes(ctx context.Context) ([]ScopeState, error)
	// Control changes what operators have set at a scope, and returns the scope as
	// it stands then. A pause holds at once; what is in flight is awaited. To
	// resume a scope that is not paused is a [Conflict].
	Control(ctx context.Context, req ControlRequest) (*ScopeState, error)
	Alerts(ctx context.Context, f AlertFilter) (List[Alert], error)
	// Audit returns the audit's rows, newest first; from the cursor "oldest" on, in
	// the order in which they were written. With a filter a page may hold fewer rows
	// than were asked for, or none, and there is more behind it all the same.
	Audit(ctx context.Context, filter AuditFilter) (List[AuditRow], error)
	// AuditHead returns the end of the audit. Kept elsewhere, it shows what became of
	// the rows up to it.
	AuditHead(ctx context.Context) (AuditHead, error)
	Stats(ctx context.Context) (Stats, error)

	// Reconcile compares the journal with what the services' status paths say, part
	// by part: each answer takes some seconds at most and says where to go on. It
	// changes nothing.
	Reconcile(ctx context.Context, req ReconcileRequest) (*Reconciliation, error)
	// Release ends a hold: it returns once that is durable, and nobody is called
	// before. To release what is not on hold is a [Conflict].
	Release(ctx context.Context, req ReleaseRequest) error
}

// Page selects a part of a list. Zero Limit means 100; the most is 1000.
type Page struct {
	Limit  int
	Cursor string
}

// A List is one page.
type List[T any] struct {
	Items []T `json:"items"`
	// NextCursor asks for the next page; empty: there is none.
	NextCursor string `json:"next_cursor"`
}

// A StartRequest asks for a saga.
type StartRequest struct {
	Saga   string          `json:"saga"`
	Key    string          `json:"key,omitempty"`
	Tenant string          `json:"tenant,omitempty"`
	Input  json.RawMessage `json:"input,omitempty"`
	// Wait holds the answer until the saga is at rest, at most 60s.
	Wait Duration `json:"wait,omitempty"`
}

// A StartResult is one answer of a batch.
type StartResult struct {
	Instance *Instance
	Created  bool
	Err      error
}

// Filter selects sagas; zero fields match all.
type Filter struct {
	Page
	Status Status
	Saga   string
	Tenant string
	Key    string
	Since  Time
}

// CancelRequest says why a saga is to be turned back.
type CancelRequest struct {
	Reason string `json:"reason,omitempty"`
	Actor  string `json:"-"`
}

// SignalRequest answers a signal step.
type SignalRequest struct {
	Name  string          `json:"name"`
	Data  json.RawMessage `json:"data,omitempty"`
	Actor string          `json:"-"`
}

// Completion completes an asynchronous call.
type Completion struct {
	Outcome string          `json:"outcome" enum:"done,refused"`
	Output  json.RawMessage `json:"output,omitempty"`
}

// A Revision is a stored definition.
type Revision struct {
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Definition Definition `json:"definition"`
	CreatedAt  Time       `json:"created_at"`
	By         string     `json:"by"`
}

// The lanes of a participant.
const (
	ForwardLane      = "forward"
	CompensationLane = "compensation"
)

// ServiceState is a participant's lanes as they stand.
type ServiceState struct {
	Name  string `json:"name"`
	Lanes struct {
		Forward      LaneState `json:"forward"`
		Compensation LaneState `json:"compensation"`
	} `json:"lanes"`
}

// LaneState is one lane; rates in calls per second.
type LaneState struct {
	Rate        LaneRate `json:"rate"`
	Window      *Rate    `json:"window"`
	Concurrency int      `json:"concurrency"`
	// AdaptiveConcurrency is what an adaptive lane has found, at most Concurrency.
	AdaptiveConcurrency *int      `json:"adaptive_concurrency"`
	InFlight            int       `json:"in_flight"`
	Depth               LaneDepth `json:"depth"`
	OldestAgeMS         int64     `json:"oldest_age_ms"`
	DrainEstimateMS     *int64    `json:"drain_estimate_ms"`
	// Throttled and Failed are shares of the answers of the last minute: 429 and
	// 503, and failures and timeouts.
	Throttled float64   `json:"throttled"`
	Failed    float64   `json:"failed"`
	Gate      *LaneGate `json:"gate"`
	// Fault is what is wrong with the service's set-up; empty: nothing is.
	Fault   string      `json:"fault,omitempty" doc:"Why nobody can use the service (credentials, routing, certificate), until a probe is answered; absent: it can be used"`
	Breaker LaneBreaker `json:"breaker"`
	Paused  *LanePause  `json:"paused"`
	// Held are pauses of wider scopes that hold back what waits in a compensation lane: all
	// of it, or what is of a saga type or a tenant. Of a saga type or a tenant they hold all.
	Held []LaneHold `json:"held,omitempty" doc:"Pauses of wider scopes that hold back what waits in this lane: of everything, or of a saga type or a tenant of which something waits here; those that hold this saga type or tenant; absent: none"`
	// Backlog is what becomes of new sagas while compensations are late; nil: they are not.
	Backlog *Backlog `json:"backlog,omitempty" doc:"While a compensation has waited for longer than objective: what becomes of new sagas that might need this lane; absent: they begin"`
	// Overrides are what operators have set above the configuration; the latest is the
	// last, and stands above the others.
	Overrides []LaneOverride `json:"overrides,omitempty"`
}

// LaneRate is a lane's rate; nil where it has none.
type LaneRate struct {
	Configured *float64 `json:"configured"`
	Adaptive   *float64 `json:"adaptive"`
	Effective  *float64 `json:"effective"`
}

// LaneDepth counts what waits: of a compensation lane in the store, a second ago at most,
// and longer where counting takes more than a twentieth of that; of a forward lane in
// memory, now.
type LaneDepth struct {
	Ready      int `json:"ready"`
	BackingOff int `json:"backing_off"`
}

// LaneGate says until when a lane is closed, and why.
type LaneGate struct {
	Until  Time   `json:"until"`
	Reason string `json:"reason"`
}

// LaneBreaker is the state of a lane's breaker.
type LaneBreaker struct {
	State string `json:"state"`
	// Since is when it last opened or closed; a restart does not change it. Nil: it
	// has been closed all along, as far as the store remembers.
	Since *Time `json:"since,omitempty" doc:"When it last opened or closed; absent: it never did, as far as the store remembers"`
	// Probe is when the next call may go that tries whether it can close. Nil: none is
	// waited for, because it is closed, an operator holds it, or one may go or is out.
	Probe *Time `json:"probe,omitempty" doc:"When the next call may go that tries whether it can close; absent: one may go or is out, it is closed, or an operator holds it"`
	// Ramp is the share of its last good rate that a lane goes at whose breaker has
	// closed; nil: all of it.
	Ramp *float64 `json:"ramp,omitempty" doc:"Share of its last good rate that the lane goes at since it closed; absent: all of it"`
}

// LanePause says who paused a lane, and why.
type LanePause struct {
	Reason string `json:"reason"`
	By     string `json:"by"`
	At     Time   `json:"at"`
	// Until is when it ends by itself; nil: it does not.
	Until *Time `json:"until,omitempty" doc:"When it ends by itself: then a pause that held before it holds again; absent: it does not"`
}

// A LaneHold is a pause of a scope that spans lanes.
type LaneHold struct {
	Scope Scope `json:"scope"`
	LanePause
}

// Stats counts what the engine holds.
type Stats struct {
	Sagas           map[Status]int64 `json:"sagas"`
	DeadLettersOpen int64            `json:"dead_letters_open"`
	Compensations   int64            `json:"compensations_queued"`
	ActiveSagas     int64            `json:"active_sagas"`
	Started         int64            `json:"started"`
	Refused         int64            `json:"refused"`
	AlertsPending   int64            `json:"alerts_pending"`
}

// An Event tells that something happened. It is sent at least once; whoever
// wants to know more asks for what it names.
type Event struct {
	// Cursor resumes after this event. It is opaque.
	Cursor string
	Kind   EventKind
	// Data is a [SagaEvent], a [DeadLetterEvent], a [ServiceState], an [Operation] or an [Alert],
	// in JSON; null for a reset.
	Data json.RawMessage
}

// EventKind says what an [Event] is about.
type EventKind string

// The kinds of events.
const (
	// EventSaga: a saga moved.
	EventSaga EventKind = "saga"
	// EventDeadLetter: a dead letter was opened, or its state changed.
	EventDeadLetter EventKind = "dead_letter"
	// EventService: a lane of a service stands differently, or its figures have moved.
	// A stream begins with every service as it stands.
	EventService EventKind = "service"
	// EventOperation: an operation was begun or changed, or has come further.
	EventOperation EventKind = "operation"
	// EventAlert: a person must know, or what they had to know is over.
	EventAlert EventKind = "alert"
	// EventReset: the cursor is not known any more; read everything anew.
	EventReset EventKind = "reset"
)

// A SagaEvent is one transition of a saga.
type SagaEvent struct {
	ID   string `json:"id"`
	Saga string `json:"saga"`
	At   Time   `json:"at"`
	// Status where the transition changed it.
	Status Status `json:"status,omitempty"`
	// Entries are the kinds of the journal entries of the transition, with their steps.
	Entries []EventEntry `json:"entries"`
}

// An EventEntry names one journal entry of a [SagaEvent].
type EventEntry struct {
	Kind      string    `json:"kind"`
	Step      string    `json:"step,omitempty"`
	Direction Direction `json:"direction,omitempty"`
}

// A DeadLetterEvent names a dead letter and what happened to it.
type DeadLetterEvent struct {
	ID        string          `json:"id"`
	SagaID    string          `json:"saga_id"`
	Saga      string          `json:"saga"`
	Step      string          `json:"step"`
	Direction Direction       `json:"direction"`
	At        Time            `json:"at"`
	State     DeadLetterState `json:"state"`
}
