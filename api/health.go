package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Health is what a healthy server says.
type Health struct {
	Status  string        `json:"status" enum:"ok"`
	Version string        `json:"version"`
	Checks  []HealthCheck `json:"checks,omitempty"`
}

// A HealthCheck is one thing that is well.
type HealthCheck struct {
	Name   string `json:"name"`
	Status string `json:"status" enum:"ok"`
}

// checkTime bounds what all readiness checks take.
const checkTime = 5 * time.Second

func healthRoutes() []route {
	ready := []answer{
		{status: http.StatusOK, text: "Ready", body: typeOf[Health]()},
		{status: http.StatusServiceUnavailable, text: "Not ready, and what is not", body: typeOf[Problem](), contentType: "application/problem+json"},
	}
	return []route{{
		key: "GET /livez", id: "live", tag: "health", summary: "See whether the process answers", text: "It touches nothing else.",
		serve: (*call).live, answers: ok[Health]("Alive"),
	}, {
		key: "GET /readyz", id: "ready", tag: "health", summary: "See whether sagas can be started",
		text:  "Asks the store and the engine, and names what is not ready.",
		serve: (*call).ready, answers: ready,
	}, {
		key: "GET /healthz", id: "health", tag: "health", summary: "The same as /readyz",
		text:  "For those who look here.",
		serve: (*call).ready, answers: ready,
	}, {
		key: "GET /openapi.json", id: "openapi", tag: "health", summary: "This document",
		text:    "OpenAPI 3.1, for programs.",
		serve:   func(c *call) error { c.write(http.StatusOK, "application/openapi+json", c.h.document); return nil },
		answers: []answer{{status: http.StatusOK, text: "The document", contentType: "application/openapi+json"}},
	}, {
		key: "GET /docs", id: "docs", tag: "health", summary: "This document as a page",
		text:    "Nothing is loaded from elsewhere, and there is no script.",
		serve:   (*call).showDocs,
		answers: []answer{{status: http.StatusOK, text: "The page", contentType: "text/html"}},
	}}
}

func (c *call) live() error {
	return c.answer(http.StatusOK, Health{Status: "ok", Version: c.h.cfg.Version})
}

func (c *call) ready() error {
	ctx, cancel := context.WithTimeout(c.r.Context(), checkTime)
	defer cancel()
	well := Health{Status: "ok", Version: c.h.cfg.Version}
	var names string
	var faults []ProblemFault
	for _, check := range c.h.cfg.Checks {
		err := check.Ready(ctx)
		if err == nil {
			well.Checks = append(well.Checks, HealthCheck{Name: check.Name, Status: "ok"})
			continue
		}
		if names != "" {
			names += ", "
		}
		names += check.Name
		message := "not ready"
		if c.who.role != "" {
			message = err.Error()
		}
		faults = append(faults, ProblemFault{Pointer: pointer(check.Name), Message: message})
	}
	if len(faults) == 0 {
		return c.answer(http.StatusOK, well)
	}
	return &refusal{
		status: http.StatusServiceUnavailable, code: "not-ready", title: "The server is not ready",
		detail: fmt.Sprintf("not ready: %s", names), header: [2]string{"Retry-After", "1"}, faults: faults,
	}
}

func metricsRoute(g prometheus.Gatherer) route {
	serve := promhttp.HandlerFor(g, promhttp.HandlerOpts{})
	return route{
		key: "GET /metrics", id: "metrics", tag: "health", summary: "Metrics for Prometheus",
		text:    "In base units, with labels of a bounded number.",
		serve:   func(c *call) error { serve.ServeHTTP(c.w, c.r); return nil },
		answers: []answer{{status: http.StatusOK, text: "The metrics", contentType: "text/plain"}},
	}
}
