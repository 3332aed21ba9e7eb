package storm

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/participant"
)

// The naive control: what is written when nobody thinks of storms.
const (
	controlWorkers  = 10
	controlAttempts = 5
)

// A control makes the refunds with a pool of workers. A call that fails goes
// back into the queue for up to unit*2^(attempt-1), at random (full jitter), and
// is given up after five attempts.
type control struct {
	url     string
	unit    time.Duration
	timeout time.Duration
	rng     *rand.Rand // under mu

	mu      sync.Mutex
	wake    chan struct{}
	waiting []try
	flying  int
	givenUp int
}

// A try is one refund that is to be made.
type try struct {
	saga, attempt int
	due           time.Time
}

func newControl(url string, n int, unit, timeout time.Duration, seed uint64) *control {
	c := &control{url: url, unit: unit, timeout: timeout, rng: rand.New(rand.NewPCG(seed, 2)), wake: make(chan struct{}, controlWorkers)}
	for i := range n {
		c.waiting = append(c.waiting, try{saga: i, attempt: 1})
	}
	return c
}

// run returns when every refund is made or given up, or ctx ends. It says how
// many were given up.
func (c *control) run(ctx context.Context) int {
	client := &http.Client{Timeout: c.timeout, Transport: &http.Transport{MaxIdleConnsPerHost: controlWorkers}}
	defer client.CloseIdleConnections()
	var workers sync.WaitGroup
	for range controlWorkers {
		workers.Go(func() {
			for {
				t, ok := c.next(ctx)
				if !ok {
					return
				}
				c.ended(t, c.call(ctx, client, t))
			}
		})
	}
	workers.Wait()
	return c.givenUp
}

// next waits for the first try that is due.
func (c *control) next(ctx context.Context) (try, bool) {
	for {
		c.mu.Lock()
		if len(c.waiting) == 0 && c.flying == 0 {
			c.mu.Unlock()
			return try{}, false
		}
		first := -1
		for i := range c.waiting {
			if first < 0 || c.waiting[i].due.Before(c.waiting[first].due) {
				first = i
			}
		}
		pause := c.unit
		if first >= 0 {
			t := c.waiting[first]
			if pause = time.Until(t.due); pause <= 0 {
				c.waiting = append(c.waiting[:first], c.waiting[first+1:]...)
				c.flying++
				c.mu.Unlock()
				return t, ctx.Err() == nil
			}
		}
		c.mu.Unlock()
		timer := time.NewTimer(min(pause, c.unit))
		select {
		case <-timer.C:
		case <-c.wake:
		case <-ctx.Done():
			timer.Stop()
			return try{}, false
		}
		timer.Stop()
	}
}

func (c *control) ended(t try, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flying--
	switch {
	case done:
	case t.attempt == controlAttempts:
		c.givenUp++
	default:
		t.due = time.Now().Add(time.Duration(c.rng.Float64() * float64(c.unit) * float64(int(1)<<(t.attempt-1))))
		t.attempt++
		c.waiting = append(c.waiting, t)
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *control) call(ctx context.Context, client *http.Client, t try) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, http.NoBody)
	if err != nil {
		return false
	}
	saga := strconv.Itoa(t.saga)
	req.Header.Set(participant.HeaderKey, "control/"+saga)
	req.Header.Set(participant.HeaderSaga, saga)
	req.Header.Set(participant.HeaderStep, "charge")
	req.Header.Set(participant.HeaderDirection, string(participant.Compensation))
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}

// control runs the storm on the naive control.
func (r *run) control(ctx context.Context, sc *Scenario, v *Verdict) error {
	w, model, err := r.open(ctx, sc)
	if err != nil {
		return err
	}
	defer w.close() //nolint:errcheck // what it served is in its books
	n := r.sagas(sc) * sc.Undos
	stop := r.foreground(ctx, sc, w)
	watched := r.watched(sc)
	if r.quick {
		watched /= 2
	}
	watching, cancel := context.WithTimeout(ctx, watched)
	c := newControl(w.url+"/"+payments+"/refund", n, r.unit, sc.timeout.Std(), r.Seed)
	givenUp := c.run(watching)
	cancel()
	stop()
	e, err := r.gatherEvidence(sc, w, model, time.Now())
	if err != nil {
		return err
	}
	// It knows no sagas: what it has given up is lost, the rest is being tried.
	e.owed, e.standing = map[string]int{}, map[string]unwind.Status{}
	for i := range n {
		e.owed[fmt.Sprint(i)] = 1
		e.standing[fmt.Sprint(i)] = unwind.Compensating
	}
	o := judge(e)
	if o.Lost = min(givenUp, o.Left); o.Lost > 0 {
		o.Left -= o.Lost
	}
	v.Naive = &o
	return nil
}
