package engine

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	urlpkg "net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
)

// echo counts its connections and answers with what it was sent.
func echo(t *testing.T) (url string, connections func() int) {
	t.Helper()
	var mu sync.Mutex
	n := 0
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %d", r.Method, r.URL.RequestURI(), len(b))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			mu.Lock()
			defer mu.Unlock()
			n++
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.URL, func() int { mu.Lock(); defer mu.Unlock(); return n }
}

func newTestPool(t *testing.T, base string) *pool {
	t.Helper()
	p := newPool(base, NewTransport(unwind.Participant{URL: base}))
	if p == nil {
		t.Fatalf("%s gets no pool", base)
	}
	t.Cleanup(p.close)
	return p
}

// post sends a call and reads its answer.
func post(ctx context.Context, p *pool, url string, body []byte) (string, bool, error) {
	u, err := urlpkg.Parse(url)
	if err != nil {
		return "", false, err
	}
	head := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", u.RequestURI(), u.Host, len(body))
	resp, unsent, err := p.send(ctx, head, body)
	if err != nil {
		return "", unsent, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), unsent, err
}

func TestOneConnectionServesOneCallAfterAnother(t *testing.T) {
	url, connections := echo(t)
	p := newTestPool(t, url)
	for _, size := range []int{0, 1, 4095, 4096, 4097, 1 << 20} {
		got, _, err := post(t.Context(), p, url+"/charge?a=b", make([]byte, size))
		if want := fmt.Sprintf("POST /charge?a=b %d", size); err != nil || got != want {
			t.Fatalf("got %q, error %v; want %q", got, err, want)
		}
	}
	if n := connections(); n != 1 {
		t.Errorf("it took %d connections", n)
	}
}

func TestCallsAtOnceHaveConnectionsOfTheirOwn(t *testing.T) {
	url, connections := echo(t)
	p := newTestPool(t, url)
	for range 20 {
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				if got, _, err := post(t.Context(), p, url+"/", []byte("{}")); err != nil || got != "POST / 2" {
					t.Errorf("got %q, error %v", got, err)
				}
			})
		}
		all.Wait()
	}
	if n := connections(); n > 16 {
		t.Errorf("it took %d connections", n)
	}
	if n := len(p.idle); n == 0 || n > 16 {
		t.Errorf("%d are idle", n)
	}
}

// The participant closes a connection in its own time: the next call sees that
// before it is sent.
func TestAConnectionThatWasClosedIsNotUsed(t *testing.T) {
	url, _ := echo(t)
	p := newTestPool(t, url)
	if _, _, err := post(t.Context(), p, url+"/", nil); err != nil {
		t.Fatal(err)
	}
	c := p.last()
	if !c.isOpen() {
		t.Fatal("an idle connection counts as closed")
	}
	if err := c.conn.(*net.TCPConn).CloseWrite(); err != nil { // the server answers that by closing
		t.Fatal(err)
	}
	if _, err := c.in.Peek(1); err == nil {
		t.Fatal("there is something to read")
	}
	if c.isOpen() {
		t.Fatal("a closed connection counts as open")
	}
	p.give(c)
	if got, _, err := post(t.Context(), p, url+"/", []byte("{}")); err != nil || got != "POST / 2" {
		t.Fatalf("got %q, error %v", got, err)
	}
}

func TestWhatHasBeenIdleForLongIsClosed(t *testing.T) {
	url, _ := echo(t)
	p := newTestPool(t, url)
	for range 3 {
		c, err := p.dialer.DialContext(t.Context(), "tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		p.give(newConnection(c))
	}
	p.idle[0].since = time.Now().Add(-idleTime)
	p.idle[1].since = time.Now().Add(-idleTime - time.Second)
	p.closeOld()
	if len(p.idle) != 1 || p.prune == nil {
		t.Fatalf("%d are idle, and there is a timer: %v", len(p.idle), p.prune != nil)
	}
	p.idle[0].since = time.Now().Add(-idleTime)
	p.closeOld()
	if len(p.idle) != 0 || p.prune != nil {
		t.Fatalf("%d are idle, and there is a timer: %v", len(p.idle), p.prune != nil)
	}
}

func TestACallThatIsCutGivesNoConnectionBack(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := newHostile(t, func(conn net.Conn, _ int64) bool {
		_, _ = io.WriteString(conn, okHead+"Content-Length: 5\r\n\r\n{")
		cancel() // it was sent, whatever has been read of the answer
		_, _ = io.Copy(io.Discard, conn)
		return false
	})
	p := newTestPool(t, h.url())
	if _, unsent, err := post(ctx, p, h.url(), []byte("{}")); err == nil || unsent {
		t.Fatalf("unsent %v, error %v", unsent, err)
	}
	if len(p.idle) != 0 {
		t.Error("its connection is idle")
	}
}

func TestInterimAnswersAreSkippedUpToABound(t *testing.T) {
	for want, interim := range map[string]string{"{}": strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", 5), "": strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 10_000)} {
		h := newHostile(t, func(conn net.Conn, _ int64) bool {
			_, _ = io.WriteString(conn, interim+okHead+"Content-Length: 2\r\n\r\n{}")
			return true
		})
		if got, _, err := post(t.Context(), newTestPool(t, h.url()), h.url(), []byte("{}")); got != want || (err == nil) != (want != "") {
			t.Errorf("got %q, error %v; want %q", got, err, want)
		}
	}
}

func TestTLSAndForeignNamesAreForNetHTTP(t *testing.T) {
	for base, want := range map[string]string{
		"http://shop": "shop:80", "HTTP://shop:81/x": "shop:81", "http://[::1]:9": "[::1]:9", "https://shop": "", "http://bücher.example": "", "http://[fe80::1%25eth0]": "", "http://%": "",
	} {
		got := ""
		if p := newPool(base, nil); p != nil {
			got = p.address
		}
		if got != want {
			t.Errorf("%s is called at %q, want %q", base, got, want)
		}
	}
}
