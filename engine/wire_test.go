package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/internal/gateway"
)

// place-order: reserve (undo release) -> charge (undo refund) -> ship (undo
// cancel), with short waits. The services answer by script.
func placeOrder() unwind.Definition {
	fast := &unwind.Retry{Initial: 5 * unwind.Millisecond, Max: 20 * unwind.Millisecond, Multiplier: 2, Attempts: 5}
	undo := *fast
	undo.Attempts = 4
	step := func(name, undo string) unwind.Step {
		return unwind.Step{Name: name, Action: &unwind.Call{Service: "shop", Path: "/" + name}, Compensation: &unwind.Call{Service: "shop", Path: "/" + undo}}
	}
	def := unwind.Definition{Name: "place-order", Retry: fast, CompensationRetry: &undo,
		Steps: []unwind.Step{step("reserve", "release"), step("charge", "refund"), step("ship", "cancel")}}
	def.Steps[1].Action.Service, def.Steps[1].Compensation.Service = "payments", "payments"
	return def
}

// both changes what is declared of the two services.
func both(cfg *engine.Config, change func(*unwind.Participant)) {
	for name, p := range cfg.Participants {
		change(&p)
		cfg.Participants[name] = p
	}
}

// A world is one engine and one scripted participant, over real HTTP, which
// plays both services.
type world struct {
	*engine.Engine
	t      *testing.T
	script *gateway.Script
	many   int // orders that beginMany has begun
}

const (
	// callTimeout is that of a service with a call that is never answered; no other
	// call ends by its time, however busy the machine is.
	callTimeout = 600 * unwind.Millisecond
	// eventually is longer than anything takes that comes at all.
	eventually = unwind.Minute
)

// newWorld scripts the participant in words: "charge:500,200 refund:429,200".
// An answer is a status, or never, reset, garbage, empty, done, refused,
// in_progress; a status may carry a hint in seconds, as in 429+1. 429*40 is
// forty of them.
func newWorld(t *testing.T, def unwind.Definition, words string, tweak func(*engine.Config)) *world {
	t.Helper()
	script := scripted(words)
	server := httptest.NewServer(script)
	cfg := shopConfig(def, server.URL, words)
	if tweak != nil {
		tweak(&cfg)
	}
	w := &world{t: t, script: script}
	t.Cleanup(server.Close)
	t.Cleanup(script.Close)
	w.Engine = open(t, cfg)
	return w
}

// scripted is a participant that answers as the words say.
func scripted(words string) *gateway.Script {
	script := gateway.NewScript(gateway.ScriptOptions{Name: "shop"})
	for _, path := range []string{"reserve", "release", "charge", "refund", "ship", "cancel", "label", "unlabel", "status"} {
		script.On("/"+path, gateway.JSON(`{"by":"`+path+`"}`))
	}
	for _, w := range strings.Fields(words) {
		path, answers, _ := strings.Cut(w, ":")
		var list []gateway.Answer
		for _, a := range strings.Split(answers, ",") {
			word, times, _ := strings.Cut(a, "*")
			n, _ := strconv.Atoi(times)
			list = append(list, gateway.Times(max(n, 1), answerOf(word))...)
		}
		script.On("/"+path, list...)
	}
	return script
}

// shopConfig declares both services at one address. What the words never answer
// ends soon.
func shopConfig(def unwind.Definition, url, words string) engine.Config {
	shop := unwind.Participant{URL: url, Timeout: eventually, Settle: 30 * unwind.Millisecond,
		Compensation: unwind.Limits{Rate: unwind.PerSecond(1000), Concurrency: 10}}
	cfg := engine.Config{
		Definitions:  []unwind.Definition{def},
		Participants: map[string]unwind.Participant{"shop": shop, "payments": shop},
	}
	for w := range strings.FieldsSeq(words) {
		path, answers, _ := strings.Cut(w, ":")
		if !strings.Contains(answers, "never") {
			continue
		}
		service := "shop"
		if path == "charge" || path == "refund" {
			service = "payments"
		}
		p := cfg.Participants[service]
		p.Timeout = callTimeout
		cfg.Participants[service] = p
	}
	return cfg
}

