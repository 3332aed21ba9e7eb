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
	queues, err := e.store.Queues(ctx, int64(e.clock.now()))
	if err != nil {
		return nil, failed("reading the compensation queues", err)
	}
	states := []unwind.ServiceState{}
	done := make(chan struct{})
	e.post(func(m node.Moment) {
		defer close(done)
		for _, name := range slices.Sorted(maps.Keys(e.cfg.Participants)) {
			s := unwind.ServiceState{Name: name}
			s.Lanes.Forward = e.lane(m, flow.Scope{Kind: flow.ScopeForward, Name: name})
			s.Lanes.Compensation = e.lane(m, flow.Scope{Kind: flow.ScopeCompensation, Name: name})
			states = append(states, s)
		}
	})
	select {
	case <-done:
	case <-ctx.Done():
		return nil, failed("asking the node for its lanes", ctx.Err())
	case <-e.stopped:
		return nil, failed("asking the node for its lanes", context.Canceled)
	}
	if err := e.explainPauses(ctx, states); err != nil {
		return nil, err
	}
	now := int64(e.clock.now())
	for i := range states {
		lane := &states[i].Lanes.Compensation
		lane.Depth, lane.OldestAgeMS = unwind.LaneDepth{}, 0
		for _, q := range queues {
			if q.Target != states[i].Name {
				continue
			}
			lane.Depth.Ready += q.Ready
			lane.Depth.BackingOff += q.BackingOff
			if q.Oldest > 0 {
				lane.OldestAgeMS = max(lane.OldestAgeMS, (now-q.Oldest)/1000)
			}
		}
		if r := lane.Rate.Effective; r != nil && *r > 0 {
			ms := int64(math.Ceil(float64(lane.Depth.Ready+lane.Depth.BackingOff) / *r * 1000))
			lane.DrainEstimateMS = &ms
		}
	}
	return states, nil
}

// explainPauses adds who paused a lane, and when, as far as that is durable.
func (e *Engine) explainPauses(ctx context.Context, states []unwind.ServiceState) error {
	rows, err := e.store.Controls(ctx)
	if err != nil {
		return failed("reading what operators have set", err)
	}
	for i := range rows {
		for k := range states {
			lane := &states[k].Lanes.Forward
			switch rows[i].Kind {
			case store.ScopeForward:
			case store.ScopeCompensation:
				lane = &states[k].Lanes.Compensation
			default:
				continue
			}
			if states[k].Name == rows[i].Name && lane.Paused != nil {
				*lane.Paused = unwind.LanePause{Reason: rows[i].Reason, By: rows[i].By, At: unwind.TimeFromMicros(rows[i].At)}
			}
		}
	}
	return nil
}

// SetLane implements unwind.Service.
func (e *Engine) SetLane(ctx context.Context, participant string, req unwind.LaneRequest) (*unwind.ServiceState, error) {
	action := "resume"
	if req.Paused {
		action = "pause"
	}
	doing := action + " a lane of service " + participant
	scope := store.Scope{Kind: store.ScopeForward, Name: participant}
	switch _, known := e.cfg.Participants[participant]; {
	case !known:
		return nil, unwind.Errorf(unwind.NotFound, "there is no service %q", participant)
	case req.Lane == unwind.CompensationLane:
		scope.Kind = store.ScopeCompensation
	case req.Lane != unwind.ForwardLane:
		return nil, invalid(doing, "/lane", "write one of forward, compensation")
	}
	if req.Reason == "" {
		return nil, invalid(doing, "/reason", "say why, for those who read the audit")
	}
	a := audit(req.Actor, action, participant+"/"+req.Lane, req.Reason, nil)
	_, err := e.ask(ctx, func(m node.Moment, t node.Token) {
		c := e.node.Control(scope)
		if !req.Paused && !c.Paused {
			e.waiting[t] <- node.Reply{Token: t, Err: unwind.Errorf(unwind.Conflict, "the %s lane of service %s is not paused", req.Lane, participant)}
			delete(e.waiting, t)
			return
		}
		a.At = int64(m.Now)
		c.Paused, c.Reason, c.By, c.At = req.Paused, req.Reason, orAnonymous(req.Actor), int64(m.Now)
		e.node.SetControl(m, node.ControlChange{Token: t, Control: c, Audit: a})
	})
	if err != nil {
		return nil, err
	}
	states, err := e.Participants(ctx)
	if err != nil {
		return nil, err
	}
	for i := range states {
		if states[i].Name == participant {
			return &states[i], nil
		}
	}
	return nil, unwind.Errorf(unwind.NotFound, "there is no service %q", participant)
}

func (e *Engine) lane(m node.Moment, scope flow.Scope) unwind.LaneState {
	now := int64(m.Now) * 1000
	s := e.node.Flow().Snapshot(scope, now)
	l := unwind.LaneState{Concurrency: s.Effective.Concurrency, InFlight: s.InFlight, Breaker: unwind.LaneBreaker{State: "closed"}}
	l.Depth = unwind.LaneDepth{Ready: s.Ready, BackingOff: s.BackingOff}
	if r := s.Effective.Rate.Float(); !math.IsInf(r, 1) {
		l.Rate.Configured, l.Rate.Effective = &r, &r
	}
	if s.OldestDue != flow.Never {
		l.OldestAgeMS = max((now-s.OldestDue)/1_000_000, 0)
	}
	if s.GateUntil > now {
		l.Gate = &unwind.LaneGate{Until: unwind.TimeFromMicros(s.GateUntil / 1000), Reason: s.GateReason}
	}
	if s.Paused {
		l.Paused = &unwind.LanePause{Reason: s.PauseReason}
	}
	return l
}
