package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/api"
	"github.com/unwindhq/unwind/client"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func done(context.Context, unwind.Request) (json.RawMessage, error) {
	return json.RawMessage(`{"id":"p-1","n":12345678901234567890}`), nil
}

func refuse(context.Context, unwind.Request) (json.RawMessage, error) {
	return nil, unwind.Refuse("out of <stock>")
}

func definitions() []unwind.Definition {
	step := func(name string, action, undo unwind.Func) unwind.Step {
		return unwind.Step{Name: name, Action: &unwind.Call{Func: action}, Compensation: &unwind.Call{Func: undo}}
	}
	return []unwind.Definition{
		{Name: "order", Steps: []unwind.Step{step("reserve", done, done), step("charge", done, done)}},
		{Name: "refused", Steps: []unwind.Step{step("reserve", done, done), step("charge", refuse, done)}},
		{Name: "dead", Amount: "input.amount", Steps: []unwind.Step{step("reserve", done, refuse), step("charge", refuse, done)}},
		{Name: "approval", Steps: []unwind.Step{{Name: "approve", Kind: unwind.SignalStep}}},
		{Name: "async", Steps: []unwind.Step{{Name: "charge", Action: &unwind.Call{Service: "payments", Path: "/charge", Async: true}, Compensation: unwind.None}}},
	}
}

func open(t testing.TB) *engine.Engine {
	t.Helper()
	payments := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(payments.Close)
	e, err := engine.Open(t.Context(), engine.Config{
		Store: memory.New(), Node: "n1", Logger: slog.New(slog.DiscardHandler),
		Participants: map[string]unwind.Participant{"payments": {URL: payments.URL}}, Definitions: definitions(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return e
}

// over serves an engine and returns a client of it.
func over(t testing.TB, e *engine.Engine, change func(*api.Config), cfg client.Config) *client.Client {
	t.Helper()
	serve := api.Config{Service: e, Events: e, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&serve)
	}
	h, err := api.New(serve)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(nil)
	s.Config = api.Server(h)
	s.Start()
	cfg.URL = s.URL
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close(); c.Close(); s.Close() })
	return c
}

// The engine and the client in front of it are told the same and must say the
// same: results, error codes, messages and what the errors point at.
func TestTheClientIsTheServiceThatTheEngineIs(t *testing.T) {
	var transcripts [2][]string
	e := open(t)
	transcripts[0] = play(t, e, e)
	e = open(t)
	transcripts[1] = play(t, over(t, e, nil, client.Config{}), e)
	if len(transcripts[0]) < 50 {
		t.Errorf("only %d lines were played", len(transcripts[0]))
	}
	for i := range transcripts[0] {
		if embedded, http := transcripts[0][i], transcripts[1][i]; embedded != http {
			t.Errorf("line %d\nembedded  %s\nover HTTP %s", i+1, embedded, http)
		}
	}
}

// A player asks a service and writes down what it said.
type player struct {
	t     *testing.T
	s     unwind.Service
	e     *engine.Engine
	began string
	lines []string
	ids   map[string]string
}

var (
	idForm     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	timeForm   = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z`)
	tokenForm  = regexp.MustCompile(`"call_token":"[^"]+"`)
	hashForm   = regexp.MustCompile(`"[0-9a-f]{64}"`)
	cursorForm = regexp.MustCompile(`"next_cursor":"[^"]+"`)
	// How long ago something was, or took, is of the run too.
	spanForm = regexp.MustCompile(`"span_ms":\d+|\b\d+ s\b`)
)

// say writes a line with ids, times, tokens and cursors of this run taken out,
// and fails when the error is not of the code.
func (p *player) say(what string, want unwind.Code, err error, v any) {
	p.t.Helper()
	if got := unwind.CodeOf(err); got != want {
		p.t.Errorf("%s: the code is %q (%v), want %q", what, got, err, want)
	}
	line := what + ": "
	if err != nil {
		var u *unwind.Error
		if !errors.As(err, &u) {
			p.t.Errorf("%s: the error is a %T", what, err)
			return
		}
		var pointers []string
		for _, f := range u.Faults {
			pointers = append(pointers, fmt.Sprint(f.Pointer, f.Warning))
		}
		slices.Sort(pointers)
		line += fmt.Sprintf("%s %v by=%s action=%s at=%t retry=%t %s", u.Code, pointers, u.By, u.Action, !u.At.IsZero(), u.RetryAfter > 0, u.Message)
	} else {
		b, err := json.Marshal(v)
		if err != nil {
			p.t.Fatal(err)
		}
		line += string(b)
	}
	line = idForm.ReplaceAllStringFunc(line, func(id string) string {
		if p.ids[id] == "" {
			p.ids[id] = fmt.Sprintf("saga-%d", len(p.ids)+1)
		}
		return p.ids[id]
	})
	line = timeForm.ReplaceAllString(line, "TIME")
	line = tokenForm.ReplaceAllString(line, `"call_token":"TOKEN"`)
	line = hashForm.ReplaceAllString(line, `"HASH"`)
	line = spanForm.ReplaceAllString(line, "SPAN")
	p.lines = append(p.lines, cursorForm.ReplaceAllString(line, `"next_cursor":"CURSOR"`))
}

