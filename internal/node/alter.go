package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// An Alteration is what an operator's request makes of a scope, for SetControl, and
// how the audit names it.
type Alteration struct {
	ControlChange        // without its token and its audit row
	Holds         Limits // with it
	Action        string
	Data          any // for the audit row, as JSON
}

// A changed is what the audit keeps of a change of limits, and of a pause that ends.
type changed struct {
	Paused    *bool                `json:"paused,omitempty"`
	Limits    *unwind.LimitsChange `json:"limits,omitempty"`
	Reset     bool                 `json:"reset,omitempty"`
	Breaker   *unwind.BreakerMode  `json:"breaker,omitempty"`
	ExpiresIn unwind.Duration      `json:"expires_in,omitempty"`
	Before    unwind.LimitsChange  `json:"before,omitzero"`
}

// An opened is what the audit keeps of a gate that is opened: what it was.
type opened struct {
	Until unwind.Time `json:"until"`
	By    string      `json:"by,omitempty"`
}

// Alter says what a request makes of its scope, above what is durable there or about
// to be. Whoever makes the request has checked it.
func (n *Node) Alter(m Moment, req *unwind.ControlRequest) (Alteration, error) {
	doing := "changing " + req.Scope.String()
	set, s := n.Control(req.Scope)
	a := Alteration{ControlChange: ControlChange{Control: set, OpenGate: req.OpenGate}}
	if req.OpenGate {
		lane := n.Snapshot(m, req.Scope)
		if lane.Closed <= nanos(m.Now) {
			return a, unwind.Errorf(unwind.Conflict, "%s: no Retry-After keeps it closed, so there is nothing to open; unwind service list shows what holds it back", req.Scope)
		}
		a.Action, a.Data = "open-gate", opened{unwind.TimeFromMicros(lane.Closed / 1000), lane.GateReason}
		return a, nil
	}
	c := Setting{Reason: req.Reason, By: req.Actor, At: m.Now}
	if p := req.Paused; p != nil {
		if !*p && pauseOf(&set, &s) == nil {
			return a, unwind.Errorf(unwind.Conflict, "%s: it is not paused, so there is nothing to resume", req.Scope)
		}
		a.Action = map[bool]string{true: "pause", false: "resume"}[*p]
		if c.Paused = *p && req.ExpiresIn > 0; !c.Paused {
			a.Control.Paused, a.Control.Reason, a.Control.By, a.Control.At = *p, req.Reason, req.Actor, int64(m.Now)
			if s.Resume() { // nothing is left below it that ends
				a.Control.Settings = s.Encode()
			}
		}
	}
	if req.Limits == nil && !req.Reset && req.Breaker == nil && !c.Paused {
		return a, nil
	}
	if req.Limits != nil || req.Reset {
		a.Action = "limit"
	}
	a.Data = changed{req.Paused, req.Limits, req.Reset, req.Breaker, req.ExpiresIn, s.Limits()}
	if req.Reset {
		s.ResetLimits()
	}
	if req.Limits != nil {
		c.Limits = *req.Limits
	}
	if req.Breaker != nil {
		a.Action, c.Breaker = "breaker", *req.Breaker
	}
	if req.ExpiresIn > 0 {
		c.Until = m.Now + machine.Micros(req.ExpiresIn/1000)
	}
	if s.Set(c); len(s.Changes) > MaxSettings {
		return a, unwind.Errorf(unwind.Conflict, "%s: %d changes that end hold there already; reset its limits, resume it, or wait until some have ended", doing, MaxSettings)
	}
	a.Control.Settings, a.Holds = s.Encode(), n.Under(req.Scope, &s)
	return a, nil
}
