package engine

import (
	"context"
	"fmt"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/node"
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
	req.Actor = orAnonymous(req.Actor)
	_, err := e.ask(ctx, func(m node.Moment, t node.Token) {
		alters, err := e.node.Alter(m, &req)
		if err != nil {
			e.reply(node.Reply{Token: t, Err: err})
			return
		}
		if req.Limits != nil && req.Limits.Burst != nil {
			if why := burstless(req.Scope, &alters.Holds); why != "" {
				e.reply(node.Reply{Token: t, Err: invalid(doing, "/burst", why)})
				return
			}
		}
		alters.Token, alters.Audit = t, audit(req.Actor, alters.Action, req.Scope.String(), req.Reason, alters.Data)
		alters.Audit.At = int64(m.Now)
		e.node.SetControl(m, alters.ControlChange)
	})
	if err != nil {
		return nil, err
	}
	return e.scopeState(ctx, req.Scope)
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
	case req.ExpiresIn > 0 && req.Limits == nil && req.Breaker == nil && req.Paused == nil:
		return invalid(doing, "/expires_in", "a reset does not expire; name a limit that does")
	case req.ExpiresIn > 0 && req.Limits == nil && req.Breaker == nil && !*req.Paused:
		return invalid(doing, "/expires_in", "a resume does not expire; pause the scope again once it has to be")
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
	case l.HintCap != nil && !lane:
		return invalid(doing, "/hint_cap", "only a lane of a service is asked to wait")
	case l.Adaptive != nil && !lane:
		return invalid(doing, "/adaptive", "only a lane of a service adapts its rate")
	}
	return nil
}
