package unwind

import "cmp"

// A Scope names what limits hold for.
type Scope struct {
	Kind ScopeKind `json:"kind" enum:"global,forward,compensation,saga,tenant"`
	// Name of the service or the saga type; empty for the global scope.
	Name string `json:"name,omitempty"`
	// Tenant of a tenant's scope, whose Name is the saga type.
	Tenant string `json:"tenant,omitempty"`
}

// ScopeKind says what a [Scope] spans. Stores keep it: it stays the same.
type ScopeKind string

// The kinds of scopes. All but the first are of compensations, and those of a
// call are checked together: the global one, its service's, its saga type's and
// its tenant's.
const (
	// ScopeForward is the forward lane of a service.
	ScopeForward ScopeKind = "forward"
	// ScopeGlobal spans every compensation.
	ScopeGlobal ScopeKind = "global"
	// ScopeCompensation is the compensation lane of a service.
	ScopeCompensation ScopeKind = "compensation"
	// ScopeSagaType spans the compensations of a saga type.
	ScopeSagaType ScopeKind = "saga"
	// ScopeTenant spans the compensations of a tenant of a saga type.
	ScopeTenant ScopeKind = "tenant"
)

// Compare orders scopes by kind, name and tenant.
func (s Scope) Compare(o Scope) int {
	return cmp.Or(cmp.Compare(s.Kind, o.Kind), cmp.Compare(s.Name, o.Name), cmp.Compare(s.Tenant, o.Tenant))
}

// String returns the scope as an operator reads it.
func (s Scope) String() string {
	switch s.Kind {
	case ScopeForward:
		return "service " + s.Name + " (forward)"
	case ScopeCompensation:
		return "service " + s.Name
	case ScopeSagaType:
		return "saga type " + s.Name
	case ScopeTenant:
		return "tenant " + s.Tenant + " of saga type " + s.Name
	}
	return "all compensations"
}

// LimitsChange holds limits in the place of the configured ones. A nil field
// leaves what held before.
type LimitsChange struct {
	Rate        *Rate `json:"rate,omitempty"`
	Concurrency *int  `json:"concurrency,omitempty"`
	Burst       *int  `json:"burst,omitempty"`
	Window      *Rate `json:"window,omitempty"`
	Adaptive    *bool `json:"adaptive,omitempty"`
	// HintCap of a service's lane. A gate that is closed already stays closed.
	HintCap *Duration `json:"hint_cap,omitempty" doc:"The longest wait that a Retry-After can ask a lane for, from now on"`
	// Weight of a saga type or a tenant in the fair share of a service.
	Weight *int `json:"weight,omitempty"`
}

// BreakerMode says who decides whether a lane's breaker is open.
type BreakerMode string

// The modes of a breaker.
const (
	// BreakerAuto: the answers of the participant decide.
	BreakerAuto BreakerMode = "auto"
	// BreakerOpen: an operator holds it open; nothing is sent but a single send.
	BreakerOpen BreakerMode = "open"
	// BreakerClosed: an operator holds it closed, whatever the participant answers.
	BreakerClosed BreakerMode = "closed"
)

// A ControlRequest changes what operators have set at a scope, above its
// configuration. What is nil stays as it is. It is durable, audited, and in
// force within a second of the answer; no burst follows it.
type ControlRequest struct {
	Scope  Scope         `json:"scope"`
	Paused *bool         `json:"paused,omitempty"`
	Limits *LimitsChange `json:"limits,omitempty"`
	// Reset takes the limits back that were set before, those of Limits excepted.
	Reset bool `json:"reset,omitempty"`
	// Breaker of a service's lane.
	Breaker *BreakerMode `json:"breaker,omitempty" enum:"open,closed,auto"`
	// OpenGate opens the gate of a service's lane that a Retry-After or a RateLimit header
	// has closed; one that is not closed is a [Conflict]. It goes with nothing else. A pause,
	// an open breaker and a service fault go on, and every limit counts. Calls that were
	// refused wait for what they were told still, and the next such answer closes it again.
	OpenGate bool `json:"open_gate,omitempty" doc:"Opens the gate of a lane that a Retry-After or a RateLimit header has closed, and goes with nothing else"`
	// ExpiresIn ends the pause, the limits and the breaker's mode that are set now: then
	// what held before them holds again. Zero: they hold until they are changed.
	ExpiresIn Duration `json:"expires_in,omitempty" doc:"Ends what is set now: then what held before it holds again"`
	// Reason is required: it is for those who read the audit.
	Reason string `json:"reason"`
	Actor  string `json:"-"`
}

// ScopeState is a scope as it stands. ServiceState shows those of services with
// what waits in them.
type ScopeState struct {
	Scope  Scope     `json:"scope"`
	Weight int       `json:"weight,omitempty"`
	State  LaneState `json:"state"`
}

// A LaneOverride is a change that an operator has made above a scope's configuration, as
// far as it has not ended and no later one lasts longer.
type LaneOverride struct {
	LimitsChange
	Breaker BreakerMode `json:"breaker,omitempty"`
	// Until is when it ends by itself; nil: it does not.
	Until  *Time  `json:"until"`
	Reason string `json:"reason"`
	By     string `json:"by"`
	At     Time   `json:"at"`
}

// SendNow asks for one waiting call to be sent at once, whatever its
// lane's pace, gate, breaker or pause say. It still counts in every scope, and
// where the breaker is open it is its probe.
type SendNow struct {
	Step string `json:"step"`
	// Direction of the call. Defaults to the compensation.
	Direction Direction `json:"direction,omitempty" enum:"action,compensation"`
	Reason    string    `json:"reason"`
	Actor     string    `json:"-"`
}
