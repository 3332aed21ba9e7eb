package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/gateway"
	"github.com/unwindhq/unwind/store/memory"
)

// A shared buffer is written by the engine's logger.
type shared struct {
	mu sync.Mutex
	bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Buffer.Write(p)
}

// G15: the values of configured headers, which participants are sent, are in no
// log line, error, history, alert, metric or answer, though every participant
// sends them back in whatever it says.
func TestConfiguredSecretsAreShownNowhere(t *testing.T) {
	const canary = "canary-9f86d081"
	script := gateway.NewScript(gateway.ScriptOptions{})
	echo := func(status int) func(gateway.Request) gateway.Answer {
		return func(r gateway.Request) gateway.Answer {
			got := r.Header.Get("Authorization") + " " + r.Header.Get("X-Api-Key")
			if !strings.Contains(got, canary) {
				t.Errorf("the participant was not sent it: %q", got)
			}
			body, _ := json.Marshal(map[string]any{"detail": "I was sent " + got, "headers": r.Header})
			return gateway.Answer{Status: status, Body: string(body), Header: http.Header{"Location": {"http://elsewhere/?" + got}, "Content-Type": {"application/json"}}}
		}
	}
	for path, status := range map[string]int{"/reserve": 200, "/charge": 200, "/ship": 409, "/refund": 422, "/release": 401} {
		script.OnFunc(path, echo(status))
	}
	server := httptest.NewServer(script)
	t.Cleanup(server.Close)
	t.Cleanup(script.Close)
	log, registry := &shared{}, prometheus.NewRegistry()
	st := &faultyStore{Store: memory.New()}
	cfg := shopConfig(placeOrder(), server.URL, "")
	cfg.Store, cfg.Metrics = st, registry
	cfg.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	both(&cfg, func(p *unwind.Participant) {
		p.Headers = map[string]string{"Authorization": "Bearer " + canary, "X-Api-Key": canary}
	})
	gone := cfg.Participants["shop"]
	gone.URL = "http://127.0.0.1:1"
	cfg.Participants["gone"] = gone
	unreachable := placeOrder()
	unreachable.Name = "unreachable"
	unreachable.Steps[0].Action.Service = "gone"
	cfg.Definitions = append(cfg.Definitions, unreachable)
	w := &world{Engine: open(t, cfg), t: t, script: script}

	id := w.begin("o-1")
	w.alerted(unwind.AlertServiceFault) // of the release
	w.until("the refund is not dead", func() bool {
		list, err := w.DeadLetters(t.Context(), unwind.DeadLetterFilter{})
		return err == nil && len(list.Items) == 1
	})
	other, _, err := w.Start(t.Context(), unwind.StartRequest{Saga: "unreachable"})
	if err != nil {
		t.Fatal(err)
	}
	w.until("it has not failed", func() bool {
		inst, err := w.Get(t.Context(), other.ID)
		return err == nil && inst.Steps[0].Error != nil
	})

	var seen strings.Builder
	show := func(v any, err error) {
		if err != nil {
			fmt.Fprintln(&seen, err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(&seen, "%s\n%+v\n", b, v)
	}
	for _, saga := range []string{id, other.ID} {
		inst, err := w.Get(t.Context(), saga)
		show(inst, err)
		history, err := w.History(t.Context(), saga, unwind.Page{Limit: 1000})
		show(history, err)
	}
	list, err := w.List(t.Context(), unwind.Filter{})
	show(list, err)
	dead, err := w.DeadLetters(t.Context(), unwind.DeadLetterFilter{})
	show(dead, err)
	one, err := w.DeadLetter(t.Context(), dead.Items[0].ID)
	show(one, err)
	services, err := w.Participants(t.Context())
	show(services, err)
	alerts, err := w.Alerts(t.Context(), unwind.AlertFilter{})
	show(alerts, err)
	audit, err := w.Audit(t.Context(), unwind.AuditFilter{})
	show(audit, err)
	definitions, err := w.Definitions(t.Context(), unwind.Page{})
	show(definitions, err)
	faults, err := w.Validate(t.Context(), unwind.Definition{Name: "x", Steps: []unwind.Step{{Name: "a", Action: &unwind.Call{Service: "shpo", Path: "/"}}}})
	show(faults, err)
	rows, _, err := st.Journal(t.Context(), "", 1000)
	for i := range rows {
		show(string(rows[i].Body), err)
	}
	gathered, err := registry.Gather()
	show(gathered, err)
	st.set(func(f *faultyStore) { f.commit = errDisk })
	_, _, err = w.Start(t.Context(), unwind.StartRequest{Saga: "unreachable"})
	show(nil, err)
	st.set(func(f *faultyStore) { f.commit = nil })
	log.mu.Lock()
	defer log.mu.Unlock()
	for what, text := range map[string]string{"the log": log.String(), "what the engine answers": seen.String()} {
		if at := strings.Index(text, canary); at >= 0 {
			t.Errorf("%s has it: %s", what, text[max(at-200, 0):min(at+100, len(text))])
		}
	}
	if !strings.Contains(seen.String(), "I was sent") || !strings.Contains(seen.String(), "[hidden]") {
		t.Error("what the participants said is not shown at all")
	}
}
