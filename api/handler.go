package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"path"
	"runtime/debug"
	"sync/atomic"

	"github.com/unwindhq/unwind"
)

// A Handler serves the API. It is safe for concurrent use. Make one with [New].
type Handler struct {
	cfg         Config
	gate        gate
	crossOrigin *http.CrossOriginProtection
	mux         *http.ServeMux
	routes      []route
	document    []byte // openapi.json
	docs        docsPage
	starts      places
	batches     places
	streams     atomic.Int64
	bodies      atomic.Int64 // bytes that requests in work hold

	open  context.Context // ends with Close
	close context.CancelFunc
}

// New builds a handler. Its error says what is wrong with the configuration.
func New(cfg Config) (*Handler, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	h := &Handler{
		cfg: cfg, gate: newGate(cfg.Tokens), crossOrigin: http.NewCrossOriginProtection(),
		starts: make(places, cfg.MaxStarts), batches: make(places, cfg.MaxBatches),
	}
	h.open, h.close = context.WithCancel(context.Background())
	h.routes = h.table()
	h.mux = newMux(h.routes)
	var err error
	if h.document, h.docs, err = describe(h.routes, cfg.Version); err != nil {
		return nil, fmt.Errorf("building the API: %w", err)
	}
	return h, nil
}

// Close ends the streams of events; everything else ends by itself. It is safe
// to call more than once.
func (h *Handler) Close() { h.close() }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{h: h, r: r, id: requestID(r)}
	c.w = &writer{ResponseWriter: w, call: c}
	w.Header()["X-Request-Id"] = []string{c.id}
	defer c.release()
	defer c.recover()
	if err := c.serve(); err != nil {
		c.fail(err)
	}
}

func (c *call) serve() error {
	if err := c.h.checkOrigin(c.r); err != nil {
		return err
	}
	p := c.r.URL.RawPath // as it came, where that differs: a slash in a name is no slash
	if p == "" {
		p = c.r.URL.Path
	}
	if p == "" || p[0] != '/' || path.Clean(p) != p {
		return notFound(p)
	}
	c.h.mux.ServeHTTP(c.w, c.r)
	return c.err
}

// dispatch goes on where the mux has found the path.
func (c *call) dispatch(at *place) error {
	rt := at.route(c.r.Method)
	if rt == nil {
		return &refusal{
			status: http.StatusMethodNotAllowed, code: "method-not-allowed", title: "The method does not exist here",
			detail: clip(c.r.Method) + " does not exist here; there is " + at.allow, header: [2]string{"Allow", at.allow},
		}
	}
	c.route = rt.key
	c.who = c.h.gate.identify(c.r)
	if err := admit(c.who, len(c.r.Header["Authorization"]) > 0, c.route); err != nil {
		return err
	}
	return rt.serve(c)
}

func notFound(p string) error {
	return unwind.Errorf(unwind.NotFound, "there is nothing at %q; /docs lists what there is", clip(p))
}

// recover answers a request whose handling panicked. What it was is for the log.
func (c *call) recover() {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	c.h.cfg.Logger.Error("a request panicked", "request_id", c.id, "route", c.route, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if c.w.begun {
		panic(http.ErrAbortHandler) // the answer is cut, so that it is not taken for whole
	}
	c.send(problem(unwind.Errorf(unwind.Internal, "a panic"), c.id))
}

// requestID takes the client's where it is sane, else makes one.
func requestID(r *http.Request) string {
	if ids := r.Header["X-Request-Id"]; len(ids) == 1 && saneID(ids[0]) {
		return ids[0]
	}
	var b [12]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func saneID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		switch b := id[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '_', b == '.':
		default:
			return false
		}
	}
	return true
}

// clip shortens what a user wrote before it is shown.
func clip(s string) string {
	const most = 100
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
