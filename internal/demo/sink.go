package demo

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/unwindhq/unwind/alert"
)

// A Sink receives alerts on loopback, as a service of somebody on call would: it
// takes a call only where its signature is good. It is safe for concurrent use.
type Sink struct {
	// URL and Secret are for the sender.
	URL, Secret string

	heard    func(alert.Payload)
	verifier *standardwebhooks.Webhook
	server   *http.Server
	served   chan error

	mu     sync.Mutex
	ids    map[string]bool
	firing map[string]string // kind, by the alert's key
	begun  map[string]bool   // kinds
	news   chan struct{}     // closed and made anew with each notice
}

// OpenSink listens until Close. heard is told of each notice once.
func OpenSink(ctx context.Context, heard func(alert.Payload)) (*Sink, error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // it never fails
	s := &Sink{
		Secret: "whsec_" + base64.StdEncoding.EncodeToString(secret), heard: heard, served: make(chan error, 1),
		ids: map[string]bool{}, firing: map[string]string{}, begun: map[string]bool{}, news: make(chan struct{}),
	}
	var err error
	if s.verifier, err = standardwebhooks.NewWebhook(s.Secret); err != nil {
		return nil, fmt.Errorf("demo: the sink's secret: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo: listening for alerts: %w", err)
	}
	s.URL = "http://" + listener.Addr().String() + "/alerts"
	mux := http.NewServeMux()
	mux.HandleFunc("POST /alerts", s.receive)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

func (s *Sink) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		err = s.verifier.Verify(body, r.Header)
	}
	if err != nil {
		refuse(w, http.StatusUnauthorized, "the alert is not taken: "+err.Error())
		return
	}
	var p alert.Payload
	if err := json.Unmarshal(body, &p); err != nil {
		refuse(w, http.StatusBadRequest, "the alert can't be read: "+err.Error())
		return
	}
	if s.first(r.Header.Get(standardwebhooks.HeaderWebhookID)) {
		s.heard(p) // before those who wait go on, and say what follows from it
		s.note(&p)
	}
}

// first tells whether the notice has not come before.
func (s *Sink) first(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids[id] {
		return false
	}
	s.ids[id] = true
	return true
}

// note takes a notice down, and wakes those who wait.
func (s *Sink) note(p *alert.Payload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasSuffix(p.Type, ".resolved") {
		delete(s.firing, p.Data.Key)
	} else {
		s.firing[p.Data.Key], s.begun[p.Data.Kind] = p.Data.Kind, true
	}
	close(s.news)
	s.news = make(chan struct{})
}

// Firing are the kinds of what fires, in order.
func (s *Sink) Firing() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Compact(slices.Sorted(maps.Values(s.firing)))
}

// WaitFor waits until alerts of all kinds have come.
func (s *Sink) WaitFor(ctx context.Context, kinds ...string) error {
	return s.wait(ctx, func() bool {
		for _, k := range kinds {
			if !s.begun[k] {
				return false
			}
		}
		return true
	})
}

// WaitEnd waits until no alert of the kinds fires any more.
func (s *Sink) WaitEnd(ctx context.Context, kinds ...string) error {
	return s.wait(ctx, func() bool {
		for _, firing := range s.firing {
			if slices.Contains(kinds, firing) {
				return false
			}
		}
		return true
	})
}

// wait waits for what is judged under the lock.
func (s *Sink) wait(ctx context.Context, so func() bool) error {
	for {
		s.mu.Lock()
		ok, news := so(), s.news
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close stops listening; what is being told is cut off.
func (s *Sink) Close() error {
	err := s.server.Close()
	if gone := <-s.served; !errors.Is(gone, http.ErrServerClosed) {
		err = errors.Join(err, gone)
	}
	return err
}
