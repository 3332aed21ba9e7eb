package store

import "cmp"

// A Scope names what limits hold for: what flow.Scope names, in words that stay
// the same for as long as a store is kept.
type Scope struct {
	// Kind is one of the Scope constants.
	Kind string
	// Name of the service or saga type; empty for ScopeGlobal.
	Name string
	// Tenant of ScopeTenant; Name is the saga type then.
	Tenant string
}

// Compare orders scopes by kind, name and tenant.
func (s Scope) Compare(o Scope) int {
	return cmp.Or(cmp.Compare(s.Kind, o.Kind), cmp.Compare(s.Name, o.Name), cmp.Compare(s.Tenant, o.Tenant))
}

// The kinds of scopes.
const (
	// ScopeGlobal spans every compensation.
	ScopeGlobal = "global"
	// ScopeForward is the forward lane of a service.
	ScopeForward = "forward"
	// ScopeCompensation is the compensation lane of a service.
	ScopeCompensation = "compensation"
	// ScopeSagaType spans the compensations of a saga type.
	ScopeSagaType = "saga"
	// ScopeTenant spans the compensations of a tenant of a saga type.
	ScopeTenant = "tenant"
)

// A Control is what operators have set at one scope, above its configuration.
// Writing one replaces the scope's; one that neither pauses nor has settings
// removes it.
type Control struct {
	Scope
	Paused bool
	// Settings are limits, weight and breaker as the engine encodes them.
	Settings []byte
	// Reason, By and At of the last pause or resume; Settings have their own.
	Reason, By string
	At         int64
}

// Empty reports whether the control says nothing.
func (c *Control) Empty() bool { return !c.Paused && len(c.Settings) == 0 }

// A FlowState is what flow control keeps of one scope over a restart, as
// flow.Reservation encodes it. Writing one replaces the scope's; an empty Body
// removes it.
type FlowState struct {
	Scope
	Body []byte
}
