package bench

import (
	"context"
	"fmt"
)

// raw measures what bounds the others: HTTP without an engine, and stores
// without one.
func (r *run) raw(ctx context.Context) error {
	if err := r.rawHTTP(ctx); err != nil {
		return err
	}
	return r.rawStores(ctx)
}

// concurrencies are the numbers of clients that HTTP is measured at.
var concurrencies = []int{1, 64, 256}

func (r *run) rawHTTP(ctx context.Context) error {
	participant, err := r.begin(ctx, "participant")
	if err != nil {
		return err
	}
	defer participant.kill()
	client := newClient()
	defer client.CloseIdleConnections()
	for _, clients := range concurrencies {
		v, err := calls(participant, client, clients, r.count(perRound(clients)*4, 500))
		if err != nil {
			return err
		}
		var rates []float64
		var last *result
		for range r.rounds() {
			if last, err = v.fire(ctx); err != nil {
				return err
			}
			rates = append(rates, last.rate())
		}
		r.add(Figure{Name: fmt.Sprintf("HTTP POSTs to the participant, %d at once", clients), Value: median(rates), Unit: "/s"}.
			noting("p50 %.2f ms, p99 %.2f ms; a quarter of it is the ceiling of three-step sagas over HTTP", millis(last.P50), millis(last.P99)))
	}
	return nil
}

// perRound is how many sagas one round has at a concurrency: a second or two.
func perRound(clients int) int {
	if clients == 1 {
		return 1000
	}
	return 8000
}

func (r *run) rawStores(ctx context.Context) error {
	worker, err := r.begin(ctx, "worker")
	if err != nil {
		return err
	}
	defer worker.kill()
	for _, kind := range []string{"memory", "sqlite"} {
		for _, size := range []int{1, 10, 100, 512, 1000} {
			transitions := r.count(min(size*4000, 400_000), min(size*50, 2000))
			rate, err := r.storeRate(worker, kind, size, transitions)
			if err != nil {
				return err
			}
			r.add(Figure{Name: fmt.Sprintf("transitions into the %s store, in groups of %d", kind, size), Value: rate, Unit: "/s"})
		}
	}
	return worker.end()
}

// storeRate is how many transitions a second a new store of a kind takes.
func (r *run) storeRate(worker *child, kind string, size, transitions int) (float64, error) {
	path := r.path()
	defer r.discard(path)
	var got result
	if err := worker.ask("commit", commitTask{Kind: kind, Path: path, Size: size, Transitions: transitions}, &got); err != nil {
		return 0, err
	}
	return got.rate(), nil
}
