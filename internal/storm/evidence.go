package storm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/unwindhq/unwind/internal/gateway"
)

// gatherEvidence takes the gateway's side. What is ideal never passes what the
// lane may send: a configured limit is no fault of the engine's.
func (r *run) gatherEvidence(sc *Scenario, w *world, model gateway.Model, ended time.Time) (*evidence, error) {
	list, dropped := w.arrivals[payments].List()
	if dropped > 0 {
		return nil, fmt.Errorf("storm: the gateway's list was full; %d calls are not in it", dropped)
	}
	return &evidence{
		arrivals: list, refunds: w.books.refunded(), ended: ended, burst: sc.Spec.Burst,
		capacity: func(at time.Duration) float64 {
			return min(model.Capacity(at)-sc.foreground, float64(r.configured(sc, at)))
		},
		takes: func(at time.Duration) time.Duration { return sc.latency + model.Takes(at) },
	}, nil
}

// configured is the lane's rate so long after the storm was let loose.
func (r *run) configured(sc *Scenario, at time.Duration) int64 {
	rate := sc.limits.Rate.Calls
	for _, c := range sc.changes {
		if at >= units(time.Duration(c.at), r.unit) {
			rate = c.rate
		}
	}
	return rate
}

// keep writes down what the gateway saw, a line for each call.
func (r *run) keep(name string, arrivals []gateway.Arrival) error {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	for i := range arrivals {
		if err := lines.Encode(&arrivals[i]); err != nil {
			return fmt.Errorf("storm: writing the gateway's list: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(r.Dir, name+".jsonl"), b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("storm: writing the gateway's list: %w", err)
	}
	return nil
}
