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

func (p *player) deadLetters() {
	ctx := p.t.Context()
	p.start("dead", "", unwind.StartRequest{Saga: "dead", Key: "D", Input: raw(`{"amount":12.50}`), Wait: 10 * unwind.Second})
	list, err := p.s.DeadLetters(ctx, unwind.DeadLetterFilter{Saga: "dead", State: unwind.DeadLetterOpen})
	p.say("dead letters", "", err, list)
	if len(list.Items) != 1 {
		p.t.Fatalf("got %d dead letters", len(list.Items))
	}
	id := list.Items[0].ID
	for _, f := range []unwind.DeadLetterFilter{{Group: list.Items[0].Group}, {Service: "payments"}, {State: unwind.DeadLetterResolved}, {Page: unwind.Page{Limit: 1}}} {
		list, err := p.s.DeadLetters(ctx, f)
		p.say("dead letters", "", err, list)
	}
	d, err := p.s.DeadLetter(ctx, id)
	p.say("dead letter", "", err, d)
	_, err = p.s.DeadLetter(ctx, "x")
	p.say("no dead letter", unwind.NotFound, err, nil)
	_, err = p.s.Replay(ctx, id, unwind.ReplayRequest{Actor: "local"})
	p.say("replay without a reason", unwind.InvalidRequest, err, nil)
	_, err = p.s.Replay(ctx, id, unwind.ReplayRequest{Reason: "r", NewKey: true, Actor: "local"})
	p.say("replay without evidence", unwind.InvalidRequest, err, nil)
	_, err = p.s.Resolve(ctx, id, unwind.ResolveRequest{Reason: "r", Actor: "local"})
	p.say("resolve without evidence", unwind.InvalidRequest, err, nil)
	_, err = p.s.Resolve(ctx, "x", unwind.ResolveRequest{Reason: "r", Evidence: "e", Actor: "local"})
	p.say("resolve nothing", unwind.NotFound, err, nil)
	d, err = p.s.Resolve(ctx, id, unwind.ResolveRequest{Reason: "by hand", Evidence: "R-17", Actor: "local"})
	p.say("resolve", "", err, d)
	_, err = p.s.Resolve(ctx, id, unwind.ResolveRequest{Reason: "by hand", Evidence: "R-17", Actor: "local"})
	p.say("resolve twice", unwind.Conflict, err, nil)
	_, err = p.s.Replay(ctx, id, unwind.ReplayRequest{Reason: "r", Actor: "local"})
	p.say("replay what is resolved", unwind.Conflict, err, nil)
	d, err = p.s.Note(ctx, id, unwind.NoteRequest{Text: "the bank is asked", Owner: "ann", Actor: "local"})
	p.say("note", "", err, d)
	_, err = p.s.Note(ctx, id, unwind.NoteRequest{Actor: "local"})
	p.say("note nothing", unwind.InvalidRequest, err, nil)
	d, err = p.s.Reopen(ctx, id, unwind.ReopenRequest{Reason: "a mistake", Actor: "local"})
	p.say("reopen", "", err, d)
	_, err = p.s.Reopen(ctx, id, unwind.ReopenRequest{Reason: "a mistake", Actor: "local"})
	p.say("reopen twice", unwind.Conflict, err, nil)
	groups, err := p.s.DeadLetterGroups(ctx, unwind.GroupFilter{Saga: "dead", State: unwind.DeadLetterOpen})
	p.say("groups", "", err, groups)
	_, err = p.s.DeadLetterGroups(ctx, unwind.GroupFilter{Page: unwind.Page{Cursor: "d1.2"}})
	p.say("groups of a foreign cursor", unwind.InvalidRequest, err, nil)
	p.operated(id)
}

