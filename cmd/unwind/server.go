package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/alert"
	"github.com/unwindhq/unwind/api"
	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
	"github.com/unwindhq/unwind/store/sqlite"
)

// A server is everything that one process serves.
type server struct {
	engine   *engine.Engine
	handler  *api.Handler
	alerts   *alert.Sender
	listener net.Listener
	log      *slog.Logger
	stopping atomic.Bool
}

// grace is how long a stop waits for calls in flight.
const grace = 15 * time.Second

// openServer assembles a server: the address first, so that nothing is taken up
// that nobody could reach.
func openServer(ctx context.Context, cfg *config.Config, log *slog.Logger, hold bool) (*server, error) {
	tuneCollector()
	tokens := tokensOf(cfg)
	if err := api.CheckListen(cfg.Listen, tokens); err != nil {
		return nil, err
	}
	listener, err := listen(ctx, cfg.Listen)
	if err != nil {
		return nil, err
	}
	s := &server{listener: listener, log: log}
	st, err := openStore(ctx, cfg.Store)
	if err == nil {
		err = s.open(ctx, cfg, tokens, st, hold)
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return s, nil
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err // the rest repeats the address
	}
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w; stop what listens there, or choose another address with --listen", address, err)
	}
	return l, nil
}

// open assembles the server around a store, which is the server's from here on.
func (s *server) open(ctx context.Context, cfg *config.Config, tokens []api.Token, st store.Store, hold bool) (err error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	var defs []unwind.Definition
	for _, name := range slices.Sorted(maps.Keys(cfg.Sagas)) {
		d := cfg.Sagas[name]
		d.Name = name
		defs = append(defs, d)
	}
	s.engine, err = engine.Open(ctx, engine.Config{
		Store: st, Participants: cfg.Participants(), Definitions: defs,
		Compensation: unwind.Limits{Rate: cfg.Compensation.Rate, Concurrency: cfg.Compensation.Concurrency},
		MaxActive:    cfg.Limits.MaxActive, MaxActiveBytes: cfg.Limits.MaxActiveBytes, Metrics: registry, Logger: s.log, Hold: hold,
		Retention: cfg.Retention, KeyRetention: cfg.KeyRetention,
		AlertRules: cfg.Alerts.Rules(), AlertLinks: engine.AlertLinks(cfg.Alerts.Links),
	})
	if err != nil {
		return errors.Join(err, st.Close())
	}
	sinks := make([]alert.Sink, len(cfg.Alerts.Sinks))
	for i, k := range cfg.Alerts.Sinks {
		sinks[i] = sinkOf(k)
	}
	if s.alerts, err = alert.New(alert.Config{Source: s.engine, Sinks: sinks, Logger: s.log}); err == nil {
		checks := []api.Check{{Name: "store", Ready: s.storeWell}, {Name: "engine", Ready: s.running}}
		if hold {
			checks = append(checks, api.Check{Name: "held", Ready: s.unheld})
		}
		s.handler, err = api.New(api.Config{
			Service: s.engine, Tokens: tokens, Events: s.engine, Gatherer: registry, Logger: s.log, Version: versionText(),
			MaxStarts: cfg.Limits.MaxStarts, MaxBodyBytes: int64(cfg.Limits.MaxBodyBytes),
			Checks: checks,
		})
	}
	if err != nil {
		return errors.Join(err, s.closeEngine(ctx))
	}
	return nil
}

func (s *server) storeWell(ctx context.Context) error {
	if _, err := s.engine.Stats(ctx); err != nil {
		return err
	}
	return s.engine.Writable(ctx)
}

// sinkOf is a sink as the sender takes it.
func sinkOf(k config.Sink) alert.Sink {
	s := alert.Sink{AllowPrivate: k.AllowPrivate}
	switch {
	case !k.Slack.IsZero():
		s.Kind, s.URL = alert.Slack, k.Slack.Reveal()
	case !k.PagerDuty.IsZero():
		s.Kind, s.URL, s.Secret = alert.PagerDuty, k.URL, k.PagerDuty.Reveal()
	case k.Alertmanager != "":
		s.Kind, s.URL = alert.Alertmanager, k.Alertmanager
	default:
		s.Kind, s.URL, s.Secret = alert.Webhook, k.Webhook, k.Secret.Reveal()
	}
	return s
}

// running tells those who send requests here to go elsewhere, once it stops.
func (s *server) running(context.Context) error {
	if s.stopping.Load() {
		return errors.New("it is stopping")
	}
	return s.engine.Running()
}

// unheld says that and how the server is to be released.
func (s *server) unheld(context.Context) error {
	if s.engine.OnHold() {
		return errors.New("the server is on hold and calls nobody: compare with the services (unwind reconcile), then let it go on with unwind release --reason …")
	}
	return nil
}

func tokensOf(cfg *config.Config) []api.Token {
	if cfg.Auth == nil {
		return nil
	}
	tokens := make([]api.Token, len(cfg.Auth.Tokens))
	for i, t := range cfg.Auth.Tokens {
		tokens[i] = api.Token{Name: t.Name, Role: api.Role(t.Role), Secret: t.Token.Reveal()}
	}
	return tokens
}

func openStore(ctx context.Context, text string) (store.Store, error) {
	where, err := config.ParseStore(text)
	if err != nil {
		return nil, err
	}
	if where.Kind == "memory" {
		return memory.New(), nil
	}
	return sqlite.Open(ctx, sqlite.Config{Path: where.Path})
}

// url is where the server can be reached from this machine.
func (s *server) url() string { return "http://" + s.listener.Addr().String() }

// run serves until ctx ends or the engine can't go on, and then stops cleanly.
func (s *server) run(ctx context.Context) error {
	web := api.Server(s.handler)
	served := make(chan error, 1)
	go func() { served <- web.Serve(s.listener) }()
	alerting, stopAlerts := context.WithCancel(context.WithoutCancel(ctx))
	alerted := make(chan struct{})
	go func() { defer close(alerted); s.alerts.Run(alerting) }()

	var failure error
	select {
	case <-ctx.Done():
	case <-s.engine.Done():
		failure = explain(s.engine.Err())
	case failure = <-served:
	}
	s.stopping.Store(true)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	stopAlerts() // before the store is closed; what is not told yet is at the next start
	<-alerted
	s.handler.Close()
	s.engine.Drain()
	if failure == nil { // and only now no start is taken any more
		s.log.Info("stopping: no new sagas; the calls in flight are awaited", "at_most", grace)
	}
	engineErr := s.engine.Close(stopping)
	if err := web.Shutdown(stopping); err != nil {
		_ = web.Close()
	}
	return errors.Join(failure, engineErr)
}

// explain says what to do about an engine that stopped by itself.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrFenced):
		return fmt.Errorf("the server has stopped by itself: %w; sagas go on there: run one server per store, and stop that one before this one is started again", err)
	}
	return fmt.Errorf("the server has stopped by itself: %w; what was acknowledged is kept, and unfinished sagas go on at the next start", err)
}

func (s *server) closeEngine(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return s.engine.Close(ctx)
}
