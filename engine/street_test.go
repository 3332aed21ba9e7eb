package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

// A street has two services, payments and shop, in a bubble with a clock of its own.
type street struct {
	*Engine
	t  *testing.T
	mu sync.Mutex
	// answers are statuses by path, with a Retry-After in seconds as in 503+5; 200
	// where none is given.
	answers map[string]string
	takes   time.Duration // of each call
}

func (s *street) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	s.mu.Lock()
	answer, takes := s.answers[r.URL.Path], s.takes
	s.mu.Unlock()
	pass(takes)
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}
	status, hint, _ := strings.Cut(answer, "+")
	if status != "" {
		if _, err := fmt.Sscan(status, &resp.StatusCode); err != nil {
			return nil, err
		}
	}
	if hint != "" {
		resp.Header.Set("Retry-After", hint)
	}
	return resp, nil
}

// answer sets what a path is answered from now on.
func (s *street) answer(path, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = answer
}

// pass lets the bubble's time go by.
func pass(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // the bubble's clock

// inBubble runs a test in a street.
func inBubble(t *testing.T, payments unwind.Participant, test func(*street)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &street{t: t, answers: map[string]string{}}
		s.open(memory.New(), payments)
		test(s)
		s.close()
	})
}

func (s *street) open(st store.Store, payments unwind.Participant) {
	s.t.Helper()
	payments.URL = "http://127.0.0.1:9101"
	step := func(name, service, undo string) unwind.Step {
		return unwind.Step{Name: name, Action: &unwind.Call{Service: service, Path: "/" + name}, Compensation: &unwind.Call{Service: service, Path: "/" + undo}}
	}
	retry := &unwind.Retry{Initial: 100 * unwind.Millisecond, Max: unwind.Second, Attempts: 100}
	var err error
	s.Engine, err = Open(s.t.Context(), Config{
		Store: st, Logger: slog.New(slog.DiscardHandler), Transport: s,
		Participants: map[string]unwind.Participant{"payments": payments, "shop": {URL: "http://127.0.0.1:9102"}},
		Definitions:  []unwind.Definition{{Name: "order", Retry: retry, Steps: []unwind.Step{step("charge", "payments", "refund"), step("ship", "shop", "cancel")}}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *street) close() {
	s.t.Helper()
	if err := s.Close(s.t.Context()); err != nil {
		s.t.Error(err)
	}
}

func (s *street) start(n int) {
	s.t.Helper()
	for range n {
		if _, _, err := s.Start(s.t.Context(), unwind.StartRequest{Saga: "order"}); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *street) control(scope unwind.ScopeKind, service string, req unwind.ControlRequest) {
	s.t.Helper()
	req.Scope, req.Reason, req.Actor = unwind.Scope{Kind: scope, Name: service}, "they asked", "ops"
	if _, err := s.Control(s.t.Context(), req); err != nil {
		s.t.Fatal(err)
	}
}

func (s *street) pause(scope unwind.ScopeKind, service string, paused bool) {
	s.t.Helper()
	s.control(scope, service, unwind.ControlRequest{Paused: &paused})
}

func (s *street) breaker(mode unwind.BreakerMode) {
	s.t.Helper()
	s.control(unwind.ScopeForward, "payments", unwind.ControlRequest{Breaker: &mode})
}

// stands is how the services stand, as they are asked for.
func (s *street) stands() map[string]unwind.ServiceState {
	s.t.Helper()
	states, err := s.Participants(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	all := map[string]unwind.ServiceState{}
	for i := range states {
		all[states[i].Name] = states[i]
	}
	return all
}

// A viewer follows the events of services.
type viewer struct {
	mu   sync.Mutex
	seen []sight
	end  func()
}

// A sight is a service that the stream told of.
type sight struct {
	at     time.Time
	cursor string
	state  unwind.ServiceState
}

// view opens a stream.
func (s *street) view() *viewer {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	v, done := &viewer{}, make(chan struct{})
	v.end = func() { cancel(); <-done }
	go func() {
		defer close(done)
		for cursor := ""; ; {
			seen, next, err := s.read(ctx, cursor, 100)
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					s.t.Error(err)
				}
				return
			}
			cursor = next
			v.mu.Lock()
			v.seen = append(v.seen, seen...)
			v.mu.Unlock()
		}
	}()
	return v
}

// read reads events once, and returns those of services.
func (s *street) read(ctx context.Context, cursor string, limit int) (seen []sight, next string, err error) {
	events, next, err := s.Events(ctx, cursor, limit)
	for i := range events {
		if events[i].Kind != unwind.EventService {
			continue
		}
		see := sight{at: time.Now(), cursor: events[i].Cursor}
		if err := json.Unmarshal(events[i].Data, &see.state); err != nil {
			return nil, "", err
		}
		seen = append(seen, see)
	}
	return seen, next, err
}

func (v *viewer) all() []sight {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.seen)
}
