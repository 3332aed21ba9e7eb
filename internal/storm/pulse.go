package storm

import (
	"context"
	"sync"
	"time"
)

// A pulse measures for how long this process was not let run. A gateway that
// stood still takes note of calls later than they came, and so closer together:
// what it counts is blurred by that much.
type pulse struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	most   time.Duration
}

const beat = 2 * time.Millisecond

func startPulse(ctx context.Context) *pulse {
	ctx, cancel := context.WithCancel(ctx)
	p := &pulse{cancel: cancel}
	p.done.Go(func() {
		timer := time.NewTimer(beat)
		defer timer.Stop()
		for due := time.Now().Add(beat); ; due = time.Now().Add(beat) {
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
			p.most = max(p.most, time.Since(due))
			timer.Reset(beat)
		}
	})
	return p
}

// stop returns the longest that a beat came late.
func (p *pulse) stop() time.Duration {
	p.cancel()
	p.done.Wait()
	return p.most
}