func (p *player) operated(dead string) {
	ctx := p.t.Context()
	slow := unwind.Rate{Calls: 1, Per: unwind.Hour}
	req := unwind.OperationRequest{Kind: unwind.OperationReplay, Selection: &unwind.Selection{IDs: []string{dead, "x"}}, Rate: &slow, Reason: "mended", Key: "op", Actor: "local"}
	plan, err := p.s.PlanOperation(ctx, req)
	if err != nil || plan.Eligible != 1 || plan.Skipped["not found"] != 1 {
		p.t.Fatalf("the plan is %+v, error %v", plan, err)
	}
	op, err := p.s.StartOperation(ctx, req)
	if err != nil || op.Counts.Total != 2 || op.Rate == nil || *op.Rate != slow {
		p.t.Fatalf("it began as %+v, error %v", op, err)
	}
	again, err := p.s.StartOperation(ctx, req)
	if err != nil || again.ID != op.ID {
		p.t.Fatalf("twice it began as %+v, error %v", again, err)
	}
	_, err = p.s.StartOperation(ctx, unwind.OperationRequest{Kind: unwind.OperationReplay, Selection: &unwind.Selection{}, Reason: "r"})
	p.say("an operation on nothing", unwind.InvalidRequest, err, nil)
	_, err = p.s.Operation(ctx, "x")
	p.say("no operation", unwind.NotFound, err, nil)
	yes := true
	changed, err := p.s.ChangeOperation(ctx, op.ID, unwind.OperationChange{Paused: &yes, Reason: "wait", Actor: "local"})
	if err != nil || changed.State != unwind.OperationPaused || changed.Paused.Reason != "wait" {
		p.t.Fatalf("paused it is %+v, error %v", changed, err)
	}
	aborted, err := p.s.AbortOperation(ctx, op.ID, unwind.AbortRequest{Reason: "enough & more", Actor: "local"})
	if err != nil || aborted.State != unwind.OperationAborted {
		p.t.Fatalf("aborted it is %+v, error %v", aborted, err)
	}
	_, err = p.s.AbortOperation(ctx, op.ID, unwind.AbortRequest{Actor: "local"})
	p.say("abort twice", unwind.Conflict, err, nil)
	list, err := p.s.Operations(ctx, unwind.OperationFilter{State: unwind.OperationAborted})
	if err != nil || len(list.Items) != 1 || list.Items[0].ID != op.ID {
		p.t.Fatalf("the list is %+v, error %v", list, err)
	}
}

func (p *player) definitions() {
	ctx := p.t.Context()
	good := unwind.Definition{Name: "paid", Deadline: unwind.Minute, Steps: []unwind.Step{
		{
			Name: "charge", Action: &unwind.Call{Service: "payments", Path: "/charge", Body: raw(`{"n":"${input.n}","x":1.50}`), Timeout: unwind.Second},
			Compensation: &unwind.Call{Service: "payments", Path: "/refund", Priority: unwind.Money}, Retry: &unwind.Retry{Attempts: 3},
		},
		{Name: "tell", After: []string{}, Action: &unwind.Call{Service: "payments", Path: "/tell"}, Compensation: unwind.None},
	}}
	rev, err := p.s.PutDefinition(ctx, good, "local")
	p.say("put", "", err, rev)
	again, err := p.s.PutDefinition(ctx, rev.Definition, "local")
	p.say("put what came back", "", err, again)
	if rev.Version != good.Digest() {
		p.t.Errorf("the version is %s, want %s", rev.Version, good.Digest())
	}
	longer := good
	longer.Deadline = unwind.Hour
	_, err = p.s.PutDefinition(ctx, longer, "local")
	p.say("put another", "", err, nil)
	got, err := p.s.Definition(ctx, "paid", "")
	p.say("definition", "", err, got)
	if got.Version != longer.Digest() {
		p.t.Errorf("the newest version is %s, want %s", got.Version, longer.Digest())
	}
	got, err = p.s.Definition(ctx, "paid", rev.Version)
	p.say("definition before", "", err, got)
	if got.Definition.Deadline != unwind.Minute {
		p.t.Errorf("the version before is %+v", got)
	}
	_, err = p.s.Definition(ctx, "paid", "sha256:0")
	p.say("no such version", unwind.UnknownSaga, err, nil)
	_, err = p.s.Definition(ctx, "nothing", "")
	p.say("no definition", unwind.UnknownSaga, err, nil)
	list, err := p.s.Definitions(ctx, unwind.Page{Limit: 2})
	p.say("definitions", "", err, list)
	list, err = p.s.Definitions(ctx, unwind.Page{Cursor: list.NextCursor})
	p.say("definitions on", "", err, list)

	bad := good
	bad.Steps = append(slices.Clone(good.Steps), unwind.Step{Name: "charge", Action: &unwind.Call{Service: "paymentz", Path: "x"}}, unwind.Step{Name: "wait", Kind: unwind.DelayStep})
	for _, def := range []unwind.Definition{good, bad, {}} {
		faults, err := p.s.Validate(ctx, def)
		var pointers []string
		for _, f := range faults {
			pointers = append(pointers, fmt.Sprint(f.Pointer, f.Warning))
		}
		slices.Sort(pointers)
		p.say("validate "+def.Name, "", err, pointers)
	}
	_, err = p.s.PutDefinition(ctx, bad, "local")
	var u *unwind.Error
	if !errors.As(err, &u) || u.Code != unwind.InvalidRequest || len(u.Faults) < 3 {
		p.t.Errorf("put a bad definition: %v", err)
	}
}

