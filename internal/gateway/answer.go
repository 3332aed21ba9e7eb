package gateway

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/unwindhq/unwind/participant"
)

// An Answer is how a [Script] answers one call. Its zero value is 200 without
// a body.
type Answer struct {
	// Status defaults to 200, with Redirect to 307.
	Status int
	// Header is added to the answer's. A Content-Length above the body's
	// length makes an answer that breaks off.
	Header http.Header
	Body   string

	// Until holds the answer until the channel is closed; Delay holds it by
	// the script's clock, after that.
	Until <-chan struct{}
	Delay time.Duration

	// At most one of these: the connection is reset without an answer; nothing
	// ever comes; a body without an end; a Location to go to.
	Reset    bool
	Never    bool
	Endless  bool
	Redirect string

	// Outcome is what the call log says the participant did: ok, fail or
	// unknown. Defaults to what the status means. With Reset, Never or Endless
	// the log has no return unless this is set: set it to ok for an effect
	// whose answer got lost.
	Outcome string
}

// Status answers with a status alone.
func Status(status int) Answer { return Answer{Status: status} }

// JSON answers 200 with a body.
func JSON(body string) Answer {
	return Answer{Body: body, Header: http.Header{"Content-Type": {"application/json"}}}
}

// Refused answers 409 and says that nothing happened.
func Refused() Answer {
	return Answer{Status: http.StatusConflict, Header: http.Header{participant.HeaderOutcome: {"refused"}}}
}

// Throttled answers 429, with a Retry-After unless that is empty.
func Throttled(retryAfter string) Answer {
	a := Status(http.StatusTooManyRequests)
	if retryAfter != "" {
		a.Header = http.Header{"Retry-After": {retryAfter}}
	}
	return a
}

// Times repeats an answer n times.
func Times(n int, a Answer) []Answer {
	answers := make([]Answer, n)
	for i := range answers {
		answers[i] = a
	}
	return answers
}

// status is the answer's status with its defaults.
func (a Answer) status() int {
	switch {
	case a.Status != 0:
		return a.Status
	case a.Redirect != "":
		return http.StatusTemporaryRedirect
	}
	return http.StatusOK
}

// logged is what the call log gets; an empty outcome: nothing.
func (a Answer) logged() (status int, stated, outcome string) {
	stated = a.Header.Get(participant.HeaderOutcome)
	if a.Reset || a.Never || a.Endless {
		return 0, "", a.Outcome
	}
	if a.Outcome != "" {
		return a.status(), stated, a.Outcome
	}
	return a.status(), stated, OutcomeOf(a.status(), stated)
}

// send gives the answer. ctx ends when the caller goes or the script is closed.
func (a Answer) send(ctx context.Context, w http.ResponseWriter) {
	switch {
	case a.Reset:
		reset(w)
		return
	case a.Never:
		<-ctx.Done()
		panic(http.ErrAbortHandler)
	}
	for name, values := range a.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if a.Redirect != "" {
		w.Header().Set("Location", a.Redirect)
	}
	w.WriteHeader(a.status())
	_, _ = w.Write([]byte(a.Body))
	if !a.Endless {
		return
	}
	chunk := make([]byte, 32<<10)
	for i := range chunk {
		chunk[i] = ' ' // JSON may begin with any amount of space
	}
	for ctx.Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			break
		}
	}
	panic(http.ErrAbortHandler)
}

// reset closes the connection so that the caller's kernel sees a RST.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2 has streams to reset
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
