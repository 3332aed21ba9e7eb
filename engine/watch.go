package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/alarm"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// alertsEvery is how often the engine looks what a person must hear of.
const alertsEvery = time.Second

// watchAlerts raises and ends alerts that no commit tells of.
func (e *Engine) watchAlerts() {
	defer e.workers.Done()
	watch := alarm.New(e.cfg.AlertRules)
	stuck, newest := "", int64(0)
	e.every(alertsEvery, func() {
		if e.draining.Load() {
			return
		}
		state, err := e.observe(e.ctx, &newest)
		if err != nil {
			return // the loop says that the store is sick
		}
		state.Moved, stuck, err = e.moved(e.ctx, stuck)
		if err != nil {
			return
		}
		alerts := watch.Next(state)
		if planted.On(planted.LoseEnd) {
			alerts = slices.DeleteFunc(alerts, func(a store.Alert) bool { return a.Ends })
		}
		if len(alerts) > 0 {
			e.raise(alerts)
		}
	})
}

// raise waits until alerts are durable, however long: the next look would raise again
// what is not.
func (e *Engine) raise(alerts []store.Alert) {
	raised, _, err := e.begin(func(m node.Moment, token node.Token) { e.node.Raise(m, token, alerts) })
	if err != nil {
		return
	}
	select {
	case <-raised:
	case <-e.ctx.Done():
	case <-e.stopped:
	}
}

// observe sees all that alerts follow from. What fires is read before all else: what
// ends in between is then only ended again, which changes nothing. Where an alert is
// newer than the newest of the look before, the dead letters are counted anew: an
// older count does not have those that it tells of, and would end it.
func (e *Engine) observe(ctx context.Context, newest *int64) (*alarm.State, error) {
	s := &alarm.State{Died: e.metrics.died.Load()}
	f := store.AlertFilter{Firing: true, Kinds: alarm.Kinds, Limit: store.PageLimit(1000)}
	for {
		rows, next, err := e.store.Alerts(ctx, f)
		if err != nil {
			return nil, failed("reading the alerts that fire", err)
		}
		s.Firing = append(s.Firing, rows...)
		if f.Cursor = next; next == "" {
			break
		}
	}
	last := *newest
	for i := range s.Firing {
		last = max(last, s.Firing[i].ID)
	}
	groups, err := e.groups.read(ctx, last > *newest)
	if err != nil {
		return nil, err
	}
	*newest = last
	for i := range groups {
		g := &groups[i]
		s.Groups = append(s.Groups, alarm.Group{
			Name: g.Group, Saga: g.Sample.SagaType, Step: g.Sample.StepName, Service: g.Sample.Service, Message: g.Sample.Error.Message,
			Open: g.Open, Replaying: g.Replaying, Oldest: g.Oldest, AtRisk: &g.AtRisk,
		})
	}
	queues, err := e.depths.recent(ctx)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(e.cfg.Participants))
	waiting := byService(queues)
	for _, name := range names {
		d := waiting[name]
		s.Queues = append(s.Queues, alarm.Queue{Service: name, Waiting: d.ready + d.backingOff, Oldest: d.oldest})
	}
	err = e.look(ctx, "asking the node for its lanes", func(m node.Moment) {
		for _, name := range names {
			s.Lanes = append(s.Lanes, e.alarmLane(m, unwind.Scope{Kind: unwind.ScopeForward, Name: name}, unwind.ForwardLane),
				e.alarmLane(m, unwind.Scope{Kind: unwind.ScopeCompensation, Name: name}, unwind.CompensationLane))
		}
	})
	s.Now = int64(e.clock.now())
	return s, err
}

func (e *Engine) alarmLane(m node.Moment, scope unwind.Scope, lane string) alarm.Lane {
	snap := e.node.Snapshot(m, scope)
	l := alarm.Lane{
		Service: scope.Name, Lane: lane, Held: snap.BreakerMode != flow.BreakerAuto,
		BreakerOpen: snap.Breaker == flow.BreakerTripped, BreakerClosed: snap.Breaker == flow.BreakerShut,
		GateUntil: snap.GateUntil / 1000, GateReason: snap.GateReason,
		Answers: snap.Answers, Throttled: snap.Throttled, Failed: snap.Failed,
	}
	if snap.Fault {
		l.Fault = snap.GateReason
	}
	if set, _ := e.node.Control(scope); set.Paused && snap.Paused && set.By == node.Guard {
		l.Guarded = set.Reason
	}
	return l
}

// stuckLook is how many alerts on sagas that are stuck one look goes after.
const stuckLook = 20

// moved returns the keys of alerts on sagas that were stuck and have moved since, or
// are gone. Each look goes after some of them, from the cursor on.
func (e *Engine) moved(ctx context.Context, cursor string) (keys []string, next string, err error) {
	rows, next, err := e.store.Alerts(ctx, store.AlertFilter{Firing: true, Kinds: []string{unwind.AlertStuck}, Cursor: cursor, Limit: stuckLook})
	if err != nil {
		return nil, cursor, failed("reading the alerts on what is stuck", err)
	}
	for i := range rows {
		if rows[i].Saga == (id.ID{}) {
			continue
		}
		saga, err := e.store.Load(ctx, rows[i].Saga)
		if errors.Is(err, store.ErrNotFound) || err == nil && (saga.UpdatedAt > rows[i].At || saga.Due == store.AtRest) {
			keys = append(keys, rows[i].Key)
		}
	}
	return keys, next, nil
}