// limits sets limits above the configuration, and takes them back.
func (p *player) limits(scope unwind.Scope) {
	rate, none, few, many := unwind.PerSecond(3), unwind.Rate{}, 4, 0
	for _, req := range []struct {
		name string
		unwind.ControlRequest
		code unwind.Code
	}{
		{"nothing", unwind.ControlRequest{}, unwind.InvalidRequest},
		{"no rate", unwind.ControlRequest{Limits: &unwind.LimitsChange{Rate: &none}}, unwind.InvalidRequest},
		{"no concurrency", unwind.ControlRequest{Limits: &unwind.LimitsChange{Concurrency: &many}}, unwind.InvalidRequest},
		{"a weight", unwind.ControlRequest{Limits: &unwind.LimitsChange{Weight: &few}}, unwind.InvalidRequest},
		{"for a year", unwind.ControlRequest{Limits: &unwind.LimitsChange{Rate: &rate}, ExpiresIn: 8760 * unwind.Hour}, unwind.InvalidRequest},
		{"a rate", unwind.ControlRequest{Limits: &unwind.LimitsChange{Rate: &rate}, ExpiresIn: unwind.Hour}, ""},
		{"a concurrency", unwind.ControlRequest{Limits: &unwind.LimitsChange{Concurrency: &few}}, ""},
	} {
		req.Scope, req.Reason, req.Actor = scope, "trying", "local"
		state, err := p.s.Control(p.t.Context(), req.ControlRequest)
		if err == nil && (state.State.Rate.Effective == nil || *state.State.Rate.Effective != 3 || state.State.Override == nil || state.State.Override.By != "local") {
			p.t.Errorf("setting %s: the scope stands at %+v", req.name, state.State)
		}
		p.say("limit: "+req.name, req.code, err, nil)
	}
	state, err := p.s.Control(p.t.Context(), unwind.ControlRequest{Scope: scope, Reset: true, Reason: "done", Actor: "local"})
	if err == nil && state.State.Override != nil {
		p.t.Errorf("the limits stand after they were reset: %+v", state.State.Override)
	}
	p.say("limit: reset", "", err, nil)
}

func (p *player) operations() {
	ctx := p.t.Context()
	states, err := p.s.Participants(ctx)
	p.say("services", "", err, states)
	payments := unwind.Scope{Kind: unwind.ScopeCompensation, Name: "payments"}
	for _, req := range []struct {
		scope  unwind.Scope
		reason string
		paused bool
		code   unwind.Code
	}{
		{unwind.Scope{Kind: "sideways", Name: "payments"}, "x", true, unwind.InvalidRequest},
		{unwind.Scope{Kind: unwind.ScopeGlobal, Name: "payments"}, "x", true, unwind.InvalidRequest},
		{unwind.Scope{Kind: unwind.ScopeTenant, Name: "order"}, "x", true, unwind.InvalidRequest},
		{unwind.Scope{Kind: unwind.ScopeSagaType, Name: "nothing"}, "x", true, unwind.UnknownSaga},
		{payments, "", true, unwind.InvalidRequest},
		{unwind.Scope{Kind: unwind.ScopeForward, Name: "nobody"}, "x", true, unwind.NotFound},
		{payments, "x", false, unwind.Conflict},
		{payments, "they move house", true, ""},
		{payments, "they have moved", false, ""},
		{unwind.Scope{Kind: unwind.ScopeGlobal}, "a storm", true, ""},
		{unwind.Scope{Kind: unwind.ScopeGlobal}, "it is over", false, ""},
	} {
		state, err := p.s.Control(ctx, unwind.ControlRequest{Scope: req.scope, Reason: req.reason, Paused: &req.paused, Actor: "local"})
		if err == nil {
			if pause := state.State.Paused; req.paused != (pause != nil) || pause != nil && (pause.By != "local" || pause.At.IsZero() || pause.Reason != req.reason) {
				p.t.Errorf("pausing or resuming: %+v", pause)
			}
		}
		p.say("control "+req.scope.String(), req.code, err, nil)
	}
	p.limits(payments)
	scopes, err := p.s.Scopes(ctx)
	p.say("scopes", "", err, scopes)
	audit, err := p.s.Audit(ctx, unwind.Page{})
	p.say("audit", "", err, audit)
	compared, err := p.s.Reconcile(ctx, unwind.ReconcileRequest{})
	p.say("what the services say", "", err, compared)
	_, err = p.s.Reconcile(ctx, unwind.ReconcileRequest{Saga: "nothing"})
	p.say("what they say of nothing", unwind.UnknownSaga, err, nil)
	p.say("a release of what is not on hold", unwind.Conflict, p.s.Release(ctx, unwind.ReleaseRequest{Reason: "x"}), nil)
	first, err := p.s.Audit(ctx, unwind.Page{Limit: 1, Cursor: "oldest"})
	p.say("the oldest row of the audit", "", err, first)
	head, err := p.s.AuditHead(ctx)
	p.say("the end of the audit", "", err, head)
	_, err = p.s.Audit(ctx, unwind.Page{Cursor: "nonsense"})
	p.say("audit from nowhere", unwind.InvalidRequest, err, nil)
	alerts, err := p.s.Alerts(ctx, unwind.AlertFilter{})
	p.say("alerts", "", err, alerts)
	stats, err := p.s.Stats(ctx)
	p.say("stats", "", err, stats)
}
