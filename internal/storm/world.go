package storm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/gateway"
	"github.com/unwindhq/unwind/participant"
)

// shop is the service that refuses every order at its third step.
const shop = "shop"

// A service is one of those that refund.
type service struct {
	name     string
	options  gateway.Options
	declared unwind.Participant // its URL is the world's
}

// A world is what is downstream of the engine.
type world struct {
	url      string
	services []service
	books    *books
	arrivals map[string]*gateway.Arrivals
	server   *http.Server
	served   chan error

	mu   sync.Mutex
	held map[string]bool // sagas at their third step
	free chan struct{}   // closed: they are refused
}

// openWorld listens on loopback until it is closed.
func openWorld(ctx context.Context, lifetime time.Duration, services ...service) (*world, error) {
	w := &world{
		services: services, books: &books{lifetime: lifetime, keys: map[string]time.Time{}}, arrivals: map[string]*gateway.Arrivals{},
		held: map[string]bool{}, free: make(chan struct{}), served: make(chan error, 1),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /shop/reserve", answer)
	mux.HandleFunc("POST /shop/ship", w.refuse)
	for _, s := range services {
		if err := w.add(mux, s); err != nil {
			return nil, err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("storm: listening for the services: %w", err)
	}
	w.url = "http://" + listener.Addr().String()
	w.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { w.served <- w.server.Serve(listener) }()
	return w, nil
}

func (w *world) add(mux *http.ServeMux, s service) error {
	s.options.Arrivals = &gateway.Arrivals{}
	w.arrivals[s.name] = s.options.Arrivals
	s.options.Next = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get(participant.HeaderDirection) == string(participant.Compensation) {
			w.books.refund(r.Header.Get(participant.HeaderKey), effect{service: s.name, saga: r.Header.Get(participant.HeaderSaga), step: r.Header.Get(participant.HeaderStep)})
		}
		answer(rw, r)
	})
	g, err := gateway.New(s.options)
	if err != nil {
		return fmt.Errorf("storm: %w", err)
	}
	at := "/" + s.name
	mux.Handle("POST "+at+"/refund", g)
	mux.Handle("POST "+at+"/pay", g) // the foreground's
	mux.HandleFunc("POST "+at+"/charge", func(rw http.ResponseWriter, r *http.Request) {
		w.books.charge(r.Header.Get(participant.HeaderKey))
		answer(rw, r)
	})
	mux.HandleFunc("GET "+at+"/status", func(rw http.ResponseWriter, r *http.Request) {
		outcome := participant.OutcomeNotDone
		if w.books.done(r.URL.Query().Get("key")) {
			outcome = participant.OutcomeDone
		}
		rw.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(rw, `{"outcome":%q}`, outcome)
	})
	return nil
}

func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}

// refuse holds the third step until the storm is let loose.
func (w *world) refuse(rw http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.mu.Lock()
	w.held[r.Header.Get(participant.HeaderSaga)] = true
	w.mu.Unlock()
	select {
	case <-w.free:
	case <-r.Context().Done():
		return
	}
	rw.Header().Set(participant.HeaderOutcome, "refused")
	rw.WriteHeader(http.StatusConflict)
}

// gather waits until n sagas are at their third step.
func (w *world) gather(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	return poll(ctx, 5*time.Millisecond, func() (bool, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.held) >= n, nil
	})
}

func (w *world) release() { close(w.free) }

// participants declares the services to an engine.
func (w *world) participants() map[string]unwind.Participant {
	all := map[string]unwind.Participant{
		shop: {URL: w.url + "/" + shop, Timeout: 10 * unwind.Minute, Forward: unwind.Limits{Concurrency: 4096}},
	}
	for _, s := range w.services {
		p := s.declared
		p.URL, p.Forward = w.url+"/"+s.name, unwind.Limits{Concurrency: 256}
		all[s.name] = p
	}
	return all
}

// roundTrip is the median time of a call that passes by the gateways.
func (w *world) roundTrip(ctx context.Context) (time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var took []time.Duration
	for range 25 {
		begin := time.Now()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/shop/reserve", http.NoBody)
		if err != nil {
			return 0, fmt.Errorf("storm: measuring a round trip: %w", err)
		}
		res, err := client.Do(req)
		if err != nil {
			return 0, fmt.Errorf("storm: measuring a round trip: %w", err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

func (w *world) close() error {
	err := w.server.Close()
	if gone := <-w.served; !errors.Is(gone, http.ErrServerClosed) {
		err = errors.Join(err, gone)
	}
	return err
}

// poll asks again and again until it is true, or ctx ends.
func poll(ctx context.Context, every time.Duration, done func() (bool, error)) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
