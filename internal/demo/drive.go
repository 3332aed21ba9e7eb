package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/unwindhq/unwind"
)

// Drive places orders at a service and follows each until its saga is at rest.
type Drive struct {
	Service unwind.Service
	Orders  []Order
	// Progress takes lines for people.
	Progress io.Writer
	// Redrawn is a line as it is drawn over the last one on a terminal. Nil: Progress is
	// none, and takes a line every two seconds.
	Redrawn func(line string) string
	// Note, where it is set, says what else is to be told, in a few words. It is
	// asked once a second.
	Note func(context.Context) string

	mu     sync.Mutex
	counts map[unwind.Status]int
	errs   int
	note   string
}

// inFlight is how many orders are followed at once.
const inFlight = 64

// Run places the orders. It returns what became of each, in the order of the
// orders, or the error that kept one from coming to rest; orders are placed
// under their id as key, so that running again goes on where it was.
func (d *Drive) Run(ctx context.Context) ([]Outcome, error) {
	d.counts = map[unwind.Status]int{}
	outcomes := make([]Outcome, len(d.Orders))
	next := make(chan int)
	errs := make(chan error, inFlight)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var workers sync.WaitGroup
	for range min(inFlight, len(d.Orders)) {
		workers.Go(func() {
			for i := range next {
				o, err := d.follow(ctx, d.Orders[i])
				if err != nil {
					cancel()
					errs <- err
					return
				}
				outcomes[i] = o
			}
		})
	}
	shown := d.show(ctx)
	for i := range d.Orders {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	workers.Wait()
	cancel()
	<-shown
	close(errs)
	d.draw(true)
	for err := range errs {
		return nil, err
	}
	return outcomes, nil
}

// follow places one order and waits until it is at rest.
func (d *Drive) follow(ctx context.Context, o Order) (Outcome, error) {
	input, err := json.Marshal(o)
	if err != nil {
		return Outcome{}, fmt.Errorf("writing order %s: %w", o.OrderID, err)
	}
	for {
		inst, _, err := d.Service.Start(ctx, unwind.StartRequest{Saga: "place-order", Key: o.OrderID, Input: input, Wait: 10 * unwind.Second})
		var e *unwind.Error
		switch {
		case ctx.Err() != nil:
			return Outcome{}, ctx.Err()
		case err == nil && inst.Status.AtRest():
			d.count(inst.Status)
			return Outcome{Order: o, Saga: inst.ID, Status: string(inst.Status)}, nil
		case err == nil:
			continue
		case errors.As(err, &e) && (e.Code == unwind.Overloaded || e.Code == unwind.StoreUnavailable || e.Code == unwind.Unreachable):
			d.failed()
		default:
			return Outcome{}, fmt.Errorf("placing order %s: %w", o.OrderID, err)
		}
		timer := time.NewTimer(max(e.RetryAfter.Std(), 200*time.Millisecond))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

func (d *Drive) count(s unwind.Status) {
	d.mu.Lock()
	d.counts[s]++
	d.mu.Unlock()
}

func (d *Drive) failed() {
	d.mu.Lock()
	d.errs++
	d.mu.Unlock()
}

// show draws the progress until ctx ends; the channel is closed when it has stopped.
func (d *Drive) show(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	every := 2 * time.Second
	if d.Redrawn != nil {
		every = 100 * time.Millisecond
	}
	var noting sync.WaitGroup
	if d.Note != nil {
		noting.Go(func() { d.keepNote(ctx) })
	}
	go func() {
		defer close(done)
		defer noting.Wait()
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				d.draw(false)
			case <-ctx.Done():
				return
			}
		}
	}()
	return done
}

// keepNote asks for the note, beside the drawing: an answer may take its time.
func (d *Drive) keepNote(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		note := d.Note(ctx)
		d.mu.Lock()
		d.note = note
		d.mu.Unlock()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// draw tells where the orders stand: on a terminal in one line that is drawn
// anew, else in a line more.
func (d *Drive) draw(last bool) {
	line := d.line(last)
	if d.Redrawn != nil {
		line = d.Redrawn(line)
	}
	if d.Redrawn == nil || last {
		line += "\n"
	}
	_, _ = io.WriteString(d.Progress, line)
}

func (d *Drive) line(last bool) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	done := d.counts[unwind.Completed] + d.counts[unwind.Compensated] + d.counts[unwind.DeadLettered]
	line := fmt.Sprintf("%s %d/%d orders: %d completed, %d undone", bar(done, len(d.Orders)), done, len(d.Orders),
		d.counts[unwind.Completed], d.counts[unwind.Compensated])
	if n := d.counts[unwind.DeadLettered]; n > 0 {
		line += fmt.Sprintf(", %d dead letters", n)
	}
	if d.errs > 0 {
		line += fmt.Sprintf(", %d starts tried again", d.errs)
	}
	if d.note != "" && !last {
		line += "; " + d.note
	}
	return line
}

func bar(done, all int) string {
	const width = 10
	full := 0
	if all > 0 {
		full = width * done / all
	}
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}
