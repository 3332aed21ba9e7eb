package unwind

// A Participant is a declared service: where it is and what it bears. Sagas
// reach nothing that is not declared.
type Participant struct {
	// URL is the base that call paths are appended to; http or https.
	URL string `json:"url"`
	// Timeout bounds one call. Defaults to 10s.
	Timeout Duration `json:"timeout,omitempty"`
	// Headers are sent with each call. Values may be secrets; they are never shown.
	Headers map[string]string `json:"headers,omitempty"`
	// Forward limits actions. Zero values: no rate, concurrency 256.
	Forward Limits `json:"forward,omitzero"`
	// Compensation limits compensations. Zero values: 20% of the forward rate
	// (10/s where it has none), concurrency 10.
	Compensation Limits `json:"compensation,omitzero"`
	// Breaker opens the lane of a participant that fails.
	Breaker Breaker `json:"breaker,omitzero"`
	// Backlog says what new sagas do while compensations of this participant are late.
	Backlog Backlog `json:"backlog,omitzero"`
	// KeyLifetime is how long the participant remembers an idempotency key.
	// Zero: for ever.
	KeyLifetime Duration `json:"key_lifetime,omitempty"`
	// Status is a path that answers what became of a key. Empty: there is none.
	Status string `json:"status,omitempty"`
	// Settle is how long after its last send an uncertain call may still take
	// effect. Defaults to the call's timeout.
	Settle Duration `json:"settle,omitempty"`
	// AllowPrivate lets the URL's name resolve to loopback, link-local and private addresses.
	AllowPrivate bool `json:"allow_private,omitempty"`
}

// Limits bound one lane of a participant. A field of zero takes the lane's default.
type Limits struct {
	// Rate at which calls are let go, evenly spaced.
	Rate Rate `json:"rate,omitzero"`
	// Concurrency is how many calls may be in flight at once.
	Concurrency int `json:"concurrency,omitempty"`
	// Burst is how many calls may go at once after a quiet time. Defaults to 2; for
	// all compensations together to what goes in 10 ms at their rate, 2 at least.
	Burst int `json:"burst,omitempty"`
	// Window is the most calls that the participant sees in any span of that
	// length, by its own clock. It opens bit by bit. Zero: no window.
	Window Rate `json:"window,omitzero"`
	// Adaptive finds the rate that the participant bears, at most Rate: it begins
	// at an eighth of that, 10/s at least, grows with every accepted call and is cut
	// by a 429. It also finds how many calls in flight it bears, at most
	// Concurrency: it begins with four, and goes by the time that calls take.
	Adaptive bool `json:"adaptive,omitempty"`
	// Strict closes the whole lane for every Retry-After of a 429, however short.
	// Without it a compensation lane closes for one above 2 s, and a shorter one
	// delays its own call.
	Strict bool `json:"strict,omitempty"`
	// HintCap is the longest wait that a Retry-After can ask for, 1 s at least; a longer
	// one is cut to it and raises an alert. Defaults to 5 min.
	HintCap Duration `json:"hint_cap,omitempty"`
}

// Backlog couples new sagas to the compensations that wait for a participant: what
// could not be undone in time is not begun. It concerns sagas that have a
// compensation there.
type Backlog struct {
	// Objective is how old the oldest waiting compensation may be. Zero: any age.
	Objective Duration `json:"objective,omitempty"`
	// Policy is what becomes of new sagas beyond that. Defaults to [ShedStarts].
	Policy BacklogPolicy `json:"policy,omitempty" enum:"shed,hold"`
}

// BacklogPolicy is what becomes of new sagas while compensations are late.
type BacklogPolicy string

// The policies.
const (
	// ShedStarts refuses them, with Retry-After.
	ShedStarts BacklogPolicy = "shed"
	// HoldStarts accepts them and makes their first calls when the backlog is
	// worked off. A saga that nobody has been called for keeps its deadline.
	HoldStarts BacklogPolicy = "hold"
)

// Breaker says when a lane of a participant opens (stops) because calls fail:
// 5xx and timeouts, not 429 and 503. The zero value is no breaker; else a zero
// field takes its default.
type Breaker struct {
	// Failures is the share of the last 64 calls, above 0 and at most 1, from which
	// it opens. Defaults to 0.5.
	Failures float64 `json:"failures,omitempty"`
	// Minimum is how many calls are judged at least, 64 at most. Defaults to 10.
	Minimum int `json:"minimum,omitempty"`
	// Open is how long nothing is sent before each of the first five probes; each later one
	// waits a fourth longer than the one before, up to a minute. Defaults to 30 s.
	Open Duration `json:"open,omitempty"`
}
