package bench

import (
	"context"
	"fmt"
	"time"
)

// growth measures whether finished sagas slow the others down: two stores, one
// of them full, take turns in short rounds.
func (r *run) growth(ctx context.Context) error {
	empty, full := r.path(), r.path()
	defer r.discard(empty)
	defer r.discard(full)
	stages := []int{1000, 100_000, 1_000_000}
	if r.Quick {
		stages = []int{500}
	}
	had := 0
	for i, finished := range append([]int{0}, stages...) {
		r.say("  filling the store with %d finished sagas", finished-had)
		last := i == len(stages)
		if err := r.growthAt(ctx, empty, full, had, finished, last); err != nil {
			return err
		}
		had = finished
	}
	return r.growthHTTP(ctx, empty, full, had)
}

// growthAt fills a store up and compares the two.
func (r *run) growthAt(ctx context.Context, empty, full string, had, finished int, last bool) error {
	var workers [2]*child
	for i, path := range []string{empty, full} {
		w, err := r.begin(ctx, "worker")
		if err != nil {
			return err
		}
		defer w.kill() //nolint:gocritic // two workers, both until the end
		if i == 1 && finished > had {
			if err := w.ask("fill", fillTask{Path: path, Prefix: fmt.Sprintf("fill-%d", finished), Sagas: finished - had}, nil); err != nil {
				return err
			}
		}
		if err := w.ask("open", openTask{Path: path}, nil); err != nil {
			return err
		}
		workers[i] = w
	}
	base, with, err := r.turns(func(i, round int) (*result, time.Duration, error) {
		var got runResult
		err := workers[i].ask("run", runTask{Prefix: fmt.Sprintf("growth-%d-%d-", finished, round), Clients: inFlight, Sagas: r.count(8000, 300)}, &got)
		return &got.result, got.CPU, err
	})
	if err != nil {
		return err
	}
	f := Figure{Name: fmt.Sprintf("sagas of Go functions beside %s finished ones", quantity(float64(finished), "")), Value: median(with.rates), Unit: "/s"}.
		of(median(base.rates), "an empty store").
		noting("CPU %d µs a saga, %d µs in the empty store", with.each().Microseconds(), base.each().Microseconds())
	if last {
		f = f.shareAtLeast(0.9)
	}
	r.add(f)
	for _, w := range workers {
		if err := w.end(); err != nil {
			return err
		}
	}
	return nil
}

// turns lets two take turns, the first one first in every other round. One round
// before that warms up.
func (r *run) turns(take func(i, round int) (*result, time.Duration, error)) (first, second *side, err error) {
	var sides [2]side
	for round := range r.count(9, 2) + 1 {
		for k := range 2 {
			i := (k + round) % 2
			got, cpu, err := take(i, round)
			if err != nil {
				return nil, nil, err
			}
			if round > 0 {
				sides[i].take(got, cpu)
			}
		}
	}
	return &sides[0], &sides[1], nil
}

// growthHTTP compares the two stores once more, over HTTP.
func (r *run) growthHTTP(ctx context.Context, empty, full string, finished int) error {
	const clients = 64
	participant, err := r.begin(ctx, "participant")
	if err != nil {
		return err
	}
	defer participant.kill()
	var servers [2]*child
	for i, path := range []string{empty, full} {
		if servers[i], err = r.serve(ctx, participant, path); err != nil {
			return err
		}
		defer servers[i].kill() //nolint:gocritic // two servers, both until the end
	}
	client := newClient()
	defer client.CloseIdleConnections()
	base, with, err := r.turns(func(i, round int) (*result, time.Duration, error) {
		spent := func() time.Duration { return processTime("self") + participant.cpu() + servers[i].cpu() }
		before := spent()
		got, err := starts(servers[i], client, fmt.Sprintf("growth-http-%d-", round), clients, r.count(4000, 100)).fire(ctx)
		return got, spent() - before, err
	})
	if err != nil {
		return err
	}
	r.add(Figure{Name: fmt.Sprintf("sagas over HTTP, %d clients, beside %s finished ones", clients, quantity(float64(finished), "")), Value: median(with.rates), Unit: "/s"}.
		of(median(base.rates), "an empty store").shareAtLeast(0.9).
		noting("CPU %d µs a saga, %d µs in the empty store", with.each().Microseconds(), base.each().Microseconds()))
	for _, s := range servers {
		if err := s.end(); err != nil {
			return err
		}
	}
	return nil
}
