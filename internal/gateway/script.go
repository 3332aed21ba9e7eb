package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/unwindhq/unwind/participant"
)

// A Request is one call that a [Script] received.
type Request struct {
	// N counts the calls of this path, from 1; PerKey those of this path and key.
	N, PerKey int
	At        time.Time
	Method    string
	Path      string
	Header    http.Header
	Body      []byte
	// Key, Saga, Step, Direction and Attempt are read from the headers as far
	// as they are there.
	Key, Saga, Step, Direction string
	Attempt                    int
}

// ScriptOptions describe a [Script].
type ScriptOptions struct {
	// Name is the participant's, for the call log. Defaults to "script".
	Name string
	// Log records each call; nil: none. The script does not close it.
	Log *CallLog
	// Clock defaults to [SystemClock].
	Clock Clock
}

// A Script is a participant that answers each path call by call, and records
// what it was asked. It is an [http.Handler] and safe for concurrent use. Close
// it before its server, which waits for the calls that are held.
type Script struct {
	options ScriptOptions
	closed  chan struct{}
	close   sync.Once

	mu       sync.Mutex
	answers  map[string]func(Request) Answer
	requests []Request
	perPath  map[string]int
	perKey   map[[2]string]int
	arrived  chan struct{} // closed at the next request
	strays   []Request
}

// NewScript makes a script without any answers: each path gets 501 and counts
// as a stray.
func NewScript(o ScriptOptions) *Script {
	if o.Name == "" {
		o.Name = "script"
	}
	if o.Clock == nil {
		o.Clock = SystemClock{}
	}
	return &Script{
		options: o, closed: make(chan struct{}), arrived: make(chan struct{}),
		answers: map[string]func(Request) Answer{}, perPath: map[string]int{}, perKey: map[[2]string]int{},
	}
}

// On has the nth call of a path answered by the nth answer, and all further
// ones by the last. Without any, calls are answered 200. It replaces what was
// said of the path before, and counts on. It returns the script.
func (s *Script) On(path string, answers ...Answer) *Script {
	answers = slices.Clone(answers)
	s.mu.Lock()
	first := s.perPath[path]
	s.mu.Unlock()
	return s.OnFunc(path, func(r Request) Answer {
		if len(answers) == 0 {
			return Answer{}
		}
		return answers[min(r.N-first, len(answers))-1]
	})
}

// OnFunc has the calls of a path answered by a function, which is called by
// many goroutines at once. It returns the script.
func (s *Script) OnFunc(path string, answer func(Request) Answer) *Script {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = answer
	return s
}

// Close lets go of all calls that are held; they end without an answer.
func (s *Script) Close() { s.close.Do(func() { close(s.closed) }) }

// Requests returns the calls so far, in the order they came.
func (s *Script) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Calls returns the calls of one path so far.
func (s *Script) Calls(path string) []Request {
	return slices.DeleteFunc(s.Requests(), func(r Request) bool { return r.Path != path })
}

// Strays returns the calls of paths that the script says nothing about.
func (s *Script) Strays() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.strays)
}

// Await returns the calls of a path once there are n of them. The error says
// how many there were when ctx ended.
func (s *Script) Await(ctx context.Context, path string, n int) ([]Request, error) {
	for {
		s.mu.Lock()
		arrived, got := s.arrived, s.perPath[path]
		s.mu.Unlock()
		if got >= n {
			return s.Calls(path), nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return s.Calls(path), fmt.Errorf("gateway: %s: %d of %d calls of %s: %w", s.options.Name, got, n, path, ctx.Err())
		}
	}
}

// ServeHTTP implements [http.Handler].
func (s *Script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLogged))
	if err != nil {
		http.Error(w, "the body can't be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	stopped := s.cancelAtClose(cancel)
	defer stopped()

	line := s.options.Log.invoke(r, body)
	request, answer := s.record(line, r, body)
	a := answer(request)
	if a.Until != nil {
		select {
		case <-a.Until:
		case <-ctx.Done():
			panic(http.ErrAbortHandler)
		}
	}
	if err := s.options.Clock.Wait(ctx, a.Delay); err != nil {
		panic(http.ErrAbortHandler)
	}
	if status, stated, outcome := a.logged(); outcome != "" {
		s.options.Log.giveBack(line, status, stated, outcome)
	}
	a.send(ctx, w)
}

// cancelAtClose calls cancel when the script is closed, until the returned
// function is called, which waits for the goroutine to end.
func (s *Script) cancelAtClose(cancel func()) (stop func()) {
	stopping, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-s.closed:
			cancel()
		case <-stopping:
		}
	}()
	return func() { close(stopping); <-ended }
}

// record keeps a request and finds who answers it.
func (s *Script) record(line Line, r *http.Request, body []byte) (Request, func(Request) Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := r.URL.Path
	s.perPath[path]++
	s.perKey[[2]string{path, line.Key}]++
	request := Request{
		N: s.perPath[path], PerKey: s.perKey[[2]string{path, line.Key}], At: s.options.Clock.Now(),
		Method: r.Method, Path: path, Header: r.Header.Clone(), Body: body,
		Key: line.Key, Saga: line.Saga, Step: line.Step, Direction: line.Direction, Attempt: line.Attempt,
	}
	s.requests = append(s.requests, request)
	answer := s.answers[path]
	if answer == nil {
		s.strays = append(s.strays, request)
		answer = func(Request) Answer {
			return Answer{Status: http.StatusNotImplemented, Body: "the script has no answer for " + path, Header: http.Header{
				"Content-Type": {"text/plain; charset=utf-8"}, participant.HeaderOutcome: {"refused"}}}
		}
	}
	close(s.arrived)
	s.arrived = make(chan struct{})
	return request, answer
}