func answerOf(word string) gateway.Answer {
	word, hint, _ := strings.Cut(word, "+")
	switch word {
	case "never":
		return gateway.Answer{Never: true}
	case "reset":
		return gateway.Answer{Reset: true}
	case "endless":
		return gateway.Answer{Endless: true}
	case "redirect":
		return gateway.Answer{Redirect: "http://169.254.169.254/"}
	case "garbage":
		return gateway.Answer{Body: "<html>"}
	case "empty":
		return gateway.Status(200)
	case "refused":
		return gateway.Refused()
	case "currency":
		return gateway.Answer{Status: 422, Body: `{"message":"unknown currency"}`}
	case "not_done", "done", "in_progress":
		return gateway.JSON(`{"outcome":"` + word + `","output":{"by":"status"}}`)
	}
	status, err := strconv.Atoi(word)
	if err != nil {
		panic(word)
	}
	if hint != "" {
		return gateway.Answer{Status: status, Header: map[string][]string{"Retry-After": {hint}}}
	}
	return gateway.Status(status)
}

// run starts an order and waits until it is at rest.
func (w *world) run(key string) *unwind.Instance {
	w.t.Helper()
	inst, _, err := w.Start(w.t.Context(), unwind.StartRequest{Saga: "place-order", Key: key, Input: json.RawMessage(`{"order":` + strconv.Quote(key) + `,"amount":12345678901234567890}`), Wait: eventually})
	if err != nil {
		w.t.Fatal(err)
	}
	return inst
}

// rest waits until the saga is at rest.
func (w *world) rest(id string) (inst *unwind.Instance) {
	w.t.Helper()
	w.until("saga "+id+" is not at rest", func() (rests bool) {
		var err error
		if inst, err = w.Get(w.t.Context(), id); err != nil {
			w.t.Fatal(err)
		}
		return inst.Status.AtRest()
	})
	return inst
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// calls is what the participant received, in order, with runs counted: "reserve charge*3 ship".
func (w *world) calls() string {
	var out []string
	last, n := "", 0
	flush := func() {
		if n > 1 {
			last += fmt.Sprintf("*%d", n)
		}
		if n > 0 {
			out = append(out, last)
		}
	}
	for _, r := range w.script.Requests() {
		name := strings.TrimPrefix(r.Path, "/")
		if name == last {
			n++
			continue
		}
		flush()
		last, n = name, 1
	}
	flush()
	return strings.Join(out, " ")
}

// steps is how the steps stand: "reserve succeeded 1 compensated 1, …": status
// and attempts of each direction, + and the throttled ones, ? where uncertain.
func steps(inst *unwind.Instance) string {
	var out []string
	count := func(attempts, throttled int, uncertain bool) string {
		text := strconv.Itoa(attempts)
		if throttled > 0 {
			text += "+" + strconv.Itoa(throttled)
		}
		if uncertain {
			text += "?"
		}
		return text
	}
	for _, s := range inst.Steps {
		text := fmt.Sprintf("%s %s %s", s.Name, s.Status, count(s.Attempts, s.Throttled, s.Uncertain))
		if c := s.Compensation; c != nil && c.Status != unwind.CompensationNone {
			text += fmt.Sprintf(" %s %s", c.Status, count(c.Attempts, c.Throttled, c.Uncertain))
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// bodies checks G8: one key and one body per step and direction.
func (w *world) bodies() {
	w.t.Helper()
	first := map[string]gateway.Request{}
	for _, r := range w.script.Requests() {
		if r.Method != http.MethodPost {
			continue
		}
		id := r.Saga + "/" + r.Step + "/" + r.Direction
		if f, ok := first[id]; !ok {
			first[id] = r
		} else if f.Key != r.Key || string(f.Body) != string(r.Body) {
			w.t.Errorf("%s was called with key %q and body %s, then with key %q and body %s", id, f.Key, f.Body, r.Key, r.Body)
		}
	}
}
