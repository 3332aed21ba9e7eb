package engine

import (
	"context"
	"maps"
	"math"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// Participants implements unwind.Service.
func (e *Engine) Participants(ctx context.Context) ([]unwind.ServiceState, error) {
	queues, err := e.depths.recent(ctx)
	if err != nil {
		return nil, err
	}
	return e.services(ctx, queues)
}

// services returns how the services stand, in the order of their names, where so much
// waits in the queues.
func (e *Engine) services(ctx context.Context, queues []store.QueueDepth) ([]unwind.ServiceState, error) {
	states := []unwind.ServiceState{}
	var lanes []flow.Snapshot
	var wide map[string]int64
	err := e.look(ctx, "asking the node for its lanes", func(m node.Moment) {
		for _, name := range slices.Sorted(maps.Keys(e.cfg.Participants)) {
			s := unwind.ServiceState{Name: name}
			forward, compensation := unwind.Scope{Kind: unwind.ScopeForward, Name: name}, unwind.Scope{Kind: unwind.ScopeCompensation, Name: name}
			lane := e.node.Snapshot(m, compensation)
			s.Lanes.Forward = e.lane(m, forward, e.node.Snapshot(m, forward))
			s.Lanes.Compensation = e.lane(m, compensation, lane)
			lanes, states = append(lanes, lane), append(states, s)
		}
		wide = e.drains(m, queues)
	})
	if err != nil {
		return nil, err
	}
	now, waiting := int64(e.clock.now()), byService(queues)
	for i := range states {
		lane, d := &states[i].Lanes.Compensation, waiting[states[i].Name]
		lane.Depth, lane.OldestAgeMS = unwind.LaneDepth{Ready: d.ready, BackingOff: d.backingOff}, 0
		if d.oldest > 0 {
			lane.OldestAgeMS = max((now-d.oldest)/1000, 0)
		}
		if d.ready == 0 && d.backingOff > 0 {
			continue // when they are due is not counted
		}
		if ns := lanes[i].Drain(d.ready+d.backingOff, now*1000); ns != flow.Never && !(len(lane.Held) > 0 && ns > 0) {
			ms := (max(ns, wide[states[i].Name]) + 999_999) / 1_000_000
			lane.DrainEstimateMS = &ms
		}
	}
	return states, nil
}

// Scopes implements unwind.Service.
func (e *Engine) Scopes(ctx context.Context) ([]unwind.ScopeState, error) {
	var states []unwind.ScopeState
	err := e.look(ctx, "asking the node for its scopes", func(m node.Moment) {
		for _, scope := range e.node.Scopes() {
			states = append(states, e.scope(m, scope))
		}
	})
	if err != nil {
		return nil, err
	}
	return states, nil
}

// scopeState returns one scope as it stands.
func (e *Engine) scopeState(ctx context.Context, scope unwind.Scope) (*unwind.ScopeState, error) {
	var state unwind.ScopeState
	err := e.look(ctx, "asking the node for a scope", func(m node.Moment) {
		state = e.scope(m, scope)
	})
	if err != nil {
		return nil, err
	}
	return &state, nil
}

func (e *Engine) scope(m node.Moment, scope unwind.Scope) unwind.ScopeState {
	s := unwind.ScopeState{Scope: scope, State: e.lane(m, scope, e.node.Snapshot(m, scope))}
	if l := e.node.Limits(scope); scope.Kind == unwind.ScopeSagaType || scope.Kind == unwind.ScopeTenant {
		s.Weight = max(l.Weight, 1)
	}
	return s
}

// lane tells users of a scope that stands so.
func (e *Engine) lane(m node.Moment, scope unwind.Scope, s flow.Snapshot) unwind.LaneState {
	now := int64(m.Now) * 1000
	l := unwind.LaneState{Concurrency: s.Effective.Concurrency, InFlight: s.InFlight, Breaker: unwind.LaneBreaker{State: s.Breaker.String()}}
	l.Depth = unwind.LaneDepth{Ready: s.Ready, BackingOff: s.BackingOff}
	if r := s.Effective.Rate.Float(); !math.IsInf(r, 1) {
		l.Rate.Configured = &r
	}
	if !math.IsInf(s.Rate, 1) {
		l.Rate.Effective = &s.Rate
	}
	if s.Adaptive > 0 {
		l.Rate.Adaptive, l.AdaptiveConcurrency = &s.Adaptive, &s.Slots
	}
	l.Throttled, l.Failed = s.Throttled, s.Failed
	if w := e.node.Limits(scope).Window; !w.IsZero() {
		l.Window = &w
	}
	if s.OldestDue != flow.Never {
		l.OldestAgeMS = max((now-s.OldestDue)/1_000_000, 0)
	}
	if s.GateUntil > now {
		l.Gate = &unwind.LaneGate{Until: unwind.TimeFromMicros(s.GateUntil / 1000), Reason: s.GateReason}
	}
	if s.Fault {
		l.Fault = s.GateReason
	}
	if scope.Kind == unwind.ScopeCompensation {
		l.Backlog = e.node.Late(m, scope.Name)
	}
	for _, p := range e.node.Holding(m, scope) {
		l.Held = append(l.Held, unwind.LaneHold{Scope: p.Scope, LanePause: *pauseOf(&p)})
	}
	_, settings := e.node.Control(scope)
	if s.BreakerMode != flow.BreakerAuto { // an operator holds it, whatever the answers said
		s.BreakerSince = int64(settings.BreakerSince) * 1000
	}
	if s.BreakerSince > 0 {
		since := unwind.TimeFromMicros(s.BreakerSince / 1000)
		l.Breaker.Since = &since
	}
	if s.BreakerUntil > now {
		probe := unwind.TimeFromMicros(s.BreakerUntil / 1000)
		l.Breaker.Probe = &probe
	}
	if s.Ramp > 0 {
		share := float64(s.Ramp) / 10
		l.Breaker.Ramp = &share
	}
	if p := e.node.Pause(scope); p != nil {
		l.Paused = pauseOf(p)
	}
	for _, c := range settings.Changes {
		if !c.Limited() {
			continue
		}
		o := unwind.LaneOverride{LimitsChange: c.Limits, Breaker: c.Breaker, Reason: c.Reason, By: c.By, At: unwind.TimeFromMicros(int64(c.At))}
		if c.Until > 0 {
			until := unwind.TimeFromMicros(int64(c.Until))
			o.Until = &until
		}
		l.Overrides = append(l.Overrides, o)
	}
	return l
}

func pauseOf(p *node.Pause) *unwind.LanePause {
	l := &unwind.LanePause{Reason: p.Reason, By: p.By, At: unwind.TimeFromMicros(int64(p.At))}
	if p.Until > 0 {
		until := unwind.TimeFromMicros(int64(p.Until))
		l.Until = &until
	}
	return l
}
