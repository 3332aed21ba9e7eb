package engine

import (
	"context"
	"fmt"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// mostExpiry is how long what operators set for a while may last.
const mostExpiry = 30 * 24 * unwind.Hour

// Control implements unwind.Service.
func (e *Engine) Control(ctx context.Context, req unwind.ControlRequest) (*unwind.ScopeState, error) {
	doing := "changing " + req.Scope.String()
	if err := e.findScope(ctx, req.Scope); err != nil {
		return nil, err
	}
	if err := validControl(doing, &req); err != nil {
		return nil, err
	}
	_, err := e.ask(ctx, func(m node.Moment, t node.Token) {
		set, settings := e.node.Control(req.Scope)
		lane := e.node.Snapshot(m, req.Scope)
		if err := conflicting(m, &req, &set, &lane); err != nil {
			e.reply(node.Reply{Token: t, Err: err})
			return
		}
		if req.OpenGate {
			a := audit(req.Actor, "open-gate", req.Scope.String(), req.Reason, opened{unwind.TimeFromMicros(lane.Closed / 1000), lane.GateReason})
			a.At = int64(m.Now)
			e.node.SetControl(m, node.ControlChange{Token: t, Control: set, OpenGate: true, Audit: a})
			return
		}
		action, data := change(m, &req, &set, &settings)
		if l := e.node.Under(req.Scope, &settings); req.Limits != nil && req.Limits.Burst != nil {
			if why := burstless(req.Scope, &l); why != "" {
				e.reply(node.Reply{Token: t, Err: invalid(doing, "/burst", why)})
				return
			}
		}
		if len(settings.Changes) > node.MaxSettings {
			e.reply(node.Reply{Token: t, Err: unwind.Errorf(unwind.Conflict, "%s: %d changes that end hold there already; reset its limits, or wait until some have ended", doing, node.MaxSettings)})
			return
		}
		if req.Paused != nil {
			set.Reason, set.By, set.At = req.Reason, orAnonymous(req.Actor), int64(m.Now)
		}
		set.Settings = settings.Encode()
		a := audit(req.Actor, action, req.Scope.String(), req.Reason, data)
		a.At = int64(m.Now)
		e.node.SetControl(m, node.ControlChange{Token: t, Control: set, Audit: a})
	})
	if err != nil {
		return nil, err
	}
	return e.scopeState(ctx, req.Scope)
}

// A changed is what the audit keeps of a change of limits.
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

// change applies a request to what is set, and says how the audit names it.
func change(m node.Moment, req *unwind.ControlRequest, set *store.Control, s *node.Settings) (action string, data any) {
	if req.Paused != nil {
		if set.Paused = *req.Paused; set.Paused {
			action = "pause"
		} else {
			action = "resume"
		}
	}
	if req.Limits == nil && !req.Reset && req.Breaker == nil {
		return action, nil
	}
	action = "limit"
	data = changed{req.Paused, req.Limits, req.Reset, req.Breaker, req.ExpiresIn, s.Limits()}
	if req.Reset {
		s.ResetLimits()
	}
	c := node.Setting{Reason: req.Reason, By: orAnonymous(req.Actor), At: m.Now}
	if req.Limits != nil {
		c.Limits = *req.Limits
	}
	if req.Breaker != nil {
		action, c.Breaker = "breaker", *req.Breaker
	}
	if req.ExpiresIn > 0 {
		c.Until = m.Now + machine.Micros(req.ExpiresIn/1000)
	}
	s.Set(c)
	return action, data
}

func conflicting(m node.Moment, req *unwind.ControlRequest, set *store.Control, lane *flow.Snapshot) error {
	switch {
	case req.Paused != nil && !*req.Paused && !set.Paused:
		return unwind.Errorf(unwind.Conflict, "%s: it is not paused, so there is nothing to resume", req.Scope)
	case req.OpenGate && lane.Closed <= int64(m.Now)*1000:
		return unwind.Errorf(unwind.Conflict, "%s: no Retry-After keeps it closed, so there is nothing to open; unwind service list shows what holds it back", req.Scope)
	}
	return nil
}

// findScope fails where there is no such scope.
func (e *Engine) findScope(ctx context.Context, s unwind.Scope) error {
	bad := func(pointer, format string, args ...any) error {
		return invalid("finding a scope", pointer, fmt.Sprintf(format, args...))
	}
	if s.Kind != unwind.ScopeTenant && s.Tenant != "" {
		return bad("/scope/tenant", "only a scope of kind tenant has one")
	}
	switch s.Kind {
	case unwind.ScopeGlobal:
		if s.Name != "" {
			return bad("/scope/name", "the global scope has no name")
		}
	case unwind.ScopeForward, unwind.ScopeCompensation:
		if _, known := e.cfg.Participants[s.Name]; !known {
			return unwind.Errorf(unwind.NotFound, "there is no service %q; unwind service list (GET /v1/services) shows those that are declared", s.Name)
		}
	case unwind.ScopeSagaType, unwind.ScopeTenant:
		if s.Kind == unwind.ScopeTenant && (s.Tenant == "" || len(s.Tenant) > unwind.MaxKeyLength) {
			return bad("/scope/tenant", "a tenant's name has 1 to %d bytes", unwind.MaxKeyLength)
		}
		if _, err := e.plans.get(ctx, s.Name, ""); err != nil {
			return err
		}
	default:
		return bad("/scope/kind", "write one of global, forward, compensation, saga, tenant")
	}
	return nil
}

// burstless says why a burst means nothing at a scope under its limits; empty: it means
// something. A compensation lane has a rate in any case.
func burstless(s unwind.Scope, l *node.Limits) string {
	switch {
	case l.Adaptive:
		return "a lane that adapts its rate has no burst of its own; leave it out, or end adaptive with it"
	case l.Rate.IsZero() && s.Kind != unwind.ScopeCompensation:
		return "a burst is how many calls may go at once at a rate, and this scope has none: name a rate with it, or leave it out"
	}
	return ""
}

func validControl(doing string, req *unwind.ControlRequest) error {
	lane := req.Scope.Kind == unwind.ScopeForward || req.Scope.Kind == unwind.ScopeCompensation
	weighed := req.Scope.Kind == unwind.ScopeSagaType || req.Scope.Kind == unwind.ScopeTenant
	limits := req.Limits != nil || req.Reset
	if err := checkReason(doing, req.Reason); err != nil {
		return err
	}
	switch {
	case req.OpenGate && (req.Paused != nil || limits || req.Breaker != nil || req.ExpiresIn != 0):
		return invalid(doing, "/open_gate", "it goes with nothing else; make two requests of it")
	case req.OpenGate && !lane:
		return invalid(doing, "/open_gate", "only a lane of a service has a gate")
	case req.OpenGate:
		return nil
	case req.Paused == nil && !limits && req.Breaker == nil:
		return invalid(doing, "", "it changes nothing; name a limit, or reset")
	case req.ExpiresIn < 0 || req.ExpiresIn > mostExpiry || req.ExpiresIn > 0 && req.ExpiresIn < unwind.Second:
		return invalid(doing, "/expires_in", "write 1s to 720h")
	case req.ExpiresIn > 0 && req.Paused != nil && req.Limits == nil && req.Breaker == nil:
		return invalid(doing, "/expires_in", "a pause does not expire; resume it, or set a low rate that expires")
	case req.ExpiresIn > 0 && req.Limits == nil && req.Breaker == nil:
		return invalid(doing, "/expires_in", "a reset does not expire; name a limit that does")
	case req.Breaker != nil && !lane:
		return invalid(doing, "/state", "only a lane of a service has a breaker")
	}
	if b := req.Breaker; b != nil && *b != unwind.BreakerAuto && *b != unwind.BreakerOpen && *b != unwind.BreakerClosed {
		return invalid(doing, "/state", "write one of open, closed, auto")
	}
	if req.Limits == nil {
		return nil
	}
	for _, f := range req.Limits.Validate() {
		if !f.Warning {
			return invalid(doing, f.Pointer, f.Message)
		}
	}
	switch l := req.Limits; {
	case l.Weight != nil && !weighed:
		return invalid(doing, "/weight", "only a saga type or a tenant has a weight")
	case l.Adaptive != nil && !lane:
		return invalid(doing, "/adaptive", "only a lane of a service adapts its rate")
	}
	return nil
}
