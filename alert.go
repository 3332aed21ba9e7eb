package unwind

// An Alert is something a person must know. It fires until what it tells of is over.
type Alert struct {
	ID   string `json:"id"`
	At   Time   `json:"at"`
	Kind string `json:"kind"`
	// Key is what it tells of: no two alerts of one key fire at a time.
	Key     string `json:"key,omitempty"`
	SagaID  string `json:"saga_id,omitempty"`
	Saga    string `json:"saga,omitempty"`
	Service string `json:"service,omitempty"`
	// Lane is forward or compensation, of an alert on one of a service's lanes.
	Lane string `json:"lane,omitempty"`
	// Group, Step and DeadLetterID are set where it tells of dead letters of one
	// cause: the group, and the first of them.
	Group        string `json:"group,omitempty"`
	Step         string `json:"step,omitempty"`
	DeadLetterID string `json:"dead_letter_id,omitempty"`
	Message      string `json:"message"`
	// ResolvedAt is when it was over; nil: it fires.
	ResolvedAt *Time `json:"resolved_at,omitempty"`
	// Delivered: every sink has acknowledged it. Its end is a message of its own.
	Delivered bool `json:"delivered"`
	// Runbook says what to do. Link leads to what the alert is about.
	Runbook string `json:"runbook"`
	Link    string `json:"link"`
}

// The kinds of alerts.
const (
	// AlertDeadLetter: there are dead letters of a cause.
	AlertDeadLetter = "dead_letter"
	// AlertDeadLetterGrowth: many died within a minute.
	AlertDeadLetterGrowth = "dead_letter_growth"
	// AlertDeadLetterAge: one has been open for long.
	AlertDeadLetterAge = "dead_letter_age"
	// AlertAmount: the open dead letters of a saga type hold too much money.
	AlertAmount = "amount_at_risk"
	// AlertCompensationAge: a compensation has waited for long.
	AlertCompensationAge = "compensation_age"
	// AlertServiceFault: a service refuses what the set-up says.
	AlertServiceFault = "service_fault"
	// AlertBreaker: a lane's breaker is open.
	AlertBreaker = "breaker_open"
	// AlertGate: a lane has been closed by its service for long.
	AlertGate = "long_gate"
	// AlertRetryAfter: a service asked for a longer wait than is granted.
	AlertRetryAfter = "retry_after_capped"
	// AlertLaneGuard: a lane has paused itself.
	AlertLaneGuard = "lane_guard"
	// AlertWasted: a service turns much of what it is sent away.
	AlertWasted = "wasted_calls"
	// AlertDeadline: a saga is past its deadline and goes on.
	AlertDeadline = "deadline"
	// AlertStuck: something can't go on.
	AlertStuck = "saga_stuck"
)

// AlertKinds are the kinds of alerts, in the order in which they matter.
var AlertKinds = []string{
	AlertDeadLetter, AlertDeadLetterGrowth, AlertDeadLetterAge, AlertAmount, AlertLaneGuard, AlertServiceFault, AlertBreaker,
	AlertCompensationAge, AlertGate, AlertRetryAfter, AlertWasted, AlertDeadline, AlertStuck,
}

// An AlertFilter selects alerts; zero fields match all.
type AlertFilter struct {
	Page
	// Firing leaves out what is over.
	Firing bool
}

// AlertRules say when something is worth a person's attention. Zero fields stand for
// their defaults; none can be turned off, but any bound can be set so high that it
// never holds.
type AlertRules struct {
	// DeadLetters is how many may be open in silence. Zero: none, and each is told of
	// in the transaction in which it dies.
	DeadLetters int
	// PerMinute is how many may die within a minute. Defaults to 60.
	PerMinute int
	// DeadLetterAge is how long one may be open. Defaults to 24h.
	DeadLetterAge Duration
	// Amount is how much the open ones of one saga type may put at risk. Zero: any.
	Amount float64
	// CompensationAge is how long the oldest compensation of a service may wait.
	// Defaults to 5m.
	CompensationAge Duration
	// Gate is how long a service may keep a lane closed. Defaults to 2m.
	Gate Duration
	// Wasted is the share of a lane's answers of the last minute that may be 429, 503
	// or failures, judged by WastedMinimum answers at least. Default to 0.2 and 20.
	Wasted        float64
	WastedMinimum int
}

// WithDefaults fills in what is not set.
func (r AlertRules) WithDefaults() AlertRules {
	r.PerMinute = orDefault(r.PerMinute, 60)
	r.DeadLetterAge = orDefault(r.DeadLetterAge, 24*Hour)
	r.CompensationAge = orDefault(r.CompensationAge, 5*Minute)
	r.Gate = orDefault(r.Gate, 2*Minute)
	r.Wasted = orDefault(r.Wasted, 0.2)
	r.WastedMinimum = orDefault(r.WastedMinimum, 20)
	return r
}

func orDefault[T int | float64 | Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}
