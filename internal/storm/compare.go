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
			d, err := r.side(ctx, sc, v, trouble)
			if err != nil {
				return err
			}
			took[side] = append(took[side], d)
			c.Rounds = append(c.Rounds, d)
		}
	}
	for side := range took {
		slices.Sort(took[side])
	}
	c.Without, c.With = took[0][len(took[0])/2], took[1][len(took[1])/2]
	v.Compared = c
	return nil
}

// side runs one load and returns how long its own refunds took.
func (r *run) side(ctx context.Context, sc *Scenario, v *Verdict, trouble bool) (unwind.Duration, error) {
	services, batches, err := sc.compare.load(r, sc, trouble)
	if err != nil {
		return 0, err
	}
	w, err := openWorld(ctx, 0, services...)
	if err != nil {
		return 0, err
	}
	defer w.close() //nolint:errcheck // what it served is in its books
	trip, err := w.roundTrip(ctx)
	if err != nil {
		return 0, err
	}
	v.RoundTrip = unwind.Duration(trip + sc.takes)
	var defs []unwind.Definition
	for _, s := range services {
		defs = append(defs, definition("order-"+s.name, s.name, 1))
	}
	s, err := r.subject(ctx, sc, w, defs)
	if err != nil {
		return 0, err
	}
	defer s.close() //nolint:errcheck // the books say what it did
	mine, all := map[string]bool{}, map[string]int{}
	for _, b := range batches {
		ids, err := start(ctx, s, "order-"+b.service, b.tenant, b.n)
		if err != nil {
			return 0, err
		}
		for _, id := range ids {
			all[id] = 1
			if !b.trouble {
				mine[id] = true
			}
		}
	}
	if err := w.gather(ctx, len(all)); err != nil {
		return 0, fmt.Errorf("storm: waiting for %d sagas at their third step: %w", len(all), err)
	}
	w.release()
	watching, cancel := context.WithTimeout(ctx, r.watched(sc))
	defer cancel()
	var last time.Time
	err = poll(watching, 20*time.Millisecond, func() (bool, error) {
		n := 0
		for _, e := range w.books.refunded() {
			if mine[e.saga] {
				n, last = n+1, e.at
			}
		}
		return n >= len(mine), nil
	})
	if err != nil {
		if ctx.Err() != nil {
			return 0, err
		}
		last = time.Now() // not drained within the watch: that long, at least
	}
	e := &evidence{owed: all, ended: time.Now()}
	if e.standing, err = standing(ctx, s); err != nil {
		return 0, err
	}
	e.refunds = w.books.refunded() // after what the engine says, which never runs ahead of them
	o := judge(e)
	if len(e.refunds) == 0 {
		return 0, errors.New("storm: no refund was made")
	}
	v.Ours.Owed, v.Ours.Done, v.Ours.Left = v.Ours.Owed+o.Owed, v.Ours.Done+o.Done, v.Ours.Left+o.Left
	v.Ours.Lost, v.Ours.Dead, v.Ours.Duplicated = v.Ours.Lost+o.Lost, v.Ours.Dead+o.Dead, v.Ours.Duplicated+o.Duplicated
	return unwind.Duration(last.Sub(e.refunds[0].at)), nil
}
