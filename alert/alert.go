// Package alert tells sinks of alerts and of their ends: webhooks, Slack,
// PagerDuty and Alertmanager.
//
// An alert is stored with what caused it, in the same transaction. Each sink is
// told of each notice at least once and in their order, over crashes and restarts:
// the store keeps what it has acknowledged. Sinks do not wait for each other. A
// receiver tells repetitions by an id that no two notices share, not even of two
// servers.
package alert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

// A Source keeps notices until every sink has them. *engine.Engine is one.
type Source interface {
	// AlertSinks says which sinks there are.
	AlertSinks(ctx context.Context, sinks []string) error
	// PendingAlerts returns the oldest notices that a sink has not acknowledged.
	PendingAlerts(ctx context.Context, sink string, limit int) ([]engine.Notice, error)
	// AlertsDelivered records that a sink has acknowledged every notice up to a Seq.
	AlertsDelivered(ctx context.Context, sink string, upTo int64) error
	// Alerts lists alerts.
	Alerts(ctx context.Context, f unwind.AlertFilter) (unwind.List[unwind.Alert], error)
}

// A Kind says what a sink speaks.
type Kind string

// The kinds of sinks.
const (
	// Webhook takes signed calls (https://www.standardwebhooks.com).
	Webhook Kind = "webhook"
	// Slack is an incoming webhook of Slack, or of what understands its messages.
	Slack Kind = "slack"
	// PagerDuty takes version 2 of its events.
	PagerDuty Kind = "pagerduty"
	// Alertmanager takes version 2 of its API.
	Alertmanager Kind = "alertmanager"
)

// DefaultPagerDuty is where PagerDuty takes events.
const DefaultPagerDuty = "https://events.pagerduty.com/v2/enqueue"

// A Sink is told of alerts.
type Sink struct {
	Kind Kind
	// URL is called by POST; any 2xx acknowledges. Alertmanager's is its base.
	// Defaults to DefaultPagerDuty for PagerDuty.
	URL string
	// Secret signs a webhook's calls ("whsec_" and base64); of PagerDuty it is the
	// routing key. It is shown nowhere.
	Secret string
	// AllowPrivate lets the name in the URL resolve to private addresses.
	AllowPrivate bool
}

// Config of a Sender.
type Config struct {
	// Source of the alerts. Required.
	Source Source
	// Sinks take each alert. Without any, alerts go to the log, which counts as
	// delivery.
	Sinks []Sink
	// Name says to sinks where an alert comes from. Defaults to the host's name.
	Name string
	// Poll is how often the source is asked. Defaults to 500ms.
	Poll time.Duration
	// Timeout of one call. Defaults to 10s.
	Timeout time.Duration
	// Refresh is how often Alertmanager is told what fires. Defaults to 1m.
	Refresh time.Duration
	// Wait before a call that failed is made again: it doubles from the first to the
	// second value. Defaults to 1s and 1m.
	Wait, MaxWait time.Duration
	// Logger defaults to slog.Default.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	setDefault(&c.Poll, 500*time.Millisecond)
	setDefault(&c.Timeout, 10*time.Second)
	setDefault(&c.Refresh, time.Minute)
	setDefault(&c.Wait, time.Second)
	setDefault(&c.MaxWait, max(time.Minute, c.Wait+1))
	if c.Name == "" {
		c.Name, _ = os.Hostname()
	}
	setDefault(&c.Name, "unwind")
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// A speaker turns a notice into the call that tells a sink of it.
type speaker interface {
	say(n *engine.Notice) (*message, error)
}

// A message is the body of a call, and headers of its own.
type message struct {
	body   []byte
	header http.Header
}

// New returns a Sender; a sink that can't be told anything is an error.
func New(cfg Config) (*Sender, error) {
	cfg = cfg.withDefaults()
	s := &Sender{cfg: cfg}
	for i, c := range cfg.Sinks {
		k, err := newSink(&cfg, c)
		if err != nil {
			return nil, fmt.Errorf("setting up alert sink %d (%s): %w", i+1, place(c.URL), err)
		}
		s.sinks = append(s.sinks, k)
	}
	if len(s.sinks) == 0 {
		s.sinks = []*sink{{name: "log"}}
	}
	return s, nil
}

func newSink(cfg *Config, c Sink) (*sink, error) {
	if c.Kind == PagerDuty && c.URL == "" {
		c.URL = DefaultPagerDuty
	}
	k := &sink{name: name(&c), url: c.URL, place: string(c.Kind) + " " + place(c.URL)}
	switch c.Kind {
	case Webhook:
		signer, err := standardwebhooks.NewWebhook(c.Secret)
		if err != nil {
			return nil, fmt.Errorf("its secret can't be used to sign: %w; make one with: echo whsec_$(openssl rand -base64 32)", err)
		}
		k.speaker = &webhook{signer}
	case Slack:
		k.speaker = slack{}
	case PagerDuty:
		k.speaker = &pagerDuty{c.Secret, cfg.Name}
	case Alertmanager:
		k.url = strings.TrimSuffix(c.URL, "/") + "/api/v2/alerts"
		manager := &alertmanager{cfg.Name, 5 * cfg.Refresh}
		k.speaker, k.refresh = manager, manager
	default:
		return nil, fmt.Errorf("there is no kind of sink %q; use webhook, slack, pagerduty or alertmanager", c.Kind)
	}
	k.client = &http.Client{
		Transport:     engine.NewTransport(unwind.Participant{URL: c.URL, Timeout: unwind.Duration(cfg.Timeout), AllowPrivate: c.AllowPrivate}),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return k, nil
}

// name is what the store knows a sink by. It shows nothing that is secret.
func name(c *Sink) string {
	of := sha256.Sum256([]byte(c.URL))
	if c.Kind == PagerDuty {
		of = sha256.Sum256([]byte(c.URL + " " + c.Secret))
	}
	return string(c.Kind) + "-" + hex.EncodeToString(of[:8])
}

// place is an address without what may be secret in it: user, path and query.
func place(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that can't be read"
	}
	return u.Scheme + "://" + u.Host
}
