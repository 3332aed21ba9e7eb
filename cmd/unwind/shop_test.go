package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/unwindhq/unwind/internal/gateway"
)

// A shop answers every call with {"id":"1"}, unless it was told otherwise.
type shop struct {
	server *httptest.Server
	log    *gateway.CallLog

	mu      sync.Mutex
	answers map[string]shopAnswer
	calls   map[string]int
	changed chan struct{} // closed when an answer changes
}

type shopAnswer struct {
	status     int
	body       string
	retryAfter string // empty: none
}

// newShop opens a shop that writes what it sees into dir/participant-shop.jsonl.
func newShop(dir string) (*shop, error) {
	log, err := gateway.OpenCallLog(dir, "shop", nil)
	if err != nil {
		return nil, err
	}
	s := &shop{log: log, answers: map[string]shopAnswer{}, calls: map[string]int{}, changed: make(chan struct{})}
	s.server = httptest.NewServer(log.Handler(s))
	return s, nil
}

func (s *shop) close() error {
	s.server.CloseClientConnections()
	s.server.Close()
	return s.log.Close()
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	s.calls[r.URL.Path]++
	s.mu.Unlock()
	for {
		s.mu.Lock()
		a, told := s.answers[r.URL.Path]
		changed := s.changed
		s.mu.Unlock()
		if !told {
			a = shopAnswer{status: http.StatusOK, body: `{"id":"1"}`}
		}
		if a.status == 0 { // silent, until the answer changes
			select {
			case <-changed:
				continue
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
		}
		if a.retryAfter != "" {
			w.Header().Set("Retry-After", a.retryAfter)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
		return
	}
}

func (s *shop) answer(path string, a shopAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = a
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *shop) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[path]
}

// shopCommand is what a script says to its shop:
//
//	shop answer PATH STATUS BODY [RETRY-AFTER]   what it answers from now on; 0: nothing, until told otherwise
//	shop hears PATH                waits until a call came in
//	shop counts PATH N             so many calls came in so far
func (s *session) shopCommand(args []string) {
	switch {
	case len(args) >= 4 && len(args) <= 5 && args[0] == "answer":
		status, err := strconv.Atoi(args[2])
		s.check(err)
		s.shop.answer(args[1], shopAnswer{status: status, body: args[3], retryAfter: strings.Join(args[4:], "")})
	case len(args) == 2 && args[0] == "hears":
		s.until("a call of "+args[1], func() bool { return s.shop.count(args[1]) > 0 })
	case len(args) == 3 && args[0] == "counts":
		if n := s.shop.count(args[1]); strconv.Itoa(n) != args[2] {
			s.fatalf("%d calls of %s; want %s", n, args[1], args[2])
		}
	default:
		s.fatalf("usage: shop answer PATH STATUS BODY [RETRY-AFTER] | shop hears PATH | shop counts PATH N")
	}
}

// givenAddresses are those that a test has, also while its server is down.
var givenAddresses sync.Map

func freeAddress(t *testing.T) string {
	t.Helper()
	for {
		address, err := gateway.FreeAddress(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, given := givenAddresses.LoadOrStore(address, true); !given {
			return address
		}
	}
}
