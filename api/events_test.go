package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/api"
)

// A stream is an open stream of events.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()
}

// A frame is one event as it came, or a comment.
type frame struct{ id, event, data, comment string }

// stream opens the events after an id.
func (f *fixture) stream(t *testing.T, lastID string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	if f.token != "" {
		r.Header.Set("Authorization", "Bearer "+f.token)
	}
	resp, err := f.http.Do(r) //nolint:bodyclose // the stream closes it
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{t: t, lines: bufio.NewScanner(resp.Body), close: func() { cancel(); resp.Body.Close() }}
	t.Cleanup(s.close)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %d %v", resp.StatusCode, resp.Header)
	}
	return s
}

// next reads a frame; false: the stream has ended.
func (s *stream) next() (frame, bool) {
	var f frame
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch name {
		case "id":
			f.id = value
		case "event":
			f.event = value
		case "data":
			f.data = value
		case "":
			if value != "" {
				f.comment = value
			} else if f != (frame{}) {
				return f, true
			}
		}
	}
	return frame{}, false
}

// event reads the next event, and passes over comments.
func (s *stream) event() frame {
	s.t.Helper()
	for {
		f, ok := s.next()
		if !ok {
			s.t.Fatal("the stream ended")
		}
		if f.event != "" {
			return f
		}
	}
}

// but reads the next event that is not of a kind.
func (s *stream) but(kind string) frame {
	s.t.Helper()
	for {
		if e := s.event(); e.event != kind {
			return e
		}
	}
}

func TestEventsTellWhatHappened(t *testing.T) {
	f := newFixture(t, nil)
	s := f.stream(t, f.began)
	inst := f.start("dead", "")
	doc := f.document()
	schemas := map[string]string{"saga": "SagaEvent", "dead_letter": "DeadLetterEvent", "alert": "Alert", "service": "ServiceState"}
	seen := map[string]bool{}
	var last unwind.SagaEvent
	for len(seen) < len(schemas) {
		e := s.event()
		seen[e.event] = true
		var v any
		d := json.NewDecoder(strings.NewReader(e.data))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range doc.check(e.event, doc.at("components", "schemas", schemas[e.event]), v) {
			t.Error(wrong)
		}
		if e.event == "saga" {
			if err := json.Unmarshal([]byte(e.data), &last); err != nil {
				t.Fatal(err)
			}
		}
	}
	if last.ID != inst.ID || last.Status != unwind.DeadLettered {
		t.Errorf("the last event of the saga is %+v", last)
	}
}

func TestEventsTellHowOperationsStand(t *testing.T) {
	f := newFixture(t, nil)
	f.start("dead", "")
	s := f.stream(t, f.began)
	var op unwind.Operation
	f.do("POST", "/v1/operations", `{"kind":"replay","selection":{"saga":"dead"},"reason":"mended"}`).decode(t, &op)
	doc := f.document()
	if says, _ := doc.at("paths", "/v1/events", "get", "description").(string); !strings.Contains(says, "operation (Operation)") {
		t.Errorf("the document says %q", says)
	}
	for {
		e := s.event()
		if e.event != "operation" {
			continue
		}
		var v map[string]any
		d := json.NewDecoder(strings.NewReader(e.data))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range doc.check(e.event, doc.at("components", "schemas", "Operation"), v) {
			t.Error(wrong)
		}
		if v["id"] != op.ID {
			t.Errorf("it is of operation %v, not %s", v["id"], op.ID)
		}
		if v["state"] == string(unwind.OperationFinished) {
			return
		}
	}
}

// Whichever event a client saw last, it gets all that came after it, once. Of
// services it gets how they stand.
func TestStreamsResumeAfterAnyEvent(t *testing.T) {
	f := newFixture(t, nil)
	for _, saga := range []string{"order", "dead", "refused"} {
		f.start(saga, "")
	}
	var all []frame
	for s := f.stream(t, f.began); len(all) == 0 || all[len(all)-1].event != "alert"; { // at rest, the alerts come last
		all = append(all, s.event())
	}
	n := len(all)
	if n < 10 {
		t.Fatalf("only %d events", n)
	}
	ids := map[string]bool{}
	for _, e := range all {
		if ids[e.id] {
			t.Errorf("two events have the id %s", e.id)
		}
		ids[e.id] = true
	}
	for i := range n - 1 {
		s := f.stream(t, all[i].id)
		for _, want := range all[i+1:] {
			if want.event == "service" {
				continue
			}
			if e := s.but("service"); e.data != want.data {
				t.Errorf("after event %d came %s, want %s", i, e.data, want.data)
			}
		}
		s.close()
	}
}

