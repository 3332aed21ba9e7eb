package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/unwindhq/unwind"
)

// restart measures how long a killed server takes until every call that it had
// ordered is ordered again: in flight, or in its lane's queue.
func (r *run) restart(ctx context.Context) error {
	return r.served(ctx, func(participant, server *child, store string) error {
		count := r.count(100_000, 1000)
		if err := startMany(ctx, server, "hold", count); err != nil {
			return err
		}
		if err := ordered(ctx, server, count); err != nil {
			return err
		}
		server.kill()
		begin := time.Now()
		server, err := r.serve(ctx, participant, store)
		if err != nil {
			return err
		}
		defer server.kill()
		serving := time.Since(begin)
		if err := ordered(ctx, server, count); err != nil {
			return err
		}
		took := time.Since(begin)
		_, peak, err := server.resident()
		if err != nil {
			return err
		}
		r.add(Figure{Name: fmt.Sprintf("kill -9 until %s calls are ordered again", quantity(float64(count), "")), Value: took.Seconds(), Unit: "s"}.below(5).
			noting("it took starts after %.2f s; CPU %.1f s; %.0f MiB at most", serving.Seconds(), server.cpu().Seconds(), peak))
		return nil
	})
}

// look is how often the server is asked how far it is: there is no signal.
const look = 20 * time.Millisecond

// ordered waits until as many calls are in flight or queued.
func ordered(ctx context.Context, server *child, count int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	client := newClient()
	defer client.CloseIdleConnections()
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		n, err := orders(ctx, client, server)
		if err != nil || n >= count {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d calls are ordered: %w", n, count, ctx.Err())
		}
	}
}

func orders(ctx context.Context, client *http.Client, server *child) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/v1/services/"+service, nil)
	if err != nil {
		return 0, fmt.Errorf("asking for the orders: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("asking for the orders: %w", err)
	}
	defer resp.Body.Close()
	var state unwind.ServiceState
	if err := json.NewDecoder(resp.Body).Decode(&state); err != nil || resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("asking for the orders: %s, %w", resp.Status, err)
	}
	f := state.Lanes.Forward
	return f.InFlight + f.Depth.Ready + f.Depth.BackingOff, nil
}
