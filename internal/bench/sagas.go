package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// http measures sagas over HTTP beside bare calls, the two taking turns.
func (r *run) http(ctx context.Context) error {
	return r.served(ctx, func(participant, server *child, _ string) error {
		for _, clients := range concurrencies {
			if err := r.httpAt(ctx, participant, server, clients); err != nil {
				return err
			}
		}
		return server.end()
	})
}

// A side is one of the two that take turns.
type side struct {
	rates []float64
	took  []time.Duration
	count int
	cpu   time.Duration
}

func (s *side) take(got *result, cpu time.Duration) {
	s.rates = append(s.rates, got.rate())
	s.took = append(s.took, got.Took...)
	s.count += got.Count
	s.cpu += cpu
}

// each is the CPU time of one.
func (s *side) each() time.Duration { return s.cpu / time.Duration(max(s.count, 1)) }

func (r *run) httpAt(ctx context.Context, participant, server *child, clients int) error {
	client := newClient()
	defer client.CloseIdleConnections()
	count := r.count(perRound(clients), 100)
	bare, err := calls(participant, client, clients, 4*count)
	if err != nil {
		return err
	}
	spent := func() time.Duration { return processTime("self") + participant.cpu() + server.cpu() }
	var raw, sagas side
	for round := range r.rounds() + 1 {
		at := spent()
		calls, err := bare.fire(ctx)
		if err != nil {
			return err
		}
		between := spent()
		done, err := starts(server, client, fmt.Sprintf("http-%d-%d-", clients, round), clients, count).fire(ctx)
		if err != nil {
			return err
		}
		if round > 0 { // the first one warms up
			raw.take(calls, between-at)
			sagas.take(done, spent()-between)
		}
	}
	slices.Sort(sagas.took)
	slices.Sort(raw.took)
	p50, p99 := percentile(sagas.took, 50), percentile(sagas.took, 99)
	f := Figure{Name: fmt.Sprintf("three-step sagas over HTTP, %d clients", clients), Value: median(sagas.rates), Unit: "/s"}.
		of(median(raw.rates)/4, "bare calls / 4").
		noting("p50 %.2f ms, p99 %.2f ms; CPU %d µs a saga, %d µs four bare calls", millis(p50), millis(p99), sagas.each().Microseconds(), 4*raw.each().Microseconds())
	if clients > 1 {
		f = f.shareAtLeast(0.5)
	}
	r.add(f)
	if clients == 1 {
		r.add(Figure{Name: "one client's saga over HTTP, p50", Value: millis(p50), Unit: "ms"}.atMost(3).
			noting("p99 %.2f ms; four bare calls take %.2f ms; four commits wait for the disk", millis(p99), 4*millis(percentile(raw.took, 50))))
	}
	return nil
}
