package main

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A participant that says more than it was asked for: net/http has a word on that,
// which must not go past the server's own log.
func TestWhatLibrariesLogIsALineOfTheServersLog(t *testing.T) {
	shop := httptest.NewTLSServer(http.HandlerFunc(babble))
	defer shop.Close()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shop.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", roots)
	file := filepath.Join(t.TempDir(), "unwind.yaml")
	text := "services: {shop: {url: " + shop.URL + "}}\n" +
		"sagas: {buy: {steps: [{name: charge, action: {service: shop, path: /charge}, compensation: none}]}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	c := launch(t, "serve", "--config", file, "--store", "memory:", "--listen", address, "--log-json")
	eventuallyTrue(t, "the server", func() bool { return ready("http://" + address) })
	// It says so only of a connection that it would use again: one whose request it knows
	// to be out 50 ms after the answer, which takes another call on a machine with much to do.
	eventuallyTrue(t, "the word of net/http", func() bool {
		if code := launch(t, "--server", "http://"+address, "saga", "start", "buy", "--wait", "60s").wait(); code != 0 {
			t.Fatalf("exit code %d", code)
		}
		return strings.Contains(c.stderr.String(), "Unsolicited response")
	})
	c.signal(syscall.SIGTERM)
	c.wait()
	for line := range strings.Lines(c.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("this line is not JSON: %s", line)
		}
	}
}

// babble answers a call, and adds to that.
func babble(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nand more")
	_, _ = io.Copy(io.Discard, conn) // until the caller hangs up
	_ = conn.Close()
}
