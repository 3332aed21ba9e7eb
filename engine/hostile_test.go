package engine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
)

// A hostile participant speaks TCP: what it answers need not be HTTP.
type hostile struct {
	net.Listener
	answer func(net.Conn)
	open   atomic.Int64 // connections
	got    atomic.Int64 // complete requests
	wg     sync.WaitGroup
}

// newHostile answers each complete request by a function; the connection stays
// open until that returns false.
func newHostile(t *testing.T, answer func(conn net.Conn, n int64) (again bool)) *hostile {
	t.Helper()
	h := newListener(t)
	h.answer = func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if _, err := io.ReadAll(req.Body); err != nil {
				return
			}
			if !answer(conn, h.got.Add(1)) {
				return
			}
		}
	}
	h.serve()
	return h
}

func newListener(t *testing.T) *hostile {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{Listener: l}
	t.Cleanup(func() {
		_ = l.Close()
		h.wg.Wait()
		if n := h.open.Load(); n != 0 {
			t.Errorf("%d connections are left open", n)
		}
	})
	return h
}

func (h *hostile) serve() {
	h.wg.Go(func() {
		for {
			conn, err := h.Accept()
			if err != nil {
				return
			}
			h.open.Add(1)
			h.wg.Go(func() {
				defer h.open.Add(-1)
				defer func() { _ = conn.Close() }()
				h.answer(conn)
			})
		}
	})
}

func (h *hostile) url() string { return "http://" + h.Addr().String() }

// say answers with a text, whatever it means, and hangs up.
func say(text string) func(net.Conn, int64) bool {
	return func(conn net.Conn, _ int64) bool {
		_, _ = io.WriteString(conn, text)
		return false
	}
}

// A dialogue is one caller and the step that it calls.
type dialogue struct {
	t      *testing.T
	caller *caller
	plan   *machine.Plan
	saga   id.ID
}

func newDialogue(t *testing.T, p unwind.Participant) *dialogue {
	t.Helper()
	participants := map[string]unwind.Participant{"shop": p}
	def := unwind.Definition{Name: "order", Steps: []unwind.Step{{Name: "charge",
		Action: &unwind.Call{Service: "shop", Path: "/charge"}, Compensation: &unwind.Call{Service: "shop", Path: "/refund"}}}}
	plan, err := machine.Compile(&def, participants)
	if err != nil {
		t.Fatal(err)
	}
	d := &dialogue{t: t, caller: newCaller(participants, nil), plan: plan, saga: id.NewSource(nil, nil).New(1)}
	t.Cleanup(d.caller.close)
	return d
}

// attempt makes one call, which gets the time until it is cut.
func (d *dialogue) attempt(dir unwind.Direction, timeout time.Duration) machine.Answer {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), timeout)
	defer cancel()
	a, rest := d.caller.call(ctx, d.plan.Call(0, dir), &node.Call{
		Plan: d.plan, Saga: d.saga, Dir: dir, Attempt: 1, Key: "k/charge/" + string(dir), Body: []byte(`{"input":1}`),
	})
	drain(rest)
	return a
}

var faults = map[machine.Fault]string{machine.FaultNotSent: "not sent", machine.FaultCertificate: "certificate", machine.FaultTimeout: "timeout",
	machine.FaultBroken: "broken", machine.FaultUnreadable: "unreadable", machine.FaultForbidden: "forbidden"}

// meaning is what an answer comes to, in words.
func meaning(a machine.Answer) string {
	if a.Fault != machine.NoFault {
		return faults[a.Fault]
	}
	if class := a.Class(false); class != "" {
		return string(class)
	}
	return fmt.Sprintf("done %s", a.Output)
}

const okHead = "HTTP/1.1 200 OK\r\n"