func play(t *testing.T, s unwind.Service, e *engine.Engine) []string {
	t.Helper()
	p := &player{t: t, s: s, e: e, ids: map[string]string{}}
	var err error
	if _, p.began, err = e.Events(t.Context(), "not a cursor", 1); err != nil {
		t.Fatal(err)
	}
	p.starts()
	p.batches()
	p.reads()
	p.waiting()
	p.deadLetters()
	p.definitions()
	p.operations()
	return p.lines
}

func (p *player) start(what string, want unwind.Code, req unwind.StartRequest) *unwind.Instance {
	p.t.Helper()
	inst, created, err := p.s.Start(p.t.Context(), req)
	p.say("start "+what, want, err, map[string]any{"instance": inst, "created": created})
	return inst
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func (p *player) starts() {
	wait := 10 * unwind.Second
	p.start("new", "", unwind.StartRequest{Saga: "order", Key: "A", Tenant: "acme", Input: raw(`{"n": 1.10, "h": "<&>"}`), Wait: wait})
	p.start("again", "", unwind.StartRequest{Saga: "order", Key: "A", Tenant: "acme", Input: raw(`{"h":"<&>","n":1.10}`), Wait: wait})
	p.start("another tenant", "", unwind.StartRequest{Saga: "order", Key: "A", Wait: wait})
	p.start("another input", unwind.KeyReused, unwind.StartRequest{Saga: "order", Key: "A", Tenant: "acme", Input: raw(`{"n":1.1}`)})
	p.start("no key", "", unwind.StartRequest{Saga: "refused", Wait: wait})
	p.start("unknown", unwind.UnknownSaga, unwind.StartRequest{Saga: "nothing"})
	p.start("nameless", unwind.InvalidRequest, unwind.StartRequest{})
	p.start("long key", unwind.InvalidRequest, unwind.StartRequest{Saga: "order", Key: strings.Repeat("k", 257)})
	p.start("odd key", unwind.InvalidRequest, unwind.StartRequest{Saga: "order", Key: "a\nb"})
	p.start("long wait", unwind.InvalidRequest, unwind.StartRequest{Saga: "order", Wait: 61 * unwind.Second})
	p.start("large input", unwind.TooLarge, unwind.StartRequest{Saga: "order", Input: raw(`"` + strings.Repeat("x", unwind.MaxInput) + `"`)})
}

func (p *player) batches() {
	results, err := p.s.StartBatch(p.t.Context(), []unwind.StartRequest{
		{Saga: "order", Key: "A", Tenant: "acme", Input: raw(`{"n":1.10,"h":"<&>"}`)},
		{Saga: "order", Key: "A", Tenant: "acme"},
		{Saga: "nothing"},
		{Saga: "order", Input: raw(`{`)},
		{Saga: ""},
		{Saga: "order", Key: "A", Wait: unwind.Second},
	})
	if err != nil || len(results) != 6 {
		p.t.Fatalf("got %d results, error %v", len(results), err)
	}
	for i, want := range []unwind.Code{"", unwind.KeyReused, unwind.UnknownSaga, unwind.InvalidRequest, unwind.InvalidRequest, ""} {
		if i == 3 {
			if unwind.CodeOf(results[i].Err) != want {
				p.t.Errorf("broken input: %v", results[i].Err)
			}
			continue // who says so first finds other words for it
		}
		p.say(fmt.Sprintf("batch line %d", i+1), want, results[i].Err, map[string]any{"instance": results[i].Instance, "created": results[i].Created})
	}
	none, err := p.s.StartBatch(p.t.Context(), nil)
	p.say("empty batch", "", err, len(none))
}

func (p *player) reads() {
	ctx := p.t.Context()
	inst := p.start("to read", "", unwind.StartRequest{Saga: "refused", Key: "R", Wait: 10 * unwind.Second})
	got, err := p.s.Get(ctx, inst.ID)
	p.say("get", "", err, got)
	_, err = p.s.Get(ctx, "01932e07-7b0c-7000-8000-000000000000")
	p.say("get another", unwind.NotFound, err, nil)
	_, err = p.s.Get(ctx, "../sagas")
	p.say("get nonsense", unwind.NotFound, err, nil)
	entries, err := p.s.History(ctx, inst.ID, unwind.Page{Limit: 3})
	p.say("history", "", err, entries)
	entries, err = p.s.History(ctx, inst.ID, unwind.Page{Cursor: entries.NextCursor})
	p.say("history on", "", err, entries)
	_, err = p.s.History(ctx, inst.ID, unwind.Page{Cursor: "!"})
	p.say("history from nowhere", unwind.InvalidRequest, err, nil)
	_, err = p.s.History(ctx, "x", unwind.Page{})
	p.say("history of nothing", unwind.NotFound, err, nil)
	for _, f := range []unwind.Filter{
		{}, {Page: unwind.Page{Limit: 2}}, {Status: unwind.Completed}, {Saga: "refused"}, {Tenant: "acme", Key: "A"},
		{Since: unwind.Time{Time: time.Now().Add(time.Hour)}}, {Since: inst.CreatedAt, Saga: "refused"},
	} {
		list, err := p.s.List(ctx, f)
		p.say("list", "", err, list)
	}
	_, err = p.s.List(ctx, unwind.Filter{Page: unwind.Page{Cursor: "nonsense"}})
	p.say("list from nowhere", unwind.InvalidRequest, err, nil)
}

// until waits for an entry in a saga's journal.
func (p *player) until(saga, kind string) {
	p.t.Helper()
	cursor := p.began
	for {
		events, next, err := p.e.Events(p.t.Context(), cursor, 100)
		if err != nil {
			p.t.Fatalf("waiting for %s: %v", kind, err)
		}
		for _, e := range events {
			var s unwind.SagaEvent
			if e.Kind == unwind.EventSaga && json.Unmarshal(e.Data, &s) == nil && s.ID == saga &&
				slices.ContainsFunc(s.Entries, func(en unwind.EventEntry) bool { return en.Kind == kind }) {
				return
			}
		}
		cursor = next
	}
}

func (p *player) waiting() {
	ctx := p.t.Context()
	inst := p.start("approval", "", unwind.StartRequest{Saga: "approval", Key: "W1"})
	_, err := p.s.Signal(ctx, inst.ID, unwind.SignalRequest{Name: "nothing", Actor: "local"})
	p.say("signal nothing", unwind.CodeOf(err), err, nil)
	_, err = p.s.Signal(ctx, inst.ID, unwind.SignalRequest{Name: "approve", Data: raw(`"` + strings.Repeat("x", unwind.MaxOutput) + `"`), Actor: "local"})
	p.say("signal with much", unwind.TooLarge, err, nil)
	got, err := p.s.Signal(ctx, inst.ID, unwind.SignalRequest{Name: "approve", Data: raw(`{"by":"me"}`), Actor: "local"})
	p.say("signal", "", err, got)
	_, err = p.s.Signal(ctx, inst.ID, unwind.SignalRequest{Name: "approve", Actor: "local"})
	p.say("signal twice", unwind.Conflict, err, nil)
	_, err = p.s.Cancel(ctx, inst.ID, unwind.CancelRequest{Reason: "late", Actor: "local"})
	p.say("cancel at rest", unwind.Conflict, err, nil)
	_, err = p.s.Cancel(ctx, "x", unwind.CancelRequest{Actor: "local"})
	p.say("cancel nothing", unwind.NotFound, err, nil)
	inst = p.start("approval", "", unwind.StartRequest{Saga: "approval", Key: "W2"})
	got, err = p.s.Cancel(ctx, inst.ID, unwind.CancelRequest{Reason: "mistake", Actor: "local"})
	p.say("cancel", "", err, got)

	inst = p.start("async", "", unwind.StartRequest{Saga: "async", Key: "W3"})
	p.until(inst.ID, unwind.EntryActionAwaiting)
	inst, err = p.s.Get(ctx, inst.ID)
	if err != nil || inst.Steps[0].CallToken == "" {
		p.t.Fatalf("the call has no token: %+v, error %v", inst, err)
	}
	token := inst.Steps[0].CallToken
	p.say("complete oddly", unwind.InvalidRequest, p.s.Complete(ctx, token, unwind.Completion{Outcome: "perhaps"}), nil)
	p.say("complete nothing", unwind.NotFound, p.s.Complete(ctx, "nonsense", unwind.Completion{Outcome: "done"}), nil)
	p.say("complete", "", p.s.Complete(ctx, token, unwind.Completion{Outcome: "done", Output: raw(`{"ok":1}`)}), nil)
	p.until(inst.ID, unwind.EntrySagaEnded)
	p.say("complete twice", unwind.Conflict, p.s.Complete(ctx, token, unwind.Completion{Outcome: "refused"}), nil)
}
