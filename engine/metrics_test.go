package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

// sample returns the value of the metric that has all of these labels; -1: there is none yet.
func sample(t *testing.T, reg *prometheus.Registry, name string, labels ...string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if has(m, labels) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return -1
}

func has(m *dto.Metric, labels []string) bool {
	text := m.String()
	for _, l := range labels {
		if !strings.Contains(text, `value:"`+l+`"`) {
			return false
		}
	}
	return true
}

// The figures are those that the contract names, and count what happened.
func TestMetricsSayWhatHappened(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := newStage(t, placeOrder(), "ship:409", func(cfg *engine.Config) { cfg.Metrics = reg })
	if _, err := s.Control(t.Context(), refundLane(true, "the bank is closed")); err != nil {
		t.Fatal(err)
	}
	waiting := s.begin("waits")
	s.until("the refund waits", func() bool {
		inst, err := s.Get(t.Context(), waiting)
		return err == nil && inst.Steps[1].Compensation.Status == unwind.CompensationQueued
	})
	s.until("it is counted", func() bool { return sample(t, reg, "unwind_compensation_queue_depth", "payments", "ready") == 1 })
	if age := sample(t, reg, "unwind_compensation_oldest_seconds", "payments"); age <= 0 {
		t.Errorf("the oldest compensation has waited for %v s", age)
	}
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"unwind_active_sagas", nil, 1},
		{"unwind_lane_closed", []string{"payments", "compensation"}, 1},
		{"unwind_lane_closed", []string{"payments", "action"}, 0},
		{"unwind_breaker_state", []string{"payments"}, 0},
		{"unwind_calls_in_flight", []string{"payments", "compensation"}, 0},
	} {
		if got := sample(t, reg, c.name, c.labels...); got != c.want {
			t.Errorf("%s %v is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	if _, err := s.Control(t.Context(), refundLane(false, "the bank is open")); err != nil {
		t.Fatal(err)
	}
	s.rest(waiting)
	for _, c := range []struct {
		name   string
		labels []string
	}{
		{"unwind_sagas_started_total", nil},
		{"unwind_sagas_ended_total", []string{"place-order", "compensated"}},
		{"unwind_saga_duration_seconds", []string{"place-order", "compensated"}},
		{"unwind_calls_total", []string{"payments", "compensation", "done"}},
		{"unwind_call_duration_seconds", []string{"payments", "compensation"}},
	} {
		// What is durable can be read before the node hears of it and counts.
		s.until(fmt.Sprintf("%s %v is not 1", c.name, c.labels), func() bool { return sample(t, reg, c.name, c.labels...) == 1 })
	}
	if sample(t, reg, "unwind_commit_batch_size") <= 0 || sample(t, reg, "unwind_commit_duration_seconds") <= 0 {
		t.Error("no commit was counted")
	}
	s.crash() // the next engine takes the registry over
	if got := sample(t, reg, "unwind_active_sagas"); got != 0 {
		t.Errorf("%v sagas are active after all is done and the engine was opened anew", got)
	}
}
