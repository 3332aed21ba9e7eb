package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/api"
	"github.com/unwindhq/unwind/client"
)

// A script answers one request after the other; the last answer is repeated.
func script(t *testing.T, cfg client.Config, answers ...http.HandlerFunc) (c *client.Client, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(asked.Add(1))
		answers[min(n, len(answers))-1](w, r)
	}))
	cfg.URL = s.URL
	if cfg.Backoff == 0 {
		cfg.Backoff = unwind.Millisecond
	}
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	return c, asked
}

func says(status int, kind, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func problem(code string, status int, headers ...string) http.HandlerFunc {
	return says(status, "application/problem+json", fmt.Sprintf(`{"type":"urn:unwind:problem:%s","status":%d,"detail":"no","request_id":"r-1"}`, code, status), headers...)
}

// cut breaks the connection in the middle of an answer.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"id":`)
	panic(http.ErrAbortHandler)
}

var started = says(201, "application/json", `{"id":"01932e07-7b0c-7000-8000-000000000000","status":"completed"}`)

func TestOnlyWhatIsSafeIsSentAgain(t *testing.T) {
	keyed, keyless := unwind.StartRequest{Saga: "order", Key: "k"}, unwind.StartRequest{Saga: "order"}
	start := func(req unwind.StartRequest) func(*client.Client, context.Context) error {
		return func(c *client.Client, ctx context.Context) error { _, _, err := c.Start(ctx, req); return err }
	}
	get := func(c *client.Client, ctx context.Context) error { _, err := c.Get(ctx, "x"); return err }
	cancel := func(c *client.Client, ctx context.Context) error {
		_, err := c.Cancel(ctx, "x", unwind.CancelRequest{})
		return err
	}
	for _, tc := range []struct {
		name  string
		call  func(*client.Client, context.Context) error
		first http.HandlerFunc
		again bool
	}{
		{"a start with a key, overloaded", start(keyed), problem("overloaded", 429), true},
		{"a start with a key, no store", start(keyed), problem("store-unavailable", 503), true},
		{"a start with a key, cut off", start(keyed), cut, true},
		{"a start with a key, a proxy's word", start(keyed), says(502, "text/html", "bad gateway"), true},
		{"a start with a key, refused", start(keyed), problem("key-reused", 422), false},
		{"a start with a key, a fault inside", start(keyed), problem("internal", 500), false},
		{"a start without a key, cut off", start(keyless), cut, false},
		{"a start without a key, no store", start(keyless), problem("store-unavailable", 503), false},
		{"a read, cut off", get, cut, true},
		{"a read, not found", get, problem("not-found", 404), false},
		{"a cancel, cut off", cancel, cut, false},
		{"a cancel, overloaded", cancel, problem("overloaded", 429), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, asked := script(t, client.Config{}, tc.first, started)
			err := tc.call(c, t.Context())
			want := int64(1)
			if tc.again {
				want = 2
			}
			if asked.Load() != want || (err == nil) != tc.again {
				t.Errorf("it was sent %d times, want %d; error %v", asked.Load(), want, err)
			}
		})
	}
}

