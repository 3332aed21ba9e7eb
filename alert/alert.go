// Package alert delivers alerts to webhooks, each at least once and oldest
// first. An alert is stored with what caused it, in the same transaction; it
// stays pending until every sink has acknowledged it, over crashes and restarts.
// A receiver tells repetitions by their webhook-id, which no two alerts share,
// not even of two servers.
package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/unwindhq/unwind"
)

// A Source holds alerts until they are delivered. *engine.Engine is one.
type Source interface {
	// PendingAlerts returns the oldest alerts that are not delivered.
	PendingAlerts(ctx context.Context, limit int) ([]unwind.Alert, error)
	// AlertsDelivered records that alerts are delivered.
	AlertsDelivered(ctx context.Context, ids []string) error
}

// A Sink is a webhook that takes alerts.
type Sink struct {
	// URL is called by POST; any 2xx acknowledges.
	URL string
	// Secret signs the call (Standard Webhooks: "whsec_" and base64). It is shown nowhere.
	Secret string
}

// Config of a Sender.
type Config struct {
	// Source of the alerts. Required.
	Source Source
	// Sinks take each alert. Without any, alerts go to the log, which counts as
	// delivery.
	Sinks []Sink
	// Poll is how often the source is asked. Defaults to 500ms.
	Poll time.Duration
	// Timeout of one call. Defaults to 10s.
	Timeout time.Duration
	// Client makes the calls. Defaults to one that follows no redirect.
	Client *http.Client
	// Logger defaults to slog.Default.
	Logger *slog.Logger
}

// A Sender delivers alerts. Make one with New, then Run it.
type Sender struct {
	cfg   Config
	sinks []*sink
}

// A sink is a webhook with what it has acknowledged of the alerts that others
// have not.
type sink struct {
	url     string
	signer  *standardwebhooks.Webhook
	acked   map[string]bool
	blocked time.Time // no call before
	wait    time.Duration
}

// batch is how many alerts are read at once, beside those that wait for a sink
// that fails: of these, at most behind.
const (
	batch  = 100
	behind = 10_000
)

// Bounds of the wait between calls to a sink that fails.
const (
	waitStart = time.Second
	waitMost  = time.Minute
)

// New returns a Sender; a secret that can't sign is an error.
func New(cfg Config) (*Sender, error) {
	if cfg.Poll == 0 {
		cfg.Poll = 500 * time.Millisecond
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &Sender{cfg: cfg}
	for i, c := range cfg.Sinks {
		signer, err := standardwebhooks.NewWebhook(c.Secret)
		if err != nil {
			return nil, fmt.Errorf("setting up alert sink %d (%s): its secret can't be used to sign: %w; make one with: echo whsec_$(openssl rand -base64 32)", i+1, place(c.URL), err)
		}
		s.sinks = append(s.sinks, &sink{url: c.URL, signer: signer, acked: map[string]bool{}})
	}
	return s, nil
}

// Run delivers until ctx ends. Failures are logged and tried again.
func (s *Sender) Run(ctx context.Context) {
	ticker := time.NewTicker(s.cfg.Poll)
	defer ticker.Stop()
	for {
		for s.round(ctx) {
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// round delivers one batch; true: there may be more that can be delivered now.
func (s *Sender) round(ctx context.Context) bool {
	limit := batch + s.waiting()
	alerts, err := s.cfg.Source.PendingAlerts(ctx, limit)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			s.cfg.Logger.Error("reading the alerts to be delivered", "error", err)
		}
		return false
	}
	var delivered []string
	for i := range alerts {
		if s.deliver(ctx, &alerts[i]) {
			delivered = append(delivered, alerts[i].ID)
		}
	}
	if len(delivered) == 0 {
		return false
	}
	if err := s.cfg.Source.AlertsDelivered(ctx, delivered); err != nil {
		s.cfg.Logger.Error("recording that alerts were delivered; they will be sent again", "alerts", len(delivered), "error", err)
		return false
	}
	for _, id := range delivered {
		for _, k := range s.sinks {
			delete(k.acked, id)
		}
	}
	return len(alerts) == limit
}

// waiting counts the alerts that one sink has and another lacks: newer ones must
// not wait behind them.
func (s *Sender) waiting() (n int) {
	for _, k := range s.sinks {
		n = max(n, len(k.acked))
	}
	return min(n, behind)
}

// deliver gives an alert to every sink that has not acknowledged it; true: all have.
func (s *Sender) deliver(ctx context.Context, a *unwind.Alert) bool {
	if len(s.sinks) == 0 {
		s.cfg.Logger.Warn("alert", "kind", a.Kind, "service", a.Service, "saga", a.SagaID, "message", a.Message)
		return true
	}
	all := true
	for _, k := range s.sinks {
		if k.acked[a.ID] {
			continue
		}
		if time.Now().Before(k.blocked) || ctx.Err() != nil {
			all = false
			continue
		}
		if err := s.send(ctx, k, a); err != nil {
			all = false
			k.wait = min(max(2*k.wait, waitStart), waitMost)
			k.blocked = time.Now().Add(k.wait)
			s.cfg.Logger.Error("delivering an alert; it will be tried again", "sink", place(k.url), "alert", a.ID, "again_in", k.wait, "error", err)
			continue
		}
		k.acked[a.ID], k.wait = true, 0
	}
	return all
}
