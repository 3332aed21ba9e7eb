package alert_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unwindhq/unwind/alert"
)

// A recorder keeps a log, and says when it has begun.
type recorder struct {
	mu    sync.Mutex
	text  strings.Builder
	lines int
	more  chan struct{}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lines++; r.lines == 1 {
		close(r.more)
	}
	return r.text.Write(p)
}

// G15: neither the secret that signs nor what is secret in a sink's address is
// logged, however the sink fails.
func TestASinksSecretsAreInNoLog(t *testing.T) {
	const canary = "canary-c2lnbmVk"
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer refusing.Close()
	host := strings.TrimPrefix(refusing.URL, "http://")
	for name, address := range map[string]string{
		"a sink that refuses":       "http://user:" + canary + "@" + host + "/" + canary + "?key=" + canary,
		"nobody there":              "http://user:" + canary + "@127.0.0.1:1/" + canary,
		"a name without an address": "http://unwind.invalid/" + canary,
		"a URL that can't be read":  "http://" + canary + " .invalid/" + canary,
		"a protocol that is none":   "gopher://" + host + "/" + canary,
	} {
		for _, k := range []alert.Sink{
			{Kind: alert.Webhook, Secret: secret}, {Kind: alert.Slack}, {Kind: alert.PagerDuty, Secret: canary}, {Kind: alert.Alertmanager},
		} {
			t.Run(name+", "+string(k.Kind), func(t *testing.T) {
				k.URL = address
				log := &recorder{more: make(chan struct{})}
				run(t, alert.Config{Source: newSource("1"), Sinks: []alert.Sink{k}, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
				select {
				case <-log.more:
				case <-time.After(20 * time.Second):
					t.Fatal("the failure is not logged")
				}
				log.mu.Lock()
				defer log.mu.Unlock()
				if text := log.text.String(); strings.Contains(text, canary) || strings.Contains(text, secret) {
					t.Errorf("the log says %s", text)
				}
			})
		}
	}
	_, err := alert.New(alert.Config{Sinks: []alert.Sink{{Kind: alert.Webhook, URL: "http://sink/" + canary, Secret: "whsec_" + canary + "!"}}})
	if err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("a secret that can't sign got %v", err)
	}
}
