package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
)

// An event is something for the node, to be done in its goroutine.
type event func(node.Moment)

// A queue carries events to the node. Requests are offered to it, and refused when
// it is full. What must not be lost is posted: the answers to calls, commits and
// reads, and the ends of waits, which are as many as the node, or a request, asked for.
type queue struct {
	mu     sync.Mutex
	events []event
	wake   chan struct{}
}

// mostEvents is how many events may wait when a request is offered. The loop takes
// all of them at once: so many wait only where it can't keep up at all.
const mostEvents = 65536

// post hands an event to the loop.
func (e *Engine) post(ev event) { e.events.add(ev, math.MaxInt) }

// offer hands a request to the loop, unless too much waits there; doing says what for.
func (e *Engine) offer(doing string, ev event) error {
	if e.events.add(ev, mostEvents) {
		return nil
	}
	err := unwind.Errorf(unwind.Overloaded, "%s: %d requests and answers wait for the node, which is the most; nothing was begun, try again later", doing, mostEvents)
	err.RetryAfter = unwind.Second
	return err
}

// add appends an event, unless so many wait already.
func (q *queue) add(ev event, most int) bool {
	q.mu.Lock()
	if len(q.events) >= most {
		q.mu.Unlock()
		return false
	}
	q.events = append(q.events, ev)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

// take swaps the waiting events for an empty list.
func (q *queue) take(spare []event) []event {
	clear(spare)
	q.mu.Lock()
	events := q.events
	q.events = spare[:0]
	q.mu.Unlock()
	return events
}

func (e *Engine) moment() node.Moment { return node.Moment{Now: e.clock.now(), Rand: rand.Uint64()} }

// run owns the node: it gives it what happened and carries out what it decides.
func (e *Engine) run() {
	defer e.workers.Done()
	defer close(e.stopped)
	defer close(e.commits)
	defer close(e.calls)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var spare []event
	for {
		runtime.Gosched() // whoever has an event ready posts it first: it shares the commit
		events := e.events.take(spare)
		m := e.moment()
		for _, ev := range events {
			ev(m)
			m.Rand = m.Rand*6364136223846793005 + 1442695040888963407
		}
		spare = events
		e.node.Tick(m)
		out := e.node.Take(m)
		e.carryOut(out)
		if out.Stop != nil {
			e.failure = out.Stop
			e.refuseAll(out.Stop)
			return
		}
		if e.node.Drained() {
			e.refuseAll(nil)
			return
		}
		if !e.sleep(timer) {
			e.refuseAll(nil)
			return
		}
	}
}

// sleep waits for an event or for the node's next timer; false: the engine was closed.
func (e *Engine) sleep(timer *time.Timer) bool {
	wait := time.Hour
	if at := e.node.Wake(); at > 0 {
		wait = max(time.Duration(at-e.clock.now())*time.Microsecond, 0)
	}
	timer.Reset(wait)
	select {
	case <-e.events.wake:
	case <-timer.C:
	case <-e.ctx.Done():
		return false
	}
	return true
}

// refuseAll answers whoever still waits.
func (e *Engine) refuseAll(cause error) {
	err := unknown(errStopped)
	if cause != nil {
		err = unknown(fmt.Errorf("%w: %w; restart it", errStopped, cause))
	}
	for token, ch := range e.waiting {
		ch <- node.Reply{Token: token, Err: err}
		delete(e.waiting, token)
	}
}

// patience is how long a request waits before its engine looks whether the store can be
// written at all. It is longer than a write takes that does not count as hung.
const patience = 10 * unwind.Second

// ask gives the node a request and waits for its reply, but not for a store that can't
// be written: nobody knows then what becomes of the request.
func (e *Engine) ask(ctx context.Context, request func(node.Moment, node.Token)) (node.Reply, error) {
	ch, token, err := e.begin(request)
	if err != nil {
		return node.Reply{}, err
	}
	look := time.NewTicker(patience.Std())
	defer look.Stop()
	for {
		select {
		case r := <-ch:
			return r, r.Err
		case <-look.C:
			e.post(func(m node.Moment) {
				if err := e.sick(m); err != nil {
					e.reply(node.Reply{Token: *token, Err: unknown(fmt.Errorf("%w; it will, once the store can be written, unless this process ends before", err))})
				}
			})
		case <-ctx.Done():
			return node.Reply{}, unknown(ctx.Err())
		case <-e.stopped:
			return e.afterStop(ch)
		}
	}
}

// afterStop takes a reply that came with the engine's end.
func (e *Engine) afterStop(ch chan node.Reply) (node.Reply, error) {
	select {
	case r := <-ch:
		return r, r.Err
	default:
		return node.Reply{}, unknown(fmt.Errorf("%w; restart it", errStopped))
	}
}

var errStopped = errors.New("the engine has stopped")

// unknown is the error of a request that may have been done.
func unknown(why error) error {
	err := unwind.Errorf(unwind.StoreUnavailable, "it is not known whether this became durable: %w; look before you ask again; a saga may exist: started again with the same key it is the same one, so that is safe", why)
	err.RetryAfter = unwind.Second
	return err
}

// begin posts a request; its reply comes through the channel, which has room for it.
func (e *Engine) begin(request func(node.Moment, node.Token)) (chan node.Reply, *node.Token, error) {
	ch := make(chan node.Reply, 1)
	token := new(node.Token)
	select {
	case <-e.stopped:
		return nil, nil, unwind.Errorf(unwind.StoreUnavailable, "the engine has stopped, and nothing was begun; restart it, then ask again")
	default:
	}
	err := e.offer("asking the node", func(m node.Moment) {
		e.token++
		*token = e.token
		e.waiting[e.token] = ch
		request(m, e.token)
	})
	if err != nil {
		return nil, nil, err
	}
	return ch, token, nil
}

// look runs a function in the node's goroutine, and waits for it. After an error it
// may still run: what it writes is to be left alone.
func (e *Engine) look(ctx context.Context, doing string, fn func(node.Moment)) error {
	done := make(chan struct{})
	err := e.offer(doing, func(m node.Moment) {
		defer close(done)
		fn(m)
	})
	if err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return failed(doing, ctx.Err())
	case <-e.stopped:
		return failed(doing, errStopped)
	}
}

func micros(d unwind.Duration) machine.Micros { return machine.Micros(d / 1000) }