func TestHostileAnswersAreNeverMoreThanTheySay(t *testing.T) {
	many := func(n int, line string) string { return strings.Repeat(line, n) }
	for _, c := range []struct{ name, answer, want string }{
		{"nothing at all", "", "broken"},
		{"garbage instead of a status line", "SSH-2.0-OpenSSH_9.9\r\n\r\n", "broken"},
		{"a status that is no number", "HTTP/1.1 2OO OK\r\n\r\n", "broken"},
		{"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "broken"},
		{"a status below all classes", "HTTP/1.1 099 What\r\nContent-Length: 0\r\n\r\n", "unreadable"},
		{"a status above all classes", "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", "uncertain"},
		{"a protocol that does not exist", "HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n", "done "},
		{"HTTP/1.0 without a length", "HTTP/1.0 200 OK\r\n\r\n{\"n\":1}", `done {"n":1}`},
		{"HTTP/1.0 refused", "HTTP/1.0 409 Conflict\r\n\r\nsold out", "refused"},
		{"HTTP/0.9", "{\"n\":1}", "broken"},
		{"the headers break off", okHead + "Content-Le", "broken"},
		{"a header without a colon", okHead + "nonsense\r\n\r\n", "broken"},
		{"a header bomb", okHead + many(20_000, "X-Bomb: yes\r\n") + "\r\n", "broken"},
		{"one endless header", okHead + "X-Bomb: " + many(1<<20, "x") + "\r\n\r\n", "broken"},
		{"a flood of 1xx", many(20_000, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") + okHead + "Content-Length: 0\r\n\r\n", "broken"},
		{"some 1xx before the answer", many(3, "HTTP/1.1 102 Processing\r\n\r\n") + okHead + "Content-Length: 2\r\n\r\n{}", "done {}"},
		{"another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: ws\r\nConnection: Upgrade\r\n\r\n", "unreadable"},
		{"a length that is too long", okHead + "Content-Length: 10\r\n\r\n{}", "broken"},
		{"a length that is too short", okHead + "Content-Length: 2\r\n\r\n{}{\"n\":1}", "done {}"},
		{"a length that cuts the JSON", okHead + "Content-Length: 5\r\n\r\n{\"n\":1}", "unreadable"},
		{"a negative length", okHead + "Content-Length: -1\r\n\r\n{}", "broken"},
		{"two lengths", okHead + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", "broken"},
		{"a chunk without a size", okHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", "broken"},
		{"chunks that break off", okHead + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", "broken"},
		{"a chunk of enormous size", okHead + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}\r\n0\r\n\r\n", "broken"},
		{"chunks and trailers", okHead + "Transfer-Encoding: chunked\r\nTrailer: Unwind-Outcome\r\n\r\n2\r\n{}\r\n0\r\nUnwind-Outcome: refused\r\n\r\n", "done {}"},
		{"gzip that is claimed", okHead + "Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\n{\"n\":1}", `done {"n":1}`},
		{"gzip that is there", okHead + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", "unreadable"},
		{"a redirect to a private address", "HTTP/1.1 307 Moved\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n", "service_fault"},
		{"a redirect to itself", "HTTP/1.1 302 Found\r\nLocation: /charge\r\nContent-Length: 0\r\n\r\n", "service_fault"},
		{"a redirect to nowhere", "HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n", "service_fault"},
		{"a redirect that can't be read", "HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n", "service_fault"},
		{"not modified", "HTTP/1.1 304 Not Modified\r\n\r\n", "service_fault"},
		{"reset content with content", "HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\n{}", "done {}"},
		{"no content with content", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}", "done "},
		{"two answers to one call", okHead + "Content-Length: 2\r\n\r\n{}HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n", "done {}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t, say(c.answer))
			d := newDialogue(t, unwind.Participant{URL: h.url()})
			a := d.attempt(unwind.Action, 10*time.Second)
			if got := meaning(a); got != c.want {
				t.Errorf("it came to %q, not %q: %s", got, c.want, a.Message)
			}
			if n := h.got.Load(); n != 1 {
				t.Errorf("one attempt was %d sends", n)
			}
		})
	}
}

// What never ends is cut by the call's time, and what is enormous by its bound.
func TestEndlessAnswersEnd(t *testing.T) {
	forever := func(head, piece string, pause time.Duration) func(net.Conn, int64) bool {
		return func(conn net.Conn, _ int64) bool {
			_, err := io.WriteString(conn, head)
			for err == nil {
				_, err = io.WriteString(conn, piece)
				if pause > 0 {
					select { // a slow participant
					case <-time.After(pause):
					case <-t.Context().Done():
						return false
					}
				}
			}
			return false
		}
	}
	// What the bound ends may take as long as the machine is busy.
	const bounded, cut = time.Minute, time.Second
	for _, c := range []struct {
		name   string
		time   time.Duration
		answer func(net.Conn, int64) bool
		dir    unwind.Direction
		want   string
	}{
		{"headers", bounded, forever(okHead, "X-More: x\r\n", 0), unwind.Action, "broken"},
		{"headers, drop by drop", cut, forever(okHead, "X-More: x\r\n", 5*time.Millisecond), unwind.Action, "timeout"},
		{"1xx, drop by drop", cut, forever("", "HTTP/1.1 103 Early Hints\r\n\r\n", 5*time.Millisecond), unwind.Action, "timeout"},
		{"a body", bounded, forever(okHead+"\r\n", "          ", 0), unwind.Action, "unreadable"},
		{"a body, drop by drop", cut, forever(okHead+"\r\n", " ", 5*time.Millisecond), unwind.Action, "broken"},
		{"chunks", bounded, forever(okHead+"Transfer-Encoding: chunked\r\n\r\n", "400\r\n"+strings.Repeat(" ", 1024)+"\r\n", 0), unwind.Action, "unreadable"},
		{"chunks with little in them", bounded, forever(okHead+"Transfer-Encoding: chunked\r\n\r\n", strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\n \r\n", 50), 0), unwind.Action, "broken"},
		{"one chunk's extension", bounded, forever(okHead+"Transfer-Encoding: chunked\r\n\r\n", "1;x", 0), unwind.Action, "broken"},
		{"an error's body", bounded, forever("HTTP/1.1 409 Conflict\r\n\r\n", "no", 0), unwind.Action, "refused"},
		{"an undo's body, drop by drop", cut, forever(okHead+"\r\n", " ", 5*time.Millisecond), unwind.Compensation, "done "},
		{"another protocol", bounded, forever("HTTP/1.1 101 Switching Protocols\r\nUpgrade: ws\r\nConnection: Upgrade\r\n\r\n", "x", 0), unwind.Action, "unreadable"},
		{"silence after another protocol", bounded, func(conn net.Conn, _ int64) bool {
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: ws\r\nConnection: Upgrade\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn) // until the caller hangs up
			return false
		}, unwind.Action, "unreadable"},
		{"silence", cut, func(conn net.Conn, _ int64) bool {
			_, _ = io.Copy(io.Discard, conn)
			return false
		}, unwind.Action, "timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t, c.answer)
			d := newDialogue(t, unwind.Participant{URL: h.url()})
			begin := time.Now()
			a := d.attempt(c.dir, c.time)
			if got := meaning(a); got != c.want {
				t.Errorf("it came to %q, not %q: %s", got, c.want, a.Message)
			}
			if took := time.Since(begin); took > bounded/2 {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// A participant may say "done" and go on talking: the report does not wait.
func TestAnUndoIsReportedBeforeItsBodyEnds(t *testing.T) {
	hold := make(chan struct{})
	h := newHostile(t, func(conn net.Conn, _ int64) bool {
		_, _ = io.WriteString(conn, okHead+"Content-Length: 2\r\n\r\n")
		<-hold
		return false
	})
	d := newDialogue(t, unwind.Participant{URL: h.url()})
	a, rest := d.caller.call(t.Context(), d.plan.Call(0, unwind.Compensation), &node.Call{Plan: d.plan, Saga: d.saga, Dir: unwind.Compensation, Attempt: 1, Key: "k", Body: []byte("{}")})
	if meaning(a) != "done " {
		t.Errorf("it came to %q", meaning(a))
	}
	close(hold)
	drain(rest)
}
