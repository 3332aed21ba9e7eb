package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/unwindhq/unwind/participant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A clock stands still until it is moved.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	moved chan struct{} // closed at the next move
	waits chan struct{} // one for each wait that begins
}

func newClock() *clock {
	return &clock{now: time.Unix(1_000_000, 0), moved: make(chan struct{}), waits: make(chan struct{}, 100)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	close(c.moved)
	c.moved = make(chan struct{})
}

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	until := c.Now().Add(d)
	c.waits <- struct{}{}
	for {
		c.mu.Lock()
		over, moved := !c.now.Before(until), c.moved
		c.mu.Unlock()
		if over {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// serve serves a handler over real HTTP with a client of its own.
func serve(t testing.TB, h http.Handler) (url string, client *http.Client) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL, server.Client()
}

// newCall makes a call of a saga's step.
func newCall(t testing.TB, url, key string, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	call, err := participant.ParseCall(http.Header{participant.HeaderKey: {key}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(participant.HeaderKey, key)
	r.Header.Set(participant.HeaderDirection, string(call.Direction))
	return r
}
