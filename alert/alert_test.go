package alert_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/alert"
	"github.com/unwindhq/unwind/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var begin = unwind.TimeFromMicros(1_700_000_000_123_456)

// A source holds notices in memory.
type source struct {
	mu      sync.Mutex
	notices []engine.Notice
	acked   map[string]int64
	changed chan struct{}
}

func newSource(ids ...string) *source {
	s := &source{acked: map[string]int64{}, changed: make(chan struct{}, 1)}
	for _, id := range ids {
		s.notices = append(s.notices, notice(int64(len(s.notices)+1), id))
	}
	return s
}

func notice(seq int64, id string) engine.Notice {
	return engine.Notice{Seq: seq, Alert: unwind.Alert{
		ID: id, At: begin, Kind: unwind.AlertDeadLetter, Key: "dead_letter/g" + id, Saga: "place-order", Service: "payments", Step: "charge", Group: "g" + id,
		Message: "the refund of " + id + " died: <402> & \"broke\"", Runbook: "https://docs.example/runbooks/dead_letter.md", Link: "https://unwind.example/dead-letters?group=g" + id + "&state=open",
	}}
}

// ended is the end of the alert 7.
func ended() engine.Notice {
	n := notice(2, "7")
	at := unwind.TimeFromMicros(begin.UnixMicro() + 90_000_000)
	n.Ended, n.ResolvedAt, n.Message = true, &at, "none of its dead letters is open"
	return n
}

func (s *source) AlertSinks(_ context.Context, sinks []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range sinks {
		s.acked[k] += 0
	}
	return nil
}

func (s *source) PendingAlerts(_ context.Context, sink string, limit int) ([]engine.Notice, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var pending []engine.Notice
	for _, n := range s.notices {
		if n.Seq > s.acked[sink] && len(pending) < limit {
			pending = append(pending, n)
		}
	}
	return pending, nil
}

func (s *source) AlertsDelivered(_ context.Context, sink string, upTo int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked[sink] = upTo
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return nil
}

func (s *source) Alerts(context.Context, unwind.AlertFilter) (list unwind.List[unwind.Alert], err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.notices {
		list.Items = append(list.Items, n.Alert)
	}
	return list, nil
}

// delivered waits until n sinks have everything.
func (s *source) delivered(t *testing.T, sinks int) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		s.mu.Lock()
		have := 0
		for _, upTo := range s.acked {
			if upTo == s.notices[len(s.notices)-1].Seq {
				have++
			}
		}
		s.mu.Unlock()
		if have >= sinks {
			return
		}
		select {
		case <-s.changed:
		case <-deadline:
			t.Fatalf("%d of %d sinks have everything", have, sinks)
		}
	}
}

// A receiver keeps the calls that it answers with 200, after it has answered the
// first ones otherwise.
type receiver struct {
	mu     sync.Mutex
	first  []func(http.ResponseWriter)
	calls  []call
	more   chan struct{}
	answer int // in place of 200
}

type call struct {
	path   string
	header http.Header
	body   []byte
	at     time.Time
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call{req.URL.Path, req.Header, body, time.Now()})
	if n := len(r.calls); n <= len(r.first) {
		r.first[n-1](w)
	} else if r.answer != 0 {
		w.WriteHeader(r.answer)
	}
	if r.more != nil {
		select {
		case r.more <- struct{}{}:
		default:
		}
	}
}

func (r *receiver) got() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

func status(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(code) }
}

func serve(t *testing.T, r *receiver) string {
	t.Helper()
	web := httptest.NewServer(r)
	t.Cleanup(web.Close)
	return web.URL
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func run(t *testing.T, cfg alert.Config) {
	t.Helper()
	cfg.Poll = time.Millisecond
	if cfg.Wait == 0 {
		cfg.Wait, cfg.MaxWait = time.Millisecond, 10*time.Millisecond
	}
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	s, err := alert.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

func webhooks(urls ...string) (sinks []alert.Sink) {
	for _, u := range urls {
		sinks = append(sinks, alert.Sink{Kind: alert.Webhook, URL: u, Secret: secret})
	}
	return sinks
}

// decode reads a body strictly: a field that is not expected is a fault.
func decode[T any](t *testing.T, body []byte) (v T) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("the body %s: %v", body, err)
	}
	return v
}

func ids(calls []call) (all []string) {
	for _, c := range calls {
		all = append(all, c.header.Get("webhook-id"))
	}
	return all
}

