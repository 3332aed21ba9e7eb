package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
)

// Bounds on what a participant may send.
const (
	maxErrorBody = 4 << 10 // bytes kept of an answer that is an error
	errorSlack   = 1 << 10 // bytes read past them, so that a secret at the edge is known
	maxMessage   = 500     // bytes kept of its text
)

// A caller makes HTTP calls to declared participants, and to nobody else.
type caller struct {
	endpoints map[string]*endpoint
	routes    sync.Map // [2]string{service, path} -> *route
}

// An endpoint is one participant. It is called without an http.Client, which
// would look at redirects before anybody can say no.
type endpoint struct {
	unwind.Participant
	transport http.RoundTripper
	own       *http.Transport // nil where the user gave one
	pool      *pool           // in place of own, where there is no TLS
	secrets   secrets
}

func newCaller(participants map[string]unwind.Participant, given http.RoundTripper) *caller {
	c := &caller{endpoints: map[string]*endpoint{}}
	for name, p := range participants {
		ep := &endpoint{Participant: p, transport: given, secrets: secretsOf(p.Headers)}
		if given == nil {
			ep.own = NewTransport(p)
			ep.transport, ep.pool = ep.own, newPool(p.URL, ep.own)
		}
		c.endpoints[name] = ep
	}
	return c
}

func (c *caller) close() {
	for _, ep := range c.endpoints {
		if ep.own != nil {
			ep.own.CloseIdleConnections()
		}
		if ep.pool != nil {
			ep.pool.close()
		}
	}
}

// call makes one attempt. It does not fail: whatever happens is an answer. What
// is left of the response is to be drained once the answer is reported.
func (c *caller) call(ctx context.Context, pc *machine.PlanCall, nc *node.Call) (machine.Answer, *http.Response) {
	ep := c.endpoints[pc.Service]
	r, err := c.route(ep, pc.Service, pc.Call.Path)
	if err != nil {
		return machine.Answer{Fault: machine.FaultForbidden, Message: err.Error()}, nil
	}
	var resp *http.Response
	var unsent bool
	if ep.pool != nil {
		resp, unsent, err = ep.pool.send(ctx, r.head(nc), nc.Body)
	} else {
		resp, unsent, err = ep.send(r.request(ctx, nc), nc.Body)
	}
	if err != nil {
		return machine.Answer{Fault: faultOf(err, unsent), Message: ep.say(plain(err))}, nil
	}
	return ep.readAnswer(resp, nc.Dir), resp
}

// send sends a request once. unsent: nothing of it has left.
func (ep *endpoint) send(req *http.Request, content []byte) (resp *http.Response, unsent bool, err error) {
	body := &sentBody{b: content}
	if ep.own != nil {
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: body.connected}))
	}
	req.Body, req.GetBody = body.open(), body.reopen
	resp, err = ep.transport.RoundTrip(req)
	return resp, ep.own != nil && !body.begun.Load(), err
}

// sentBody lets net/http try another connection only while nothing of the body
// has been sent: a second send is a second attempt, which is not its to make.
type sentBody struct {
	b     []byte
	begun atomic.Bool // there was a connection: something may have been sent
	read  atomic.Bool
}

func (s *sentBody) connected(httptrace.GotConnInfo) { s.begun.Store(true) }

func (s *sentBody) open() io.ReadCloser { return &bodyReader{s: s, Reader: *bytes.NewReader(s.b)} }

func (s *sentBody) reopen() (io.ReadCloser, error) {
	if s.read.Load() {
		return nil, errors.New("the connection broke after the call was sent")
	}
	return s.open(), nil
}

type bodyReader struct {
	bytes.Reader
	s *sentBody
}

func (r *bodyReader) Read(p []byte) (int, error) {
	r.s.read.Store(true)
	return r.Reader.Read(p)
}

func (r *bodyReader) WriteTo(w io.Writer) (int64, error) {
	r.s.read.Store(true)
	return r.Reader.WriteTo(w)
}

func (r *bodyReader) Close() error { return nil }

// readAnswer reads what the engine needs of an answer, and no more.
func (ep *endpoint) readAnswer(resp *http.Response, dir unwind.Direction) machine.Answer {
	a := machine.Answer{Status: resp.StatusCode, Hint: retryAfter(resp.Header, time.Now()), Quota: quota(resp.Header, time.Now()), Outcome: outcomeOf(resp.Header.Get("Unwind-Outcome"))}
	if a.Status < 200 {
		_ = resp.Body.Close() // another protocol's connection, which no context ends
		return machine.Answer{Status: a.Status, Fault: machine.FaultUnreadable, Message: "the answer asks for another protocol"}
	}
	if isDone(&a) {
		if dir == unwind.Compensation {
			return a // its body is ignored
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, unwind.MaxOutput+1))
		if err != nil {
			return machine.Answer{Status: a.Status, Fault: machine.FaultBroken, Message: ep.say("the answer's body broke off: " + plain(err))}
		}
		a = readable(a, body, dir)
		a.Output = ep.secrets.hideIn(a.Output)
		return a
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody+errorSlack)) // what came is what can be shown
	a.Message = ep.say(messageOf(resp, body))
	a.Body = ep.keep(body, a.Message)
	return a
}

// keep is the body of an error as the journal may keep it; empty where the
// message says it all. What cut a character in two is left out.
func (ep *endpoint) keep(body []byte, message string) string {
	text := strings.TrimSpace(strings.ToValidUTF8(ep.secrets.hide(string(body)), ""))
	if text == message {
		return ""
	}
	return strings.ToValidUTF8(text[:min(len(text), maxErrorBody)], "")
}

