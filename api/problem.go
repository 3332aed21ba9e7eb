package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/unwindhq/unwind"
)

const problemType = "urn:unwind:problem:"

// A Problem is what every error looks like (RFC 9457).
type Problem struct {
	// Type is urn:unwind:problem: and a code that never changes.
	Type      string         `json:"type" doc:"urn:unwind:problem: and a code that never changes"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail"`
	RequestID string         `json:"request_id" doc:"Also in the header X-Request-Id and in the server's log"`
	Errors    []ProblemFault `json:"errors,omitempty"`
	// By, Action and At say who did what when, for a conflict.
	By     string       `json:"by,omitempty" doc:"Who did it, for a conflict"`
	Action string       `json:"action,omitempty" doc:"What was done, for a conflict"`
	At     *unwind.Time `json:"at,omitempty" doc:"When that was, for a conflict"`
}

// A ProblemFault is one thing wrong with a request.
type ProblemFault struct {
	Pointer string `json:"pointer" doc:"JSON pointer (RFC 6901) into the body; /query/…, /path/… or /header/… beside it"`
	Message string `json:"message"`
	Warning bool   `json:"warning,omitempty" doc:"It does not refuse the request"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

// A refusal is an error of HTTP itself, which no [unwind.Service] makes.
type refusal struct {
	status        int
	code          string
	title, detail string
	header        [2]string
	faults        []ProblemFault
}

func (e *refusal) Error() string { return e.detail }

func refuse(status int, code, title, detail string) error {
	return &refusal{status: status, code: code, title: title, detail: detail}
}

// invalid is a fault of a request that can be pointed at.
func invalid(pointer, message string) error {
	return faulty([]unwind.Fault{{Pointer: pointer, Message: message}})
}

func faulty(faults []unwind.Fault) error {
	err := unwind.Errorf(unwind.InvalidRequest, "%s", faults[0])
	err.Faults = faults
	return err
}

// problem is the one mapping of errors to problems. Errors without a code say
// nothing of what is inside.
func problem(err error, requestID string) (p Problem, header [2]string) {
	p.RequestID = requestID
	var own *refusal
	if errors.As(err, &own) {
		p.Type, p.Title, p.Status, p.Detail = problemType+own.code, own.title, own.status, own.detail
		p.Errors = own.faults
		return p, own.header
	}
	var u *unwind.Error
	if !errors.As(err, &u) {
		u = unwind.Errorf(unwind.Internal, "something went wrong inside; the server's log says what, under this request id")
	}
	p.Type, p.Title, p.Status, p.Detail = problemType+string(u.Code), u.Code.Title(), u.Code.HTTPStatus(), u.Message
	p.By, p.Action = u.By, u.Action
	if !u.At.IsZero() {
		p.At = &u.At
	}
	for _, f := range u.Faults {
		p.Errors = append(p.Errors, ProblemFault{Pointer: f.Pointer, Message: f.Message, Warning: f.Warning, Line: f.Line, Column: f.Column})
	}
	switch u.Code {
	case unwind.InvalidRequest:
		if len(u.Faults) == 0 {
			p.Status = http.StatusBadRequest
		}
	case unwind.Overloaded, unwind.StoreUnavailable, unwind.Held:
		seconds := max(1, (u.RetryAfter+unwind.Second-1)/unwind.Second)
		header = [2]string{"Retry-After", strconv.FormatInt(int64(seconds), 10)}
	case unwind.Unauthenticated:
		header = [2]string{"WWW-Authenticate", `Bearer realm="unwind"`}
	case unwind.Internal:
		p.Detail = "something went wrong inside; the server's log says what, under this request id"
	}
	return p, header
}

// fail answers a request with an error, and logs it where it is the server's.
func (c *call) fail(err error) {
	p, header := problem(err, c.id)
	if p.Status == http.StatusInternalServerError {
		c.h.cfg.Logger.Error("answering a request", "request_id", c.id, "route", c.route, "error", err)
	}
	c.send(p, header)
}

func (c *call) send(p Problem, header [2]string) {
	if header[0] != "" {
		c.w.Header().Set(header[0], header[1])
	}
	b, err := json.Marshal(&p)
	if err != nil { // strings and numbers always marshal
		panic(err)
	}
	c.write(p.Status, "application/problem+json", b)
}
