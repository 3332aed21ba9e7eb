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
		return nil, unavailable("reading the compensation queues", err)
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
		return nil, unavailable("asking the node for its lanes", ctx.Err())
	case <-e.stopped:
		return nil, unavailable("asking the node for its lanes", context.Canceled)
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

// PauseLane stops a lane of a participant (forward or compensation): what is in
// flight ends, nothing else is sent until ResumeLane, over restarts too.
func (e *Engine) PauseLane(ctx context.Context, service, lane, reason, actor string) error {
	return e.setLane(ctx, store.Lane{Service: service, Name: lane, Paused: true, Reason: reason, By: orAnonymous(actor)}, "pause")
}

// ResumeLane lets a paused lane go on, whether a person or the lane guard paused it.
func (e *Engine) ResumeLane(ctx context.Context, service, lane, reason, actor string) error {
	return e.setLane(ctx, store.Lane{Service: service, Name: lane, Reason: reason, By: orAnonymous(actor)}, "resume")
}

func (e *Engine) setLane(ctx context.Context, l store.Lane, action string) error {
	if _, ok := e.cfg.Participants[l.Service]; !ok {
		return unwind.Errorf(unwind.NotFound, "there is no service %q", l.Service)
	}
	if l.Name != flow.Forward.String() && l.Name != flow.Compensation.String() {
		return unwind.Errorf(unwind.InvalidRequest, "service %q has no lane %q; name forward or compensation", l.Service, l.Name)
	}
	a := audit(l.By, action, l.Service+"/"+l.Name, l.Reason, nil)
	_, err := e.ask(ctx, func(m node.Moment, t node.Token) {
		l.At, a.At = int64(m.Now), int64(m.Now)
		e.node.SetLane(m, node.LaneChange{Token: t, Lane: l, Audit: a})
	})
	return err
}
