package bench

import (
	"context"
	"fmt"
	"math"
	"time"
)

// inFlight is how many sagas of Go functions run at once.
const inFlight = 512

// inProcess measures sagas of Go functions beside what the store alone can
// write in groups of the same size, the two taking turns.
func (r *run) inProcess(ctx context.Context) error {
	worker, err := r.begin(ctx, "worker")
	if err != nil {
		return err
	}
	defer worker.kill()
	path := r.path()
	defer r.discard(path)
	if err := worker.ask("open", openTask{Path: path}, nil); err != nil {
		return err
	}
	var sagas, alone []float64
	var last runResult
	var cpu time.Duration
	group, count := 0, 0
	for round := range r.rounds() + 1 {
		last = runResult{}
		if err := worker.ask("run", runTask{Prefix: fmt.Sprintf("in-%d-", round), Clients: inFlight, Sagas: r.count(20_000, 500)}, &last); err != nil {
			return err
		}
		group = max(int(math.Round(float64(last.Transitions)/float64(last.Commits))), 1)
		rate, err := r.storeRate(worker, "sqlite", group, r.count(100_000, 2000))
		if err != nil {
			return err
		}
		if round > 0 {
			sagas, alone = append(sagas, last.rate()), append(alone, rate/4)
			cpu, count = cpu+last.CPU, count+last.Count
		}
	}
	r.add(Figure{Name: fmt.Sprintf("three-step sagas of Go functions, %d in flight", inFlight), Value: median(sagas), Unit: "/s"}.
		of(median(alone), fmt.Sprintf("the store alone in groups of %d, / 4", group)).atLeast(15_000).
		noting("p50 %.1f ms, p99 %.1f ms; CPU %d µs a saga", millis(last.P50), millis(last.P99), (cpu / time.Duration(count)).Microseconds()))
	return worker.end()
}
