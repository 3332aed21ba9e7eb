package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/api"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The tokens of a fixture that has some.
const (
	viewerSecret   = "canary-viewer-0123456789"
	operatorSecret = "canary-operator-0123456789"
	adminSecret    = "canary-admin-0123456789"
)

var tokens = []api.Token{
	{Name: "vera", Role: api.Viewer, Secret: viewerSecret},
	{Name: "oskar", Role: api.Operator, Secret: operatorSecret},
	{Name: "ada", Role: api.Admin, Secret: adminSecret},
}

// A fixture is an API on a loopback address, with a real engine behind it.
type fixture struct {
	t       testing.TB
	url     string
	engine  *engine.Engine
	handler *api.Handler
	log     *safeBuffer
	token   string
	began   string // the cursor of the journal's beginning
	http    *http.Client
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newFixture starts one; change may alter the configuration of the API.
func newFixture(t testing.TB, change func(*api.Config)) *fixture {
	return openFixture(t, change, nil)
}

// openFixture starts one; set may alter the configuration of the engine.
func openFixture(t testing.TB, change func(*api.Config), set func(*engine.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, log: &safeBuffer{}}
	logger := slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	metrics := prometheus.NewRegistry()
	ecfg := engine.Config{
		Store: memory.New(), Node: "n1", Logger: logger, Metrics: metrics,
		Participants: map[string]unwind.Participant{"payments": {URL: accepting(t).URL}},
		Definitions:  definitions(),
	}
	if set != nil {
		set(&ecfg)
	}
	var err error
	if f.engine, err = engine.Open(t.Context(), ecfg); err != nil {
		t.Fatal(err)
	}
	if _, f.began, err = f.engine.Events(t.Context(), "not a cursor", 1); err != nil {
		t.Fatal(err)
	}
	cfg := api.Config{
		Service: f.engine, Events: f.engine, Gatherer: metrics, Logger: logger, Version: "test",
		Checks: []api.Check{{Name: "store", Ready: func(context.Context) error { return nil }}},
	}
	if change != nil {
		change(&cfg)
	}
	if f.handler, err = api.New(cfg); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.Server(f.handler)
	server.Start()
	f.url = server.URL
	f.http = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 256}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if len(cfg.Tokens) > 0 {
		f.token = adminSecret
	}
	t.Cleanup(func() {
		f.handler.Close()
		f.http.CloseIdleConnections()
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := f.engine.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return f
}

func done(context.Context, unwind.Request) (json.RawMessage, error) {
	return json.RawMessage(`{"ok":true,"n":12345678901234567890}`), nil
}

func refuse(context.Context, unwind.Request) (json.RawMessage, error) {
	return nil, unwind.Refuse("out of stock")
}

// definitions are sagas that complete, turn back, come to a dead letter, and
// wait for a signal.
func definitions() []unwind.Definition {
	step := func(name string, action, undo unwind.Func) unwind.Step {
		return unwind.Step{Name: name, Action: &unwind.Call{Func: action}, Compensation: &unwind.Call{Func: undo}}
	}
	return []unwind.Definition{
		{Name: "order", Steps: []unwind.Step{step("reserve", done, done), step("charge", done, done), step("ship", done, done)}},
		{Name: "refused", Steps: []unwind.Step{step("reserve", done, done), step("charge", refuse, done)}},
		{Name: "dead", Amount: "input.amount", Steps: []unwind.Step{step("reserve", done, refuse), step("charge", refuse, done)}},
		{Name: "approval", Steps: []unwind.Step{step("reserve", done, done), {Name: "approve", Kind: unwind.SignalStep}}},
		{Name: "busy", Steps: []unwind.Step{{Name: "charge", Action: &unwind.Call{Service: "payments", Path: "/busy"}, Compensation: unwind.None}}},
		{Name: "async", Steps: []unwind.Step{{Name: "charge", Action: &unwind.Call{Service: "payments", Path: "/charge", Async: true}, Compensation: unwind.None}}},
	}
}

// A reply is an answer, read.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) decode(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("the answer is not JSON: %v\n%s", err, r.body)
	}
}

// do sends a request. Headers are given as "Name: value".
func (f *fixture) do(method, path, body string, headers ...string) reply {
	f.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, in)
	if err != nil {
		f.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if f.token != "" {
		r.Header.Set("Authorization", "Bearer "+f.token)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		switch {
		case name == "Host":
			r.Host = value
		case value == "":
			r.Header.Del(name)
		default:
			r.Header.Set(name, value)
		}
	}
	resp, err := f.http.Do(r)
	if err != nil {
		f.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

// start starts a saga and waits for its rest.
func (f *fixture) start(saga, key string) unwind.Instance {
	f.t.Helper()
	r := f.do("POST", "/v1/sagas", fmt.Sprintf(`{"saga":%q,"key":%q,"input":{"order_id":17,"amount":12.50},"wait":"60s"}`, saga, key))
	if r.status != http.StatusCreated {
		f.t.Fatalf("starting %s: got %d %s", saga, r.status, r.body)
	}
	var inst unwind.Instance
	r.decode(f.t, &inst)
	return inst
}

// A problem as a client sees it.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id"`
	Errors    []struct {
		Pointer string `json:"pointer"`
		Message string `json:"message"`
	} `json:"errors"`
	By, Action, At string
}
