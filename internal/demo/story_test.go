package demo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"github.com/unwindhq/unwind/internal/demo"
)

// A stage is one step of the demo's saga at its participant.
type stage struct{ name, step, action, compensation string }

var stages = []stage{
	{demo.Inventory, "reserve", "/reserve", "/release"},
	{demo.Payments, "charge", "/charge", "/refund"},
	{demo.Shipping, "ship", "/ship", "/cancel"},
}

// A courier carries out sagas as plainly as can be, over a network that loses
// calls and answers: it asks until it has an answer.
type courier struct {
	client *http.Client
	urls   map[string]string
	lose   func() bool
}

// ask repeats a call until there is a definite answer.
func (c courier) ask(ctx context.Context, s stage, saga string, order demo.Order, undoes bool) (done bool, err error) {
	d, path := do, s.action
	if undoes {
		d, path = undo, s.compensation
	}
	for range 1000 {
		if c.lose() { // the call is lost
			continue
		}
		r, err := call(ctx, c.client, c.urls[s.name]+path, saga, s.step, d, order)
		if err != nil {
			return false, err
		}
		if c.lose() { // the answer is lost
			continue
		}
		switch r.status {
		case http.StatusOK:
			return true, nil
		case http.StatusConflict, http.StatusUnprocessableEntity:
			return false, nil
		}
	}
	return false, fmt.Errorf("%s of %s never got an answer", path, saga)
}

// carryOut runs a saga to its end and undoes it where a step is refused. Every
// step is undone, also those that were refused or never begun: the barrier has
// to bear it.
func (c courier) carryOut(ctx context.Context, saga string, order demo.Order) (string, error) {
	for _, s := range stages {
		done, err := c.ask(ctx, s, saga, order, false)
		if err != nil {
			return "", err
		}
		if done {
			continue
		}
		for k := len(stages) - 1; k >= 0; k-- {
			if _, err := c.ask(ctx, stages[k], saga, order, true); err != nil {
				return "", err
			}
		}
		return demo.Compensated, nil
	}
	return demo.Completed, nil
}

func TestTheBooksAddUpOverANetworkThatLosesCallsAndAnswers(t *testing.T) {
	urls, bases := map[string]string{}, []string{}
	for _, s := range stages {
		_, url := open(t, demo.Options{Name: s.name, CallLog: true})
		urls[s.name] = url
		bases = append(bases, url)
	}
	orders := demo.Orders(120, 3)
	outcomes := make([]demo.Outcome, len(orders))
	next := make(chan int)
	var workers sync.WaitGroup
	for w := range 4 {
		rng := rand.New(rand.NewPCG(uint64(w), 1))
		c := courier{http.DefaultClient, urls, func() bool { return rng.IntN(4) == 0 }}
		workers.Go(func() {
			for i := range next {
				saga := fmt.Sprintf("saga-%d", i)
				status, err := c.carryOut(t.Context(), saga, orders[i])
				if err != nil {
					t.Error(err)
				}
				outcomes[i] = demo.Outcome{Order: orders[i], Saga: saga, Status: status}
			}
		})
	}
	for i := range orders {
		next <- i
	}
	close(next)
	workers.Wait()

	ledger, err := demo.Gather(t.Context(), nil, bases...)
	if err != nil {
		t.Fatal(err)
	}
	report := demo.Audit(outcomes, ledger)
	for _, d := range report.Discrepancies {
		t.Error(d)
	}
	refused := 0
	for i, o := range orders {
		if o.RefusedBy != "" {
			refused++
		}
		if (o.RefusedBy != "") != (outcomes[i].Status == demo.Compensated) {
			t.Errorf("order %s, refused by %q, is %s", o.OrderID, o.RefusedBy, outcomes[i].Status)
		}
	}
	if report.Compensated != refused || refused == 0 {
		t.Errorf("%d of %d orders are refused; %d compensated", refused, len(orders), report.Compensated)
	}
}
