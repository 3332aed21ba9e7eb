package alert_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/alert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// A source holds alerts in memory and says when all are delivered.
type source struct {
	mu      sync.Mutex
	pending []unwind.Alert
	empty   chan struct{}
}

func newSource(ids ...string) *source {
	s := &source{empty: make(chan struct{})}
	for _, id := range ids {
		s.pending = append(s.pending, unwind.Alert{ID: id, Kind: unwind.AlertDeadLetter, Message: "the refund of " + id + " died"})
	}
	return s
}

func (s *source) PendingAlerts(_ context.Context, limit int) ([]unwind.Alert, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pending[:min(limit, len(s.pending))]), nil
}

func (s *source) AlertsDelivered(_ context.Context, ids []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = slices.DeleteFunc(s.pending, func(a unwind.Alert) bool { return slices.Contains(ids, a.ID) })
	if len(s.pending) == 0 {
		close(s.empty)
	}
	return nil
}

// A receiver verifies signatures and fails its first calls.
type receiver struct {
	mu       sync.Mutex
	failures int
	got      []string
	errs     []error
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failures > 0 {
		r.failures--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	body, _ := io.ReadAll(req.Body)
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err == nil {
		err = verifier.Verify(body, req.Header)
	}
	var p alert.Payload
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	if err != nil {
		r.errs = append(r.errs, err)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.got = append(r.got, p.Data.ID)
}

func run(t *testing.T, src alert.Source, logger *slog.Logger, urls ...string) {
	t.Helper()
	cfg := alert.Config{Source: src, Poll: time.Millisecond, Logger: logger}
	for _, u := range urls {
		cfg.Sinks = append(cfg.Sinks, alert.Sink{URL: u, Secret: secret})
	}
	s, err := alert.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; http.DefaultTransport.(*http.Transport).CloseIdleConnections() })
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// Liveness: every dead letter is covered by a delivered alert.
func TestEveryAlertReachesEverySinkSignedThoughOneFailsAtFirst(t *testing.T) {
	good, flaky := &receiver{}, &receiver{failures: 1}
	a, b := httptest.NewServer(good), httptest.NewServer(flaky)
	defer a.Close()
	defer b.Close()
	src := newSource("1", "2", "3")
	run(t, src, quiet, a.URL, b.URL)
	<-src.empty
	want := []string{"1", "2", "3"}
	if !slices.Equal(good.got, want) || good.errs != nil {
		t.Errorf("the good sink got %v, errors %v", good.got, good.errs)
	}
	slices.Sort(flaky.got)
	if !slices.Equal(flaky.got, want) || flaky.errs != nil {
		t.Errorf("the flaky sink got %v, errors %v", flaky.got, flaky.errs)
	}
}

// The first alert of two stores has one id in each.
func TestAWebhooksIDIsTheSameOnEveryTryAndNoOtherAlerts(t *testing.T) {
	var mu sync.Mutex
	ids, bodies := map[string]int{}, []alert.Payload{}
	refused := false
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		ids[req.Header.Get("webhook-id")]++
		if !refused {
			refused = true
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var p alert.Payload
		_ = json.NewDecoder(req.Body).Decode(&p)
		bodies = append(bodies, p)
	}))
	defer web.Close()
	for _, a := range []unwind.Alert{
		{ID: "1", Kind: unwind.AlertDeadLetter, SagaID: "s1", Step: "charge", DeadLetterID: "s1.0.c"},
		{ID: "1", Kind: unwind.AlertDeadLetter, SagaID: "s2", Step: "ship", DeadLetterID: "s2.1.a"},
		{ID: "1", Kind: unwind.AlertServiceFault, At: unwind.TimeFromMicros(17)},
		{ID: "1", Kind: unwind.AlertServiceFault, At: unwind.TimeFromMicros(18)},
	} {
		src := newSource()
		src.pending = []unwind.Alert{a}
		run(t, src, quiet, web.URL)
		<-src.empty
	}
	mu.Lock()
	defer mu.Unlock()
	if want := map[string]int{"alert_s1_1": 2, "alert_s2_1": 1, "alert_17_1": 1, "alert_18_1": 1}; !maps.Equal(ids, want) {
		t.Errorf("the ids are %v, want %v", ids, want)
	}
	if d := bodies[0].Data; d.Step != "charge" || d.DeadLetterID != "s1.0.c" {
		t.Errorf("the payload is %+v", bodies[0])
	}
}

func TestWithoutSinksAlertsGoToTheLog(t *testing.T) {
	r, w := io.Pipe()
	src := newSource("1")
	run(t, src, slog.New(slog.NewTextHandler(w, nil)))
	line := make([]byte, 512)
	n, err := r.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	if want := "the refund of 1 died"; !strings.Contains(string(line[:n]), want) {
		t.Errorf("the log says %q, not %q", line[:n], want)
	}
	<-src.empty
}

func TestASecretThatCannotSignIsRefused(t *testing.T) {
	_, err := alert.New(alert.Config{Source: newSource(), Sinks: []alert.Sink{{URL: "http://127.0.0.1:1", Secret: "whsec_%%%"}}})
	if err == nil {
		t.Fatal("accepted")
	}
}
