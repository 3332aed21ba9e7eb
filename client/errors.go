package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/unwindhq/unwind"
)

// A problem is an error as the server sends it (RFC 9457).
type problem struct {
	Type      string         `json:"type"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail"`
	RequestID string         `json:"request_id"`
	Errors    []unwind.Fault `json:"errors"`
	By        string         `json:"by"`
	Action    string         `json:"action"`
	At        unwind.Time    `json:"at"`
}

const problemType = "urn:unwind:problem:"

// codes are those that a server may send by name.
var codes = map[unwind.Code]bool{
	unwind.InvalidRequest: true, unwind.UnknownSaga: true, unwind.NotFound: true, unwind.Conflict: true,
	unwind.PastPivot: true, unwind.KeyReused: true, unwind.TooLarge: true, unwind.Overloaded: true,
	unwind.StoreUnavailable: true, unwind.Unauthenticated: true, unwind.Forbidden: true, unwind.Damaged: true, unwind.Internal: true, unwind.Held: true,
}

// err makes the error of a problem. A type that is not known is classed by its status.
func (p *problem) err(status int) *unwind.Error {
	code := unwind.Code(strings.TrimPrefix(p.Type, problemType))
	if !codes[code] {
		code = codeOf(status)
	}
	e := unwind.Errorf(code, "%s", p.Detail)
	e.Faults, e.RequestID, e.By, e.Action, e.At = p.Errors, p.RequestID, p.By, p.Action, p.At
	return e
}

// codeOf classes an answer that does not say what it means, as from a proxy.
func codeOf(status int) unwind.Code {
	switch {
	case status == http.StatusUnauthorized:
		return unwind.Unauthenticated
	case status == http.StatusForbidden:
		return unwind.Forbidden
	case status == http.StatusNotFound:
		return unwind.NotFound
	case status == http.StatusConflict:
		return unwind.Conflict
	case status == http.StatusRequestEntityTooLarge:
		return unwind.TooLarge
	case status == http.StatusTooManyRequests:
		return unwind.Overloaded
	case status == http.StatusServiceUnavailable:
		return unwind.StoreUnavailable
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return unwind.Unreachable
	case status >= 400 && status < 500:
		return unwind.InvalidRequest
	}
	return unwind.Internal
}

// refusalOf makes the error of an answer that is not a success.
func refusalOf(doing string, resp *http.Response, body []byte) error {
	var p problem
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(body, &p) != nil || p.Type == "" {
		p = problem{Detail: fmt.Sprintf("%s: the answer was %s and no problem of an Unwind server; is the URL right?", doing, resp.Status)}
	}
	e := p.err(resp.StatusCode)
	if e.RequestID == "" {
		e.RequestID = resp.Header.Get("X-Request-Id")
	}
	e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"))
	return e
}

// retryAfter reads seconds or a date, at most an hour.
func retryAfter(s string) unwind.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return unwind.Duration(min(max(n, 0), 3600)) * unwind.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return min(max(unwind.Duration(time.Until(t)), 0), unwind.Hour)
	}
	return 0
}

func unreachable(doing string, err error) error {
	return unwind.Errorf(unwind.Unreachable, "%s: %w", doing, err)
}

func invalid(doing string, err error) error {
	return unwind.Errorf(unwind.InvalidRequest, "%s: %w", doing, err)
}
