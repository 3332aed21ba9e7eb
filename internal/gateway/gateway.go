package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/unwindhq/unwind/participant"
)

// Options describe a [Gateway].
type Options struct {
	// Model decides which calls are borne. Defaults to all of them.
	Model Model
	// Latency is what each admitted call takes before Next sees it, beside what
	// the model says. Defaults to none.
	Latency time.Duration
	// Persist carries out an admitted call whose caller went away meanwhile.
	Persist bool
	// Arrivals takes every call. Defaults to none.
	Arrivals *Arrivals
	// Hint makes the Retry-After of a rejection. Defaults to [WholeSeconds].
	Hint Hint
	// Clock defaults to [SystemClock].
	Clock Clock
	// Next answers the admitted calls. Defaults to 200 and {}.
	Next http.Handler
}

// A Gateway stands before a service and rejects what its model does not bear,
// as a rule with 429. It is an [http.Handler] and safe for concurrent use.
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
	v, hint := g.arrive(r)
	if !v.Borne() {
		g.turnAway(w, r, v, hint)
		return
	}
	defer g.leave()
	ctx := r.Context()
	if g.options.Persist {
		// The transport notices that the caller goes once the body is read.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		ctx = context.WithoutCancel(ctx)
		r = r.WithContext(ctx)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if err := g.options.Clock.Wait(ctx, g.options.Latency+v.Took); err != nil {
		panic(http.ErrAbortHandler) // the caller went away
	}
	if v.Fate == Lost {
		g.options.Next.ServeHTTP(&heldAnswer{ResponseWriter: unheard{}}, r)
		reset(w)
		return
	}
	g.options.Next.ServeHTTP(w, r)
}

// turnAway answers a call that is not borne, or does not.
func (g *Gateway) turnAway(w http.ResponseWriter, r *http.Request, v Verdict, hint string) {
	if err := g.options.Clock.Wait(r.Context(), v.Took); err != nil {
		panic(http.ErrAbortHandler)
	}
	switch v.Fate {
	case Reset:
		reset(w)
		return
	case Hung:
		_, _ = io.Copy(io.Discard, r.Body) // only then the caller's going is seen
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case Answered, Lost:
	}
	if hint != "" {
		w.Header().Set("Retry-After", hint)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(v.Status)
	_, _ = fmt.Fprintf(w, `{"type":"urn:unwind:problem:throttled","title":%q,"status":%d}`, http.StatusText(v.Status), v.Status)
}

// unheard takes the answer that gets lost.
type unheard struct{}

func (unheard) Header() http.Header         { return http.Header{} }
func (unheard) Write(p []byte) (int, error) { return len(p), nil }
func (unheard) WriteHeader(int)             {}

func (g *Gateway) arrive(r *http.Request) (v Verdict, hint string) {
	compensation := r.Header.Get(participant.HeaderDirection) == string(participant.Compensation)
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.options.Clock.Now()
	if g.model != nil {
		v = g.model.Arrive(now, int(g.stats.InFlight))
	}
	g.options.Arrivals.add(now, r, v)
	if !v.Borne() {
		hint = g.options.Hint(g.stats.Rejected, now, v.Wait)
		g.stats.Rejected++
		if compensation {
			g.stats.CompensationsRejected++
		}
		return v, hint
	}
	g.stats.Accepted++
	if compensation {
		g.stats.CompensationsAccepted++
	}
	g.stats.InFlight++
	g.stats.MaxInFlight = max(g.stats.MaxInFlight, g.stats.InFlight)
	return v, ""
}

func (g *Gateway) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stats.InFlight--
}
