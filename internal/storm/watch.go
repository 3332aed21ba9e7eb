package storm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/participant"
)

// firstRefund is what a machine has for getting as far as the first refund.
const firstRefund = time.Minute

// observe waits until it is so, for as long as the storm is watched: from its first
// refund on, which a slow machine is late to make.
func (r *run) observe(ctx context.Context, sc *Scenario, w *world, so func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, firstRefund+r.watched(sc))
	defer cancel()
	var first time.Time
	return poll(ctx, 20*time.Millisecond, func() (bool, error) {
		switch {
		case !first.IsZero() && time.Since(first) > r.watched(sc):
			return false, context.DeadlineExceeded
		case first.IsZero() && w.books.distinct() > 0:
			first = time.Now()
		}
		return so(ctx)
	})
}

// watch waits until every refund is made, the engine has nothing more to do, or
// the time is over. It returns when that was.
func (r *run) watch(ctx context.Context, sc *Scenario, w *world, s subject, owed int) (time.Time, error) {
	begin, next := time.Now(), time.Now()
	err := r.observe(ctx, sc, w, func(watching context.Context) (bool, error) {
		if w.books.distinct() == owed {
			return true, nil
		}
		if time.Now().Before(next) {
			return false, nil
		}
		next = time.Now().Add(500 * time.Millisecond)
		r.tick(watching, w, s, time.Since(begin), owed)
		if sc.killEvery > 0 {
			return false, nil // it may be dead just now
		}
		stats, err := s.Stats(watching)
		if err != nil {
			return false, nil //nolint:nilerr // the watch may be over
		}
		return time.Since(begin) > time.Second && stats.Sagas[unwind.Running]+stats.Sagas[unwind.Compensating] == 0, nil
	})
	ended := time.Now()
	s.over()
	if err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
		return ended, err
	}
	// The engine hears of the last refund after the gateway. What is not at rest
	// by then is told as left.
	settling, done := context.WithTimeout(ctx, 3*time.Second)
	defer done()
	_ = poll(settling, 20*time.Millisecond, func() (bool, error) {
		stats, err := s.Stats(settling)
		return w.books.distinct() < owed || err == nil && stats.Sagas[unwind.Compensating] == 0, nil
	})
	r.tick(ctx, w, s, ended.Sub(begin), owed)
	return ended, nil
}

func (r *run) tick(ctx context.Context, w *world, s asked, elapsed time.Duration, owed int) {
	if r.Watch == nil {
		return
	}
	t := Tick{Elapsed: elapsed, Owed: owed, Done: w.books.distinct()}
	list, _ := w.arrivals[payments].List()
	for i := range list {
		if list[i].Borne {
			t.Accepted++
		} else {
			t.Rejected++
		}
	}
	if states, err := s.Participants(ctx); err == nil {
		for i := range states {
			if states[i].Name == payments {
				t.Lane = states[i].Lanes.Compensation
			}
		}
	}
	r.Watch(t)
}

// gateOf judges what a hint of a year led to.
func gateOf(ctx context.Context, w *world, s asked) (said string, ok bool) {
	alerts, err := s.Alerts(ctx, unwind.AlertFilter{Page: unwind.Page{Limit: 1000}})
	if err != nil {
		return err.Error(), false
	}
	n := 0
	for i := range alerts.Items {
		if alerts.Items[i].Kind == unwind.AlertRetryAfter {
			n++
		}
	}
	var first time.Time
	behind := 0
	list, _ := w.arrivals[payments].List()
	for i := range list {
		switch {
		case list[i].Borne:
		case first.IsZero():
			first = list[i].At
		}
		// What was in flight when the answer came is no fault.
		if !first.IsZero() && list[i].At.Sub(first) > 200*time.Millisecond {
			behind++
		}
	}
	states, err := s.Participants(ctx)
	if err != nil {
		return err.Error(), false
	}
	left := time.Duration(0)
	for i := range states {
		if g := states[i].Lanes.Compensation.Gate; states[i].Name == payments && g != nil {
			left = time.Until(g.Until.Time)
		}
	}
	return fmt.Sprintf("alerts: %d, gate: %.0f s, calls behind it: %d", n, left.Seconds(), behind),
		n == 1 && behind == 0 && left > 4*time.Minute && left <= 5*time.Minute
}

// foreground sends other calls through the gateway, evenly, until it is stopped.
func (r *run) foreground(ctx context.Context, sc *Scenario, w *world) (stop func() *Foreground) {
	if sc.foreground == 0 {
		return func() *Foreground { return nil }
	}
	ctx, cancel := context.WithCancel(ctx)
	client := &http.Client{Timeout: sc.timeout.Std(), Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var sending sync.WaitGroup
	sending.Go(func() {
		ticker := time.NewTicker(time.Duration(float64(time.Second) / sc.foreground))
		defer ticker.Stop()
		room := make(chan struct{}, 64)
		for {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
			select {
			case room <- struct{}{}:
			default:
				continue // it is choked already
			}
			sending.Go(func() {
				defer func() { <-room }()
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/"+payments+"/pay", http.NoBody)
				if err != nil {
					return
				}
				req.Header.Set(participant.HeaderDirection, string(participant.Action))
				if res, err := client.Do(req); err == nil {
					_ = res.Body.Close()
				}
			})
		}
	})
	return func() *Foreground {
		cancel()
		sending.Wait()
		client.CloseIdleConnections()
		f := &Foreground{}
		list, _ := w.arrivals[payments].List()
		for i := range list {
			switch {
			case list[i].Compensation:
			case list[i].Borne:
				f.Accepted++
			default:
				f.Rejected++
			}
		}
		return f
	}
}