// Whoever watches a service needs to know one shape of it, and is told when it changes
// and not with the next heartbeat. (TestEveryChangeOfALaneIsToldWithinASecond has how soon.)
func TestEventsTellHowServicesStand(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Heartbeat = unwind.Hour })
	s := f.stream(t, "")
	stands := func() string {
		return strings.TrimSpace(f.do("GET", "/v1/services/payments", "").body)
	}
	service := func() string {
		for {
			if e := s.event(); e.event == "service" {
				return e.data
			}
		}
	}
	if got, want := service(), stands(); got != want {
		t.Errorf("first it is\n%s, and stands as\n%s", got, want)
	}
	for _, verb := range []string{"pause", "resume"} {
		if r := f.do("POST", "/v1/services/payments/"+verb, `{"lane":"compensation","reason":"the bank is closed"}`); r.status != 200 {
			t.Fatalf("%s: got %d %s", verb, r.status, r.body)
		}
		if got, want := service(), stands(); got != want {
			t.Errorf("after the %s it is\n%s, and stands as\n%s", verb, got, want)
		}
	}
}

func TestAnUnknownIDIsAReset(t *testing.T) {
	f := newFixture(t, nil)
	f.start("order", "")
	for _, id := range []string{"nonsense", "0.0.nonsense", "-1.0.x", "99999999999999999999.0.x"} {
		s := f.stream(t, id)
		e := s.event()
		if e.event != "reset" || e.data != "null" || e.id == "" {
			t.Errorf("after %q: got %+v", id, e)
		}
		s.close()
	}
}

func TestASilentStreamStillGivesItsPlace(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Heartbeat = 5 * unwind.Millisecond })
	s := f.stream(t, "")
	s.event() // how the service stands
	for range 3 {
		if e, ok := s.next(); !ok || e.comment != "still here" || e.id == "" || e.event != "" {
			t.Errorf("got %+v", e)
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.MaxStreams = 2 })
	a := f.stream(t, f.began)
	f.stream(t, f.began)
	if r := f.do("GET", "/v1/events", ""); r.status != 429 || r.header.Get("Retry-After") == "" {
		t.Errorf("got %d %v", r.status, r.header)
	}
	a.close()
	for f.do("HEAD", "/v1/events", "").status != 200 {
		// The server has yet to see that the first one is gone.
	}
}

func TestEventsNeedARole(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Tokens = tokens })
	f.token = ""
	if r := f.do("GET", "/v1/events", ""); r.status != 401 {
		t.Errorf("got %d", r.status)
	}
	f.token = viewerSecret
	f.stream(t, f.began)
}

func TestStreamsEndWhenTheServerDoes(t *testing.T) {
	f := newFixture(t, nil)
	s := f.stream(t, f.began)
	s.event() // how the service stands
	f.handler.Close()
	if e, ok := s.next(); ok {
		t.Errorf("got %+v", e)
	}
}

// A flood gives as many large events as are taken.
type flood struct {
	n int
}

func (f *flood) Events(ctx context.Context, _ string, limit int) ([]unwind.Event, string, error) {
	if ctx.Err() != nil {
		return nil, "", ctx.Err()
	}
	events := make([]unwind.Event, limit)
	for i := range events {
		f.n++
		events[i] = unwind.Event{Cursor: strconv.Itoa(f.n), Kind: unwind.EventSaga, Data: json.RawMessage(`"` + strings.Repeat("x", 4096) + `"`)}
	}
	return events, strconv.Itoa(f.n), nil
}

func TestAClientThatTakesNothingIsCutOff(t *testing.T) {
	source := &flood{}
	f := newFixture(t, func(c *api.Config) { c.Events, c.SlowClient, c.MaxStreams = source, 50*unwind.Millisecond, 1 })
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	// One stream is allowed. Another one can only be had once this one was cut.
	for f.do("HEAD", "/v1/events", "").status != 200 {
		if t.Context().Err() != nil {
			t.Fatal("it was not cut off")
		}
	}
}
