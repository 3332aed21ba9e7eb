package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/unwindhq/unwind/internal/demo"
	"github.com/unwindhq/unwind/internal/gateway"
	"github.com/unwindhq/unwind/participant"
)

// crashTimeout is how long the server waits for an answer.
const crashTimeout = 300 * time.Millisecond

// A network stands before a participant and does to calls what networks do: the
// participant writes down what reaches it, whoever hears its answer.
type network struct {
	next http.Handler

	mu    sync.Mutex
	rng   *rand.Rand
	quiet bool
	// downUntil is until when connections are cut as they come.
	downUntil time.Time
}

// dice throws a die of a hundred sides; from 100 on nothing happens.
func (n *network) dice() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.quiet:
		return 100
	case time.Now().Before(n.downUntil):
		return -1
	}
	roll := n.rng.IntN(300)
	if roll == 299 {
		n.downUntil = time.Now().Add(time.Duration(n.rng.IntN(300)) * time.Millisecond)
	}
	return roll
}

func (n *network) calm() {
	n.mu.Lock()
	n.quiet = true
	n.mu.Unlock()
}

func (n *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch roll := n.dice(); {
	case roll < 0: // the participant is down
		panic(http.ErrAbortHandler)
	case roll < 8: // done, and the answer is lost
		n.next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case roll < 13: // the call is lost, nobody answers
		waitOrGone(r, 2*crashTimeout)
		panic(http.ErrAbortHandler)
	case roll < 18: // held up until nobody waits any more, and done then
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		waitOrGone(r, crashTimeout+crashTimeout/2)
		late := r.Clone(context.WithoutCancel(r.Context()))
		late.Body = io.NopCloser(bytes.NewReader(body))
		n.next.ServeHTTP(httptest.NewRecorder(), late)
		panic(http.ErrAbortHandler)
	default:
		n.next.ServeHTTP(w, r)
	}
}

// moody has a participant answer in ways that its own code never would.
func (n *network) moody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		undo := r.Header.Get(participant.HeaderDirection) == string(participant.Compensation)
		switch roll := n.dice(); {
		case r.Method != http.MethodPost:
			next.ServeHTTP(w, r)
		case roll < 15:
			http.Error(w, "broken before anything was done", http.StatusInternalServerError)
		case roll < 25:
			http.Error(w, "too many", http.StatusTooManyRequests)
		case roll < 27:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "resting", http.StatusServiceUnavailable)
		case roll < 30 && undo: // a refusal that a person has to look at
			http.Error(w, "the books are closed for the day", http.StatusUnprocessableEntity)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// waitOrGone waits, but not for a caller that has gone away.
func waitOrGone(r *http.Request, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

// A town has the three participants behind their networks.
type town struct {
	networks []*network
	urls     map[string]string
}

// openTown opens the participants' books and call logs in dir.
func openTown(t *testing.T, dir string, rng *rand.Rand) *town {
	t.Helper()
	w := &town{urls: map[string]string{}}
	for _, name := range demo.Names {
		p, err := demo.Open(t.Context(), demo.Options{Name: name, Dir: dir, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		log, err := gateway.OpenCallLog(dir, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := &network{rng: rand.New(rand.NewPCG(rng.Uint64(), 1))}
		n.next = log.Handler(n.moody(p.Handler()))
		server := httptest.NewServer(n)
		t.Cleanup(func() {
			server.Close()
			if err := errors.Join(p.Close(), log.Close()); err != nil {
				t.Error(err)
			}
		})
		w.networks = append(w.networks, n)
		w.urls[name] = server.URL
	}
	return w
}

func (w *town) calm() {
	for _, n := range w.networks {
		n.calm()
	}
}