func TestSendingAgainIsBounded(t *testing.T) {
	c, asked := script(t, client.Config{Attempts: 3}, problem("overloaded", 429))
	if _, err := c.Get(t.Context(), "x"); unwind.CodeOf(err) != unwind.Overloaded || asked.Load() != 3 {
		t.Errorf("it was sent %d times, error %v", asked.Load(), err)
	}
	// A wait that the context does not allow is not begun.
	c, asked = script(t, client.Config{}, problem("overloaded", 429, "Retry-After: 3600"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	begin := time.Now()
	_, err := c.Get(ctx, "x")
	var u *unwind.Error
	if !errors.As(err, &u) || u.RetryAfter != unwind.Hour || u.RequestID != "r-1" || asked.Load() != 1 || time.Since(begin) > 30*time.Second {
		t.Errorf("it was sent %d times, error %+v", asked.Load(), err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	c, _ = script(t, client.Config{}, func(w http.ResponseWriter, r *http.Request) {
		problem("overloaded", 429, "Retry-After: 60")(w, r)
		cancel()
	})
	if _, err := c.Get(ctx, "x"); err == nil {
		t.Error("a cancelled request came to something")
	}
}

func TestEveryErrorHasACode(t *testing.T) {
	for _, tc := range []struct {
		answer http.HandlerFunc
		code   unwind.Code
	}{
		{problem("conflict", 409), unwind.Conflict},
		{problem("past-pivot", 409), unwind.PastPivot},
		{problem("method-not-allowed", 405), unwind.InvalidRequest},
		{problem("of-the-future", 409), unwind.Conflict},
		{says(404, "text/plain", "404 page not found"), unwind.NotFound},
		{says(401, "text/html", "<h1>who?</h1>"), unwind.Unauthenticated},
		{says(301, "text/html", "", "Location: https://elsewhere.example/"), unwind.Internal},
		{says(500, "application/problem+json", "{"), unwind.Internal},
		{says(200, "text/html", "<h1>Welcome</h1>"), unwind.Internal},
		{says(200, "application/json", `{"id":5}`), unwind.Internal},
		{cut, unwind.Unreachable},
	} {
		c, _ := script(t, client.Config{Attempts: 1}, tc.answer)
		_, err := c.Get(t.Context(), "x")
		var u *unwind.Error
		if !errors.As(err, &u) || u.Code != tc.code || u.Message == "" {
			t.Errorf("got %v with code %q, want %q", err, unwind.CodeOf(err), tc.code)
		}
	}
	c, err := client.New(client.Config{URL: "http://127.0.0.1:1", Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Stats(t.Context()); unwind.CodeOf(err) != unwind.Unreachable {
		t.Errorf("nobody listens: %v", err)
	}
	if _, err := c.StartBatch(t.Context(), []unwind.StartRequest{{Saga: "a"}}); unwind.CodeOf(err) != unwind.Unreachable {
		t.Errorf("nobody listens to a batch: %v", err)
	}
}

// The token goes to the server and to nobody that it points at.
func TestTheTokenIsNotCarriedElsewhere(t *testing.T) {
	var told atomic.Value
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told.Store(r.Header.Get("Authorization")) }))
	defer elsewhere.Close()
	var sent string
	c, _ := script(t, client.Config{Token: "canary-0123456789"}, func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("Authorization")
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	_, err := c.Stats(t.Context())
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("the error is %v", err)
	}
	if sent != "Bearer canary-0123456789" || told.Load() != nil {
		t.Errorf("the server got %q, elsewhere got %v", sent, told.Load())
	}
}

func TestClientsThatCanReachNothingAreNotMade(t *testing.T) {
	for _, cfg := range []client.Config{
		{}, {URL: "127.0.0.1:7070"}, {URL: "ftp://h"}, {URL: "http://"}, {URL: "http://u:p@h"}, {URL: "http://h?x=1"},
		{URL: "http://h", Token: "a b"}, {URL: "http://h", Token: "a\nb"},
	} {
		if _, err := client.New(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
}

func TestABrokenBatchSaysWhichStartsAreKnown(t *testing.T) {
	c, _ := script(t, client.Config{}, func(w http.ResponseWriter, r *http.Request) {
		wire := http.NewResponseController(w)
		if err := wire.EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"line":1,"status":201,"saga":{"id":"a"}}`+"\n"+`{"line":2,"status":404,"problem":{"type":"urn:unwind:problem:unknown-saga","detail":"no"}}`+"\n")
		if err := wire.Flush(); err != nil {
			t.Error(err)
		}
		panic(http.ErrAbortHandler)
	})
	results, err := c.StartBatch(t.Context(), make([]unwind.StartRequest, 5_000))
	if err != nil || len(results) != 5_000 {
		t.Fatalf("got %d results, error %v", len(results), err)
	}
	if results[0].Err != nil || !results[0].Created || unwind.CodeOf(results[1].Err) != unwind.UnknownSaga {
		t.Errorf("the known ones are %+v", results[:2])
	}
	for i, r := range results[2:] {
		if unwind.CodeOf(r.Err) != unwind.Unreachable {
			t.Fatalf("start %d: %v", i+2, r.Err)
		}
	}
}

func TestABatchMayBeLargerThanTheServerTakes(t *testing.T) {
	c := over(t, open(t), nil, client.Config{})
	reqs := make([]unwind.StartRequest, 10_003)
	for i := range reqs {
		reqs[i] = unwind.StartRequest{Saga: "order", Key: fmt.Sprint(i % 10_002), Input: json.RawMessage("7")}
	}
	results, err := c.StartBatch(t.Context(), reqs)
	if err != nil || len(results) != len(reqs) {
		t.Fatalf("got %d results, error %v", len(results), err)
	}
	for i, r := range results {
		if r.Err != nil || r.Instance.Key != reqs[i].Key || r.Created != (i < 10_002) {
			t.Fatalf("start %d: %+v", i, r)
		}
	}
}

func TestWatchSeesEverythingOverBrokenStreams(t *testing.T) {
	e := open(t)
	source := &breaking{source: e, after: 3}
	c := over(t, e, func(cfg *api.Config) { cfg.Events = source }, client.Config{Backoff: unwind.Millisecond})
	_, began, err := e.Events(t.Context(), "not a cursor", 1)
	if err != nil {
		t.Fatal(err)
	}
	var sagas []string
	for range 5 {
		inst, _, err := c.Start(t.Context(), unwind.StartRequest{Saga: "order", Wait: 10 * unwind.Second})
		if err != nil {
			t.Fatal(err)
		}
		sagas = append(sagas, inst.ID)
	}
	ended, enough := []string{}, errors.New("enough")
	seen := map[string]bool{}
	err = c.Watch(t.Context(), began, func(ev unwind.Event) error {
		if seen[ev.Cursor] {
			return fmt.Errorf("event %s came twice", ev.Cursor)
		}
		seen[ev.Cursor] = true
		var s unwind.SagaEvent
		if err := json.Unmarshal(ev.Data, &s); err != nil {
			return err
		}
		if s.Status == unwind.Completed {
			ended = append(ended, s.ID)
		}
		if len(ended) == len(sagas) {
			return enough
		}
		return nil
	})
	slices.Sort(ended)
	slices.Sort(sagas)
	if !errors.Is(err, enough) || !slices.Equal(ended, sagas) {
		t.Errorf("got %v, error %v", ended, err)
	}
	if source.breaks.Load() < 3 {
		t.Errorf("the stream broke only %d times", source.breaks.Load())
	}
}

// A breaking source gives few events at a time and then fails.
type breaking struct {
	source api.Events
	after  int
	given  atomic.Int64
	breaks atomic.Int64
}

func (b *breaking) Events(ctx context.Context, cursor string, _ int) ([]unwind.Event, string, error) {
	if b.given.Add(1)%2 == 0 {
		b.breaks.Add(1)
		return nil, "", errors.New("broken")
	}
	events, _, err := b.source.Events(ctx, cursor, b.after)
	if err != nil || len(events) == 0 {
		return nil, cursor, err
	}
	events = events[:min(b.after, len(events))]
	return events, events[len(events)-1].Cursor, nil
}

func TestWatchEndsWhereItIsRefused(t *testing.T) {
	c, asked := script(t, client.Config{}, problem("unauthenticated", 401))
	err := c.Watch(t.Context(), "", func(unwind.Event) error { return nil })
	if unwind.CodeOf(err) != unwind.Unauthenticated || asked.Load() != 1 {
		t.Errorf("it was opened %d times, error %v", asked.Load(), err)
	}
	c, _ = script(t, client.Config{}, says(200, "text/html", "<h1>Welcome</h1>"))
	if err := c.Watch(t.Context(), "", func(unwind.Event) error { return nil }); unwind.CodeOf(err) != unwind.InvalidRequest {
		t.Errorf("no stream: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c, _ = script(t, client.Config{}, func(http.ResponseWriter, *http.Request) { cancel() })
	if err := c.Watch(ctx, "", func(unwind.Event) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
