package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/unwindhq/unwind/internal/node"
)

// A route is where calls of one kind go, and what all their requests begin with.
type route struct {
	url    *url.URL
	header http.Header
	prefix []byte // of a head: the request line and the header
}

func (c *caller) route(ep *endpoint, service, path string) (*route, error) {
	if ep == nil {
		return nil, fmt.Errorf("the service %q is not declared", service)
	}
	key := [2]string{service, path}
	if r, ok := c.routes.Load(key); ok {
		return r.(*route), nil //nolint:errcheck // the map holds nothing else
	}
	u, err := url.Parse(strings.TrimSuffix(ep.URL, "/") + path)
	if err != nil {
		return nil, fmt.Errorf("the URL of service %q with the path %q can't be read: %w", service, path, err)
	}
	r := newRoute(u, ep.Headers)
	c.routes.Store(key, r)
	return r, nil
}

func newRoute(u *url.URL, headers map[string]string) *route {
	r := &route{url: u, header: http.Header{"Accept": {jsonType}, "User-Agent": {"unwind"}}}
	for name, value := range headers {
		r.header.Set(name, value)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n", u.RequestURI(), u.Host, jsonType)
	_ = r.header.Write(&b) // into memory
	r.prefix = b.Bytes()
	return r
}

const jsonType = "application/json"

// callHeaders are the names of what callValues returns.
var callHeaders = [...]string{"Idempotency-Key", "Unwind-Saga", "Unwind-Step", "Unwind-Direction", "Unwind-Attempt", "Traceparent"}

func callValues(nc *node.Call) [len(callHeaders)]string {
	return [...]string{
		nc.Key, nc.Saga.String(), nc.Plan.Steps[nc.Step].Name, string(nc.Dir), strconv.FormatUint(uint64(nc.Attempt), 10), traceparent(nc),
	}
}

// head is a call's request up to its body.
func (r *route) head(nc *node.Call) []byte {
	b := make([]byte, 0, len(r.prefix)+512)
	b = append(b, r.prefix...)
	for i, value := range callValues(nc) {
		b = append(append(append(append(b, callHeaders[i]...), ": "...), value...), "\r\n"...)
	}
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(nc.Body)), 10)
	return append(b, "\r\n\r\n"...)
}

// request is the same for net/http, without its body.
func (r *route) request(ctx context.Context, nc *node.Call) *http.Request {
	req := (&http.Request{
		Method: http.MethodPost, URL: r.url, Host: r.url.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, 12), ContentLength: int64(len(nc.Body)),
	}).WithContext(ctx)
	req.Header["Content-Type"] = []string{jsonType}
	r.setHeaders(req.Header, nc)
	return req
}

func (r *route) setHeaders(h http.Header, nc *node.Call) {
	for name, values := range r.header {
		h[name] = values
	}
	for i, value := range callValues(nc) {
		h[callHeaders[i]] = []string{value}
	}
}

// traceparent is a W3C trace context: the saga's id is the trace, so that every
// call of one saga is found together; the span is the call's.
func traceparent(nc *node.Call) string {
	span := sha256.Sum256(strconv.AppendUint([]byte(nc.Key), uint64(nc.Attempt), 10))
	b := make([]byte, 0, 55)
	b = append(b, "00-"...)
	b = hex.AppendEncode(b, nc.Saga[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, span[:8])
	return string(append(b, "-01"...))
}
