package store

import "github.com/unwindhq/unwind"

// A Control is what operators have set at one scope, above its configuration.
// Writing one replaces the scope's; one that neither pauses nor has settings
// removes it.
type Control struct {
	Scope  unwind.Scope
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
	Scope unwind.Scope
	Body  []byte
}
