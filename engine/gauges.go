package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// gauges are metrics that are read when they are asked for.
type gauges struct {
	e *Engine

	active, orders, inFlight *prometheus.Desc
	depth, oldest            *prometheus.Desc
	limit, slots             *prometheus.Desc
	breaker, gated           *prometheus.Desc
	dead                     *prometheus.Desc
}

func newGauges(e *Engine) *gauges {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("unwind_"+name, help, labels, nil)
	}
	return &gauges{
		e:        e,
		active:   desc("active_sagas", "Sagas in memory."),
		orders:   desc("orders", "Calls that are queued or out, in memory."),
		inFlight: desc("calls_in_flight", "Calls that are out.", "service", "direction"),
		depth:    desc("compensation_queue_depth", "Compensations that wait, by whether they are due.", "service", "state"),
		oldest:   desc("compensation_oldest_seconds", "Age of the oldest compensation that waits; 0: none does.", "service"),
		limit:    desc("limit_rate", "Rate of a scope in calls per second; no sample: it has none.", "scope", "name", "kind"),
		slots:    desc("lane_concurrency", "Calls in flight that a lane bears, as it has found; no sample: it is not adaptive.", "service", "direction"),
		breaker:  desc("breaker_state", "Breaker of a service's compensation lane: 0 closed, 1 half-open, 2 open.", "service"),
		dead:     desc("dead_letters", "Dead letters that are open.", "saga", "service"),
		gated:    desc("lane_closed", "1 while a lane's gate is closed or it is paused.", "service", "direction"),
	}
}

// register adds the gauges to the registry, until unregister.
func (e *Engine) register() error {
	if e.cfg.Metrics == nil {
		return nil
	}
	e.gauges = newGauges(e)
	if err := e.cfg.Metrics.Register(e.gauges); err != nil {
		return fmt.Errorf("registering the gauges (is another engine open on the same registry?): %w", err)
	}
	return nil
}

func (e *Engine) unregister() {
	if e.gauges != nil {
		e.cfg.Metrics.Unregister(e.gauges)
	}
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.active, g.orders, g.inFlight, g.depth, g.oldest, g.limit, g.slots, g.breaker, g.gated, g.dead} {
		ch <- d
	}
}

// gaugesPatience is how long a scrape waits for the node and the store.
const gaugesPatience = 5 * time.Second

// Collect implements prometheus.Collector. What can't be read has no sample.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(g.e.ctx, gaugesPatience)
	defer cancel()
	sample := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	names := slices.Sorted(maps.Keys(g.e.cfg.Participants))
	if rows, err := g.e.depths.recent(ctx); err == nil {
		now, waiting := int64(g.e.clock.now()), byService(rows)
		for _, name := range names {
			d, age := waiting[name], 0.0
			if d.oldest > 0 {
				age = max(float64(now-d.oldest)/1e6, 0)
			}
			sample(g.depth, float64(d.ready), name, "ready")
			sample(g.depth, float64(d.backingOff), name, "backing_off")
			sample(g.oldest, age, name)
		}
	}
	if rows, err := g.e.groups.recent(ctx); err == nil {
		for of, n := range openBySaga(rows) {
			sample(g.dead, float64(n), of.saga, of.service)
		}
	}
	var states []unwind.ScopeState
	var active, orders int
	if err := g.e.look(ctx, "asking the node for its figures", func(m node.Moment) {
		active, orders = g.e.node.Active(), g.e.node.Orders()
		states = make([]unwind.ScopeState, 0, 2*len(names)+1)
		for _, scope := range g.e.node.Scopes() {
			if scope.Kind != unwind.ScopeTenant { // tenants are many
				states = append(states, g.e.scope(m, scope))
			}
		}
	}); err != nil {
		return
	}
	sample(g.active, float64(active))
	sample(g.orders, float64(orders))
	for i := range states {
		g.scope(sample, &states[i])
	}
}

var breakerStates = map[string]float64{"closed": 0, "half_open": 1, "open": 2}

func (g *gauges) scope(sample func(*prometheus.Desc, float64, ...string), s *unwind.ScopeState) {
	kind, name, st := string(s.Scope.Kind), s.Scope.Name, &s.State
	for label, rate := range map[string]*float64{"configured": st.Rate.Configured, "adaptive": st.Rate.Adaptive, "effective": st.Rate.Effective} {
		if rate != nil {
			sample(g.limit, *rate, kind, name, label)
		}
	}
	direction := string(unwind.Compensation)
	switch s.Scope.Kind {
	case unwind.ScopeForward:
		direction = string(unwind.Action)
	case unwind.ScopeCompensation:
		sample(g.breaker, breakerStates[st.Breaker.State], name)
	default:
		return
	}
	closed := 0.0
	if st.Gate != nil || st.Paused != nil {
		closed = 1
	}
	sample(g.inFlight, float64(st.InFlight), name, direction)
	if n := st.AdaptiveConcurrency; n != nil {
		sample(g.slots, float64(*n), name, direction)
	}
	sample(g.gated, closed, name, direction)
}

type sagaAndService struct{ saga, service string }

// openBySaga counts open dead letters. What was handled to the end counts as 0, so
// that a series does not end at its last count.
func openBySaga(rows []store.DeadLetterGroup) map[sagaAndService]int64 {
	open := map[sagaAndService]int64{}
	for i := range rows {
		open[sagaAndService{rows[i].Sample.SagaType, rows[i].Sample.Service}] += rows[i].Open
	}
	return open
}
