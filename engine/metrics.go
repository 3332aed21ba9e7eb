package engine

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// metrics are the engine's Prometheus metrics, in base units.
type metrics struct {
	started        prometheus.Counter
	ended          *prometheus.CounterVec
	duration       *prometheus.HistogramVec
	calls          *prometheus.CounterVec
	callDuration   *prometheus.HistogramVec
	batchSize      prometheus.Histogram
	commitDuration prometheus.Histogram
	commitErrors   prometheus.Counter
	deadLetters    *prometheus.CounterVec
	died           atomic.Int64 // dead letters opened
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		started:        prometheus.NewCounter(prometheus.CounterOpts{Name: "unwind_sagas_started_total", Help: "Sagas begun."}),
		ended:          prometheus.NewCounterVec(prometheus.CounterOpts{Name: "unwind_sagas_ended_total", Help: "Sagas come to rest, by status."}, []string{"saga", "status"}),
		duration:       prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "unwind_saga_duration_seconds", Help: "Time from the start of a saga to its rest.", Buckets: prometheus.ExponentialBuckets(0.005, 4, 12)}, []string{"saga", "status"}),
		calls:          prometheus.NewCounterVec(prometheus.CounterOpts{Name: "unwind_calls_total", Help: "Calls ended, by what they came to."}, []string{"service", "direction", "outcome"}),
		callDuration:   prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "unwind_call_duration_seconds", Help: "Time from sending a call to its answer.", Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 12)}, []string{"service", "direction"}),
		batchSize:      prometheus.NewHistogram(prometheus.HistogramOpts{Name: "unwind_commit_batch_size", Help: "Transitions per commit.", Buckets: prometheus.ExponentialBuckets(1, 2, 14)}),
		commitDuration: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "unwind_commit_duration_seconds", Help: "Time of a commit.", Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 12)}),
		commitErrors:   prometheus.NewCounter(prometheus.CounterOpts{Name: "unwind_commit_errors_total", Help: "Commits that failed."}),
		deadLetters:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "unwind_dead_letters_opened_total", Help: "Dead letters opened."}, []string{"saga", "service"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.started, m.ended, m.duration, m.calls, m.callDuration, m.batchSize, m.commitDuration, m.commitErrors, m.deadLetters} {
		if err := reg.Register(c); err != nil && !errors.As(err, new(prometheus.AlreadyRegisteredError)) {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) committed(b *store.Batch, results []store.Result, err error, took time.Duration) {
	if err != nil {
		m.commitErrors.Inc()
		return
	}
	m.batchSize.Observe(float64(len(b.Transitions)))
	m.commitDuration.Observe(took.Seconds())
	for i := range b.Transitions {
		t := &b.Transitions[i]
		if results[i].Outcome != store.Committed {
			continue
		}
		for k := range t.DeadLetters {
			if d := t.DeadLetters[k].Open; d != nil {
				m.deadLetters.WithLabelValues(d.SagaType, d.Service).Inc()
				m.died.Add(1)
			}
		}
	}
}

func (m *metrics) rested(r *node.Rest) {
	status := r.Phase.String()
	m.ended.WithLabelValues(r.Name, status).Inc()
	m.duration.WithLabelValues(r.Name, status).Observe(float64(r.Took) / 1e6)
}

func (m *metrics) called(c *node.Call, a *machine.Answer, took time.Duration) {
	pc := c.Plan.Call(c.Step, c.Dir)
	outcome := string(a.Class(pc.Call.Async))
	if outcome == "" {
		outcome = "done"
	}
	m.calls.WithLabelValues(pc.Service, string(c.Dir), outcome).Inc()
	m.callDuration.WithLabelValues(pc.Service, string(c.Dir)).Observe(took.Seconds())
}
