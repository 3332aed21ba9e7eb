package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
)

// A call is one request on its way.
type call struct {
	h     *Handler
	w     *writer
	r     *http.Request
	id    string // of the request
	route string // as the table of roles names it
	who   actor
	err   error // what the route came to
	held  int   // bytes of its body
}

// buffers keeps the buffers of answers, but for large ones.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const largeBuffer = 64 << 10

// answer writes v as JSON. Raw JSON in it goes out as it is, numbers verbatim
// and without escapes for HTML.
func (c *call) answer(status int, v any) error {
	buf := buffers.Get().(*bytes.Buffer) //nolint:errcheck // the pool holds nothing else
	buf.Reset()
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	c.write(status, "application/json", buf.Bytes())
	if buf.Cap() <= largeBuffer {
		buffers.Put(buf)
	}
	return nil
}

// write sends an answer. That its reader hung up is nobody's fault here.
func (c *call) write(status int, contentType string, body []byte) {
	head := c.w.Header()
	head["Content-Type"] = []string{contentType}
	head["Content-Length"] = []string{strconv.Itoa(len(body))}
	head["Cache-Control"] = noStore
	head["X-Content-Type-Options"] = noSniff
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body)
}

var (
	noStore = []string{"no-store"}
	noSniff = []string{"nosniff"}
)

// A writer remembers whether an answer was begun, and carries the call through the mux.
type writer struct {
	http.ResponseWriter
	call  *call
	begun bool
}

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	w.begun = true
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(b []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets an http.ResponseController through.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
