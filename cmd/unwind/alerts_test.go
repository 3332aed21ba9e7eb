package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/alert"
	"github.com/unwindhq/unwind/config"
)

// Liveness: an alert is out within 2 s of the commit of what it tells of, and its end
// is told too, with the dead letter that made it fire settled by hand.
func TestAnAlertIsOutWithinTwoSecondsAndSoIsItsEnd(t *testing.T) {
	type told struct {
		alert.Payload
		at time.Time
	}
	payloads := make(chan told, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		p := told{at: time.Now()}
		if err := json.NewDecoder(r.Body).Decode(&p.Payload); err == nil {
			payloads <- p
		}
	}))
	defer receiver.Close()
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/charge" {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
	}))
	defer shop.Close()
	file := strings.NewReplacer("SHOP", shop.URL, "HOOK", receiver.URL).Replace(`
listen: 127.0.0.1:0
store: "memory:"
services: {shop: {url: "SHOP"}}
sagas:
  order:
    steps:
      - {name: charge, action: {service: shop, path: /charge}, compensation: {service: shop, path: /refund}}
      - {name: ship, action: {service: shop, path: /ship}, compensation: none}
alerts:
  links: {runbooks: "https://docs.example/runbooks"}
  sinks: [{webhook: "HOOK", secret: "env:ALERT_SECRET"}]
`)
	cfg, err := config.Parse("unwind.yaml", []byte(file), func(name string) (string, bool) {
		return "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", name == "ALERT_SECRET"
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s, err := openServer(ctx, cfg, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	next := func(kind string) told {
		t.Helper()
		for {
			select {
			case p := <-payloads:
				if p.Type == kind {
					return p
				}
			case <-time.After(patience):
				t.Fatalf("nothing of the type %s came", kind)
			}
		}
	}
	inst, _, err := s.engine.Start(ctx, unwind.StartRequest{Saga: "order", Input: json.RawMessage("{}"), Wait: unwind.Minute})
	if err != nil || inst.Status != unwind.DeadLettered {
		t.Fatalf("the saga is %+v, %v", inst, err)
	}
	p := next("unwind.alert.dead_letter")
	dead, err := s.engine.DeadLetters(ctx, unwind.DeadLetterFilter{})
	if err != nil || len(dead.Items) != 1 {
		t.Fatalf("%d dead letters, %v", len(dead.Items), err)
	}
	took := p.at.Sub(dead.Items[0].DeadAt.Time)
	if took > 2*time.Second || p.Data.Group != dead.Items[0].Group || p.Data.Runbook != "https://docs.example/runbooks/dead_letter.md" || p.Data.Link != "/v1/dead-letters?group="+p.Data.Group+"&state=open" {
		t.Errorf("after %v came %+v", took, p.Data)
	}
	if _, err := s.engine.Resolve(ctx, dead.Items[0].ID, unwind.ResolveRequest{Reason: "paid in cash", Evidence: "slip 4711", Actor: "ann"}); err != nil {
		t.Fatal(err)
	}
	settled := time.Now()
	over := next("unwind.alert.dead_letter.resolved")
	t.Logf("the alert was out %v after its commit, its end %v after the dead letter was settled", took.Round(time.Millisecond), over.at.Sub(settled).Round(time.Millisecond))
	if over.Data.ID != p.Data.ID || over.Data.ResolvedAt == nil {
		t.Errorf("the end is %+v", over.Data)
	}
	metricsExist(t, s.url())
}

// metricsExist checks that the rules and the dashboard ask for nothing that a server
// does not have.
func metricsExist(t *testing.T, url string) {
	t.Helper()
	resp, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, name := range metricNames.FindAllString(string(page), -1) {
		have[name] = true
	}
	for _, file := range []string{"prometheus/unwind.rules.yml", "grafana/unwind.json"} {
		text, err := os.ReadFile("../../deploy/" + file)
		if err != nil {
			t.Fatal(err)
		}
		names := metricNames.FindAllString(string(text), -1)
		if len(names) < 6 {
			t.Errorf("%s asks for %d metrics", file, len(names))
		}
		for _, name := range names {
			if !have[name] {
				t.Errorf("%s asks for %s, which there is not", file, name)
			}
		}
	}
}

var metricNames = regexp.MustCompile(`\bunwind_[a-z_]+`)

// promtool of the distribution's package prometheus judges the rules.
func TestPrometheusTakesTheRules(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		if testing.Short() {
			t.Skip("promtool is missing, and is not installed for a short test; make race installs it")
		}
		install := exec.CommandContext(t.Context(), "sh", "-c", `set -- -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300
			apt-get update -q "$@" && apt-get install -y --no-install-recommends "$@" prometheus`)
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("installing the package prometheus, for promtool: %v: %s", err, out)
		}
	}
	for _, args := range [][]string{{"check", "rules", "unwind.rules.yml"}, {"test", "rules", "unwind.test.yml"}} {
		cmd := exec.CommandContext(t.Context(), "promtool", args...)
		cmd.Dir = "../../deploy/prometheus"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}
