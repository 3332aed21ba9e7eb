package storm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/gateway"
)

// A comparison puts a load beside the same load with a trouble next to it, in
// turns, and compares the time in which the load itself is drained.
type comparison struct {
	rounds int
	// load makes the services, and the sagas that are started.
	load func(r *run, sc *Scenario, trouble bool) ([]service, []batch, error)
}

// A batch is sagas of one kind.
type batch struct {
	service, tenant string
	n               int
	trouble         bool // not part of what is compared
}

// Compared are the medians of a comparison's rounds.
type Compared struct {
	Without unwind.Duration   `json:"without"`
	With    unwind.Duration   `json:"with"`
	Rounds  []unwind.Duration `json:"rounds"` // without, with, without…

	curves [2]curve // of the last round, without and with
}

// ratio is the speed beside the trouble by that without it.
func (c *Compared) ratio() float64 { return float64(c.Without) / float64(max(c.With, 1)) }

func keeps(least float64, what string) goal {
	return goal{what, "≥ " + percent(least), figure, false, func(v *Verdict) (string, bool) {
		return percent(v.Compared.ratio()), v.Compared.ratio() >= least
	}}
}

var deadService = Scenario{
	Name: "dead-service", About: "one service of twenty takes calls and never answers; the other nineteen are to notice nothing",
	Spec:  Spec{Capacity: "25/s each, as their lanes are limited", Burst: 2, Window: "none", Rejection: nothing, Hint: "none", Takes: "5 ms; the dead one for ever"},
	Sagas: 2000, Undos: 1, few: 100, hint: gateway.NoHint, latency: rtt, takes: rtt, timeout: 2 * unwind.Second, patience: 20,
	limits: unwind.Limits{Rate: unwind.PerSecond(25), Concurrency: 10},
	goals:  []goal{nothingLost, nothingTwice, keeps(0.99, "throughput of the nineteen")},
	compare: &comparison{rounds: 5, load: func(r *run, sc *Scenario, trouble bool) (services []service, batches []batch, err error) {
		for i := range 20 {
			var model gateway.Model
			if i == 0 && trouble {
				if model, err = gateway.NewPhases(gateway.PhasesOptions{Phases: []gateway.Phase{{Fate: gateway.Hung}}}); err != nil {
					return nil, nil, err
				}
			}
			name := fmt.Sprintf("service-%02d", i+1)
			services = append(services, r.service(sc, name, model))
			batches = append(batches, batch{service: name, n: r.sagas(sc) / 20, trouble: i == 0})
		}
		return services, batches, nil
	}},
}

var greedyTenant = Scenario{
	Name: "greedy-tenant", About: "one tenant has 90% of the backlog; twenty others share the rest, all of it money",
	Spec:  Spec{Capacity: "50/s, as the lane is limited", Burst: 2, Window: "none", Rejection: nothing, Hint: "none", Takes: "5 ms"},
	Sagas: 2000, Undos: 1, few: 200, hint: gateway.NoHint, latency: rtt, takes: rtt, timeout: 2 * unwind.Second, patience: 60,
	limits: unwind.Limits{Rate: unwind.PerSecond(50), Concurrency: 10},
	goals:  []goal{nothingLost, nothingTwice, keeps(1/1.1, "speed of the others, by that without the tenant")},
	compare: &comparison{rounds: 3, load: func(r *run, sc *Scenario, trouble bool) ([]service, []batch, error) {
		var batches []batch
		if trouble {
			batches = append(batches, batch{service: payments, tenant: "greedy", n: r.sagas(sc) * 9 / 10, trouble: true})
		}
		for i := range 20 {
			batches = append(batches, batch{service: payments, tenant: fmt.Sprintf("tenant-%02d", i+1), n: r.sagas(sc) / 200})
		}
		return []service{r.service(sc, payments, nil)}, batches, nil
	}},
}

func (r *run) comparison(ctx context.Context, sc *Scenario, v *Verdict) error {
	c, rounds := &Compared{}, sc.compare.rounds
	if r.quick {
		rounds = 1
	}
	var took [2][]unwind.Duration
	for range rounds {
		for side, trouble := range []bool{false, true} {
			drain, err := r.side(ctx, sc, v, trouble)
			if err != nil {
				return err
			}
			d := unwind.Duration(drain.length)
			took[side] = append(took[side], d)
			c.Rounds, c.curves[side] = append(c.Rounds, d), drain
		}
	}
	for side := range took {
		slices.Sort(took[side])
	}
	c.Without, c.With = took[0][len(took[0])/2], took[1][len(took[1])/2]
	v.Compared = c
	return nil
}

// side runs one load and returns the drain of its own refunds.
func (r *run) side(ctx context.Context, sc *Scenario, v *Verdict, trouble bool) (curve, error) {
	services, batches, err := sc.compare.load(r, sc, trouble)
	if err != nil {
		return curve{}, err
	}
	w, err := openWorld(ctx, 0, services...)
	if err != nil {
		return curve{}, err
	}
	defer w.close() //nolint:errcheck // what it served is in its books
	trip, err := w.roundTrip(ctx)
	if err != nil {
		return curve{}, err
	}
	v.RoundTrip = unwind.Duration(trip + sc.takes)
	var defs []unwind.Definition
	for _, s := range services {
		defs = append(defs, definition("order-"+s.name, s.name, 1))
	}
	s, err := r.subject(ctx, sc, w, defs)
	if err != nil {
		return curve{}, err
	}
	defer s.close() //nolint:errcheck // the books say what it did
	mine, all := map[string]bool{}, map[string]int{}
	for _, b := range batches {
		ids, err := start(ctx, s, "order-"+b.service, b.tenant, b.n)
		if err != nil {
			return curve{}, err
		}
		for _, id := range ids {
			all[id] = 1
			if !b.trouble {
				mine[id] = true
			}
		}
	}
	if err := w.gather(ctx, len(all)); err != nil {
		return curve{}, fmt.Errorf("storm: waiting for %d sagas at their third step: %w", len(all), err)
	}
	w.release()
	err = r.observe(ctx, sc, w, func(context.Context) (bool, error) {
		return len(ofThese(w.books.refunded(), mine)) >= len(mine), nil
	})
	if ctx.Err() != nil {
		return curve{}, err
	}
	e := &evidence{owed: all, ended: time.Now()}
	if e.standing, err = standing(ctx, s); err != nil {
		return curve{}, err
	}
	e.refunds = w.books.refunded() // after what the engine says, which never runs ahead of them
	if len(e.refunds) == 0 {
		return curve{}, errors.New("storm: no refund was made")
	}
	v.Ours.add(judge(e))
	first, last := e.refunds[0].at, e.ended
	own := &evidence{owed: map[string]int{}, refunds: ofThese(e.refunds, mine)}
	for saga := range mine {
		own.owed[saga] = 1
	}
	if len(own.refunds) >= len(mine) {
		last = own.refunds[len(own.refunds)-1].at
	} // else it is not drained within the watch: that long, at least
	return draw(own, first, last), nil
}

// ofThese picks the refunds of some sagas.
func ofThese(refunds []effect, sagas map[string]bool) (picked []effect) {
	for i := range refunds {
		if sagas[refunds[i].saga] {
			picked = append(picked, refunds[i])
		}
	}
	return picked
}

// add sums up rounds.
func (o *Outcome) add(round Outcome) {
	o.Owed, o.Done, o.Left = o.Owed+round.Owed, o.Done+round.Done, o.Left+round.Left
	o.Lost, o.Dead, o.Duplicated = o.Lost+round.Lost, o.Dead+round.Dead, o.Duplicated+round.Duplicated
}