// Liveness: every sink is told of everything, in order, though one fails at first;
// the other gets nothing twice and does not wait.
func TestASinkThatFailsHoldsNoOtherUp(t *testing.T) {
	good, flaky, down := &receiver{}, &receiver{first: []func(http.ResponseWriter){status(503), status(500), status(429), status(302)}}, &receiver{answer: 500}
	src := newSource("1", "2", "3")
	run(t, alert.Config{Source: src, Sinks: webhooks(serve(t, good), serve(t, flaky), serve(t, down))})
	src.delivered(t, 2)
	origin := "alert_1700000000123456_"
	if got, want := ids(good.got()), []string{origin + "1", origin + "2", origin + "3"}; !slices.Equal(got, want) {
		t.Errorf("the good sink got %v, want %v", got, want)
	}
	if got, want := ids(flaky.got()), []string{origin + "1", origin + "1", origin + "1", origin + "1", origin + "1", origin + "2", origin + "3"}; !slices.Equal(got, want) {
		t.Errorf("the flaky sink got %v, want %v", got, want)
	}
	for _, id := range ids(down.got()) {
		if id != origin+"1" {
			t.Errorf("the sink that is down was told of %s before it acknowledged the first", id)
		}
	}
}

func TestASinkGoesOnWhereItWasAfterARestart(t *testing.T) {
	r := &receiver{}
	url := serve(t, r)
	src := newSource("1", "2")
	t.Run("one process", func(t *testing.T) {
		run(t, alert.Config{Source: src, Sinks: webhooks(url)})
		src.delivered(t, 1)
	})
	src.mu.Lock()
	src.notices = append(src.notices, notice(3, "3"))
	src.mu.Unlock()
	run(t, alert.Config{Source: src, Sinks: webhooks(url)})
	src.delivered(t, 1)
	if n := len(r.got()); n != 3 {
		t.Errorf("%d calls tell of three alerts", n)
	}
}

// A receiver that asks for time is given it, up to a bound.
func TestARetryAfterIsKept(t *testing.T) {
	r := &receiver{first: []func(http.ResponseWriter){func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	}}}
	src := newSource("1")
	run(t, alert.Config{Source: src, Sinks: webhooks(serve(t, r))})
	src.delivered(t, 1)
	calls := r.got()
	if len(calls) != 2 || calls[1].at.Sub(calls[0].at) < time.Second {
		t.Errorf("%d calls, the second %v after the first", len(calls), calls[len(calls)-1].at.Sub(calls[0].at))
	}
}

// A redirect is no acknowledgement and is not followed: it may lead anywhere.
func TestARedirectIsNotFollowed(t *testing.T) {
	target := &receiver{}
	to := serve(t, target)
	r := &receiver{first: []func(http.ResponseWriter){func(w http.ResponseWriter) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}}}
	src := newSource("1")
	run(t, alert.Config{Source: src, Sinks: webhooks(serve(t, r))})
	src.delivered(t, 1)
	if n := len(target.got()); n != 0 {
		t.Errorf("%d calls where the redirect led", n)
	}
}

// A name that resolves to a private address is not called unless that is said.
func TestANameWithAPrivateAddressIsRefused(t *testing.T) {
	r := &receiver{}
	url := strings.Replace(serve(t, r), "127.0.0.1", "localhost", 1)
	log := &recorder{more: make(chan struct{})}
	src := newSource("1")
	t.Run("refused", func(t *testing.T) {
		run(t, alert.Config{Source: src, Sinks: webhooks(url), Logger: slog.New(slog.NewTextHandler(log, nil))})
		<-log.more
	})
	log.mu.Lock()
	if text := log.text.String(); !strings.Contains(text, "allow_private") || len(r.got()) != 0 {
		t.Errorf("%d calls, and the log says %s", len(r.got()), text)
	}
	log.mu.Unlock()
	run(t, alert.Config{Source: src, Sinks: []alert.Sink{{Kind: alert.Webhook, URL: url, Secret: secret, AllowPrivate: true}}})
	src.delivered(t, 1)
}

func TestWithoutSinksAlertsGoToTheLog(t *testing.T) {
	r, w := io.Pipe()
	defer r.Close()
	src := newSource("1")
	run(t, alert.Config{Source: src, Logger: slog.New(slog.NewTextHandler(w, nil))})
	line := make([]byte, 512)
	n, err := r.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	if want := "the refund of 1 died"; !strings.Contains(string(line[:n]), want) {
		t.Errorf("the log says %q, not %q", line[:n], want)
	}
	src.delivered(t, 1)
}

func TestASinkThatCannotBeToldIsRefused(t *testing.T) {
	for name, k := range map[string]alert.Sink{
		"a secret that can't sign": {Kind: alert.Webhook, URL: "http://127.0.0.1:1", Secret: "whsec_%%%"},
		"no kind":                  {URL: "http://127.0.0.1:1"},
	} {
		if _, err := alert.New(alert.Config{Source: newSource(), Sinks: []alert.Sink{k}}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
