package gateway

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/unwindhq/unwind/participant"
)

// A Hint makes the Retry-After of a rejection from the wait that the model
// knows. An empty one sends no header.
type Hint func(wait time.Duration) string

// WholeSeconds rounds the wait up to whole seconds, one at least: the form that
// most gateways send, however soon they would take the next call.
func WholeSeconds(wait time.Duration) string {
	return strconv.FormatInt(max(1, int64((wait+time.Second-1)/time.Second)), 10)
}

// NoHint gives no Retry-After.
func NoHint(time.Duration) string { return "" }

// Options describe a [Gateway].
type Options struct {
	// Model decides which calls are borne. Defaults to all of them.
	Model Model
	// Latency is what each admitted call takes before Next sees it. Defaults to none.
	Latency time.Duration
	// Hint makes the Retry-After of a rejection. Defaults to [WholeSeconds].
	Hint Hint
	// Clock defaults to [SystemClock].
	Clock Clock
	// Next answers the admitted calls. Defaults to 200 and {}.
	Next http.Handler
}

// A Gateway stands before a service and rejects what its model does not bear
// with 429. It is an [http.Handler] and safe for concurrent use.
type Gateway struct {
	options Options

	mu    sync.Mutex // over the model and the counts
	model Model
	stats Stats
}

// Stats are a gateway's counts since it was made.
type Stats struct {
	Accepted int64 `json:"accepted"`
	Rejected int64 `json:"rejected"`
	InFlight int64 `json:"in_flight"`
	// MaxInFlight is the most admitted calls there ever were at once.
	MaxInFlight int64 `json:"max_in_flight"`
	// Compensations are those of the counts above that undo a step.
	CompensationsAccepted int64 `json:"compensations_accepted"`
	CompensationsRejected int64 `json:"compensations_rejected"`
}

// New makes a gateway. The error says that the latency is negative.
func New(o Options) (*Gateway, error) {
	if o.Latency < 0 {
		return nil, errors.New("gateway: the latency is negative")
	}
	if o.Hint == nil {
		o.Hint = WholeSeconds
	}
	if o.Clock == nil {
		o.Clock = SystemClock{}
	}
	if o.Next == nil {
		o.Next = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{}")
		})
	}
	return &Gateway{options: o, model: o.Model}, nil
}

// SetModel changes what the gateway bears from the next call on; nil bears
// everything.
func (g *Gateway) SetModel(m Model) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.model = m
}

// Stats returns the counts as they are now.
func (g *Gateway) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stats
}

// ServeHTTP implements [http.Handler].
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ok, wait := g.admit(r.Header.Get(participant.HeaderDirection) == string(participant.Compensation))
	if !ok {
		if hint := g.options.Hint(wait); hint != "" {
			w.Header().Set("Retry-After", hint)
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"type":"urn:unwind:problem:throttled","title":"Too many requests","status":429}`)
		return
	}
	defer g.leave()
	if err := g.options.Clock.Wait(r.Context(), g.options.Latency); err != nil {
		panic(http.ErrAbortHandler) // the caller went away
	}
	g.options.Next.ServeHTTP(w, r)
}

func (g *Gateway) admit(compensation bool) (bool, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	ok, wait := true, time.Duration(0)
	if g.model != nil {
		ok, wait = g.model.Admit(g.options.Clock.Now())
	}
	if !ok {
		g.stats.Rejected++
		if compensation {
			g.stats.CompensationsRejected++
		}
		return false, wait
	}
	g.stats.Accepted++
	if compensation {
		g.stats.CompensationsAccepted++
	}
	g.stats.InFlight++
	g.stats.MaxInFlight = max(g.stats.MaxInFlight, g.stats.InFlight)
	return true, 0
}

func (g *Gateway) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stats.InFlight--
}