// say makes a message out of what a participant sent.
func (ep *endpoint) say(text string) string { return cut(ep.secrets.hide(text)) }

func isDone(a *machine.Answer) bool {
	return a.Outcome == machine.OutcomeDone || a.Outcome == machine.NoOutcome && a.Status >= 200 && a.Status < 300 && a.Status != http.StatusAccepted
}

// readable takes an action's output in, or makes the answer an unreadable one.
func readable(a machine.Answer, body []byte, dir unwind.Direction) machine.Answer {
	switch {
	case dir == unwind.Compensation:
		return a
	case len(body) > unwind.MaxOutput:
		return machine.Answer{Status: a.Status, Fault: machine.FaultUnreadable, Message: fmt.Sprintf("the output is larger than %d bytes; answer less, or an address", unwind.MaxOutput)}
	}
	if body = bytes.TrimSpace(body); len(body) == 0 {
		return a
	}
	if !utf8.Valid(body) {
		return machine.Answer{Status: a.Status, Fault: machine.FaultUnreadable, Message: "the output is not JSON: it is not UTF-8"}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		return machine.Answer{Status: a.Status, Fault: machine.FaultUnreadable, Message: cut("the output is not JSON: " + err.Error())}
	}
	a.Output = compact.Bytes()
	return a
}

func outcomeOf(text string) machine.Outcome {
	switch text {
	case "done":
		return machine.OutcomeDone
	case "refused":
		return machine.OutcomeRefused
	case "in_progress":
		return machine.OutcomeInProgress
	}
	return machine.NoOutcome
}

// messageOf picks the text that says most: a problem's detail, an error, a message.
func messageOf(resp *http.Response, body []byte) string {
	var doc struct{ Detail, Message, Title, Error any }
	if json.Unmarshal(body, &doc) == nil {
		for _, v := range []any{doc.Detail, doc.Message, doc.Error, doc.Title} {
			if s, ok := v.(string); ok && s != "" {
				return s
			}
		}
	}
	if text := strings.TrimSpace(string(body)); text != "" {
		return text
	}
	text := http.StatusText(resp.StatusCode)
	if loc := resp.Header.Get("Location"); loc != "" {
		text += " to " + loc + " (redirects are not followed)"
	}
	return text
}

// cut keeps a message short and readable.
func cut(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	if len(s) <= maxMessage {
		return s
	}
	end := maxMessage
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// drain reads a little of what is left, so that the connection can be used again.
func drain(resp *http.Response) {
	if resp == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxErrorBody)
	_ = resp.Body.Close()
}

// retryAfter reads Retry-After: whole seconds or an HTTP date, a year at most.
// Negative, past and garbage values are no hint.
func retryAfter(h http.Header, now time.Time) machine.Micros {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	const most = 366 * 24 * 3600
	if s, err := strconv.ParseInt(text, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return machine.Micros(max(min(s, most), 0)) * 1_000_000
	}
	if at, err := http.ParseTime(text); err == nil {
		return machine.Micros(max(min(at.Sub(now).Microseconds(), most*1_000_000), 0))
	}
	return 0
}

// quota reads RateLimit headers.
func quota(h http.Header, now time.Time) machine.Quota {
	q := flow.ParseQuota(func(name string) string { return strings.Join(h[name], ",") }, now.UnixNano())
	return machine.Quota{Remaining: q.Remaining, Reset: machine.Micros(q.Reset / 1000), Limit: q.Limit, Window: machine.Micros(q.Window / 1000)}
}

// ask puts the question to a participant's status path.
func (c *caller) ask(ctx context.Context, pc *machine.PlanCall, nc *node.Call) (machine.Answer, *http.Response) {
	ep := c.endpoints[pc.Service]
	r, err := c.route(ep, pc.Service, statusPath(ep))
	if err != nil {
		return machine.Answer{Fault: machine.FaultForbidden, Message: err.Error()}, nil
	}
	asked := *r.url
	q := asked.Query()
	q.Set("key", nc.Key)
	asked.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, asked.String(), nil)
	if err != nil {
		return machine.Answer{Fault: machine.FaultForbidden, Message: err.Error()}, nil
	}
	r.setHeaders(req.Header, nc)
	resp, err := ep.transport.RoundTrip(req)
	if err != nil {
		return machine.Answer{Fault: faultOf(err, false), Message: ep.say("asking the status path: " + plain(err))}, nil
	}
	return ep.readStatus(resp), resp
}

// readStatus reads what a status path says became of a key.
func (ep *endpoint) readStatus(resp *http.Response) machine.Answer {
	var doc struct {
		Outcome string          `json:"outcome"`
		Output  json.RawMessage `json:"output"`
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, unwind.MaxOutput+maxErrorBody))
	if resp.StatusCode != http.StatusOK || err != nil || json.Unmarshal(body, &doc) != nil {
		return machine.Answer{Status: resp.StatusCode, Message: ep.say("asking the status path: " + messageOf(resp, body))}
	}
	a := machine.Answer{Status: resp.StatusCode, Hint: retryAfter(resp.Header, time.Now()), Message: ep.say("the status path says " + doc.Outcome)}
	switch doc.Outcome {
	case "done":
		a.Outcome = machine.OutcomeDone
		a = readable(a, doc.Output, unwind.Action)
		a.Output = ep.secrets.hideIn(a.Output)
	case "not_done":
		a.Outcome = machine.OutcomeRefused
	case "in_progress":
		a.Outcome = machine.OutcomeInProgress
	}
	return a
}

func statusPath(ep *endpoint) string {
	if ep == nil {
		return ""
	}
	return ep.Status
}
