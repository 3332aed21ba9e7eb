package main

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
	"github.com/unwindhq/unwind/internal/demo"
	"github.com/unwindhq/unwind/sagatest/history"
)

// Customers place orders, repeat themselves, change their minds, and write down
// what they were told.
type customers struct {
	t      *testing.T
	client *client.Client
	log    *history.Recorder
	orders []demo.Order

	mu    sync.Mutex
	next  int
	sagas []string // of those that were acknowledged
}

// shop until ctx ends; whoever has placed an order waits for a word on it.
func (c *customers) shop(ctx context.Context, rng *rand.Rand) {
	for ctx.Err() == nil {
		c.mu.Lock()
		i := c.next
		c.next++
		saga := ""
		if len(c.sagas) > 0 {
			saga = c.sagas[rng.IntN(len(c.sagas))]
		}
		c.mu.Unlock()
		if i >= len(c.orders) {
			return
		}
		c.place(ctx, c.orders[i])
		switch roll := rng.IntN(100); {
		case roll < 10: // the same again
			c.place(ctx, c.orders[rng.IntN(i+1)])
		case roll < 15: // the same key for something else
			o := c.orders[rng.IntN(i+1)]
			o.Customer.Name = "Somebody Else"
			c.place(ctx, o)
		case roll < 25 && saga != "":
			c.ask(ctx, history.OpCancel, saga, func(ctx context.Context) (*unwind.Instance, error) {
				return c.client.Cancel(ctx, saga, unwind.CancelRequest{Reason: "changed my mind"})
			})
		case roll < 45 && saga != "":
			c.ask(ctx, history.OpGet, saga, func(ctx context.Context) (*unwind.Instance, error) { return c.client.Get(ctx, saga) })
		}
	}
}

// place asks until there is a word, under the order's key.
func (c *customers) place(ctx context.Context, o demo.Order) {
	input, err := json.Marshal(o)
	if err != nil {
		c.t.Error(err)
		return
	}
	sha, err := history.InputSHA(input)
	if err != nil {
		c.t.Error(err)
		return
	}
	line := history.Line{Op: history.OpStart, Name: "place-order", RequestKey: o.OrderID, InputSHA: sha}
	for begin := time.Now(); time.Since(begin) < patience; pause(10 * time.Millisecond) {
		inst, err := c.told(ctx, line, func(ctx context.Context) (*unwind.Instance, error) {
			inst, _, err := c.client.Start(ctx, unwind.StartRequest{Saga: "place-order", Key: o.OrderID, Input: input})
			return inst, err
		})
		switch code := unwind.CodeOf(err); {
		case err == nil:
			c.mu.Lock()
			c.sagas = append(c.sagas, inst.ID)
			c.mu.Unlock()
			return
		case code == unwind.KeyReused:
			return
		case code != unwind.Unreachable && code != unwind.StoreUnavailable && code != unwind.Overloaded:
			c.t.Errorf("placing order %s: %v", o.OrderID, err)
			return
		}
	}
	c.t.Errorf("order %s: no word within %s", o.OrderID, patience)
}

// ask once; no word is all right.
func (c *customers) ask(ctx context.Context, op, saga string, do func(context.Context) (*unwind.Instance, error)) {
	_, err := c.told(ctx, history.Line{Op: op, Saga: saga}, do)
	switch unwind.CodeOf(err) {
	case "", unwind.Unreachable, unwind.StoreUnavailable, unwind.Conflict, unwind.PastPivot:
	default:
		c.t.Errorf("%s of %s: %v", op, saga, err)
	}
}

// told does a call and writes down that it was made and what came back.
func (c *customers) told(ctx context.Context, l history.Line, do func(context.Context) (*unwind.Instance, error)) (*unwind.Instance, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	l.Event = history.Invoke
	c.write(l)
	inst, err := do(ctx)
	l.Event, l.Outcome = history.Return, history.OK
	var e *unwind.Error
	switch {
	case err == nil:
		l.Saga, l.SagaStatus, l.Status = inst.ID, inst.Status, 200
	case errors.As(err, &e) && e.Code != unwind.Unreachable:
		l.Outcome, l.Status = history.Fail, e.Code.HTTPStatus()
	default:
		l.Outcome = history.Unknown
	}
	c.write(l)
	return inst, err
}

func (c *customers) write(l history.Line) {
	if err := c.log.Write(l); err != nil {
		c.t.Error(err)
	}
}
