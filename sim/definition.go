package sim

import (
	"fmt"
	"sync"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// pool is how many definitions there are of each sort. They are a function of
// their number alone, and compiled once.
const pool = 4096

// A recipe is one definition of the pool.
type recipe struct {
	def  *unwind.Definition
	plan *machine.Plan
}

var recipes [2][pool]struct {
	once sync.Once
	recipe
}

// recipeOf returns a definition of the pool; safe ones call only services that a
// process may call that was paused for long.
func recipeOf(n int, safe bool) *recipe {
	sort := 0
	if safe {
		sort = 1
	}
	r := &recipes[sort][n%pool]
	r.once.Do(func() {
		d := dice(0x5eed, uint64(sort), uint64(n%pool))
		m := maker{c: &d, services: services}
		if safe {
			m.services = strict
		}
		r.def = m.definition(fmt.Sprintf("saga%d.%d", sort, n%pool))
		plan, err := machine.Compile(r.def, declared)
		if err != nil {
			panic(err)
		}
		r.plan = plan
	})
	return &r.recipe
}

// A maker makes random definitions.
type maker struct {
	c        *chance
	services int
}

func (m *maker) definition(name string) *unwind.Definition {
	d := &unwind.Definition{
		Name: name, Deadline: m.duration(800, 15_000), GiveUpAfter: m.duration(600, 20_000),
		Retry:             m.retry(4),
		CompensationRetry: m.retry(6),
	}
	if m.c.percent(25) {
		d.OnDeadLetter = unwind.Block
	}
	if m.c.percent(15) {
		d.Compensation = &unwind.TypeLimits{Rate: unwind.PerSecond(m.c.span(2, 40))}
	}
	if m.c.percent(20) {
		d.Amount = "input.amount"
	}
	n := 1 + m.c.intn(6)
	pivot := -1
	if m.c.percent(35) {
		pivot = m.c.intn(n)
	}
	for i := range n {
		d.Steps = append(d.Steps, m.step(d, i, pivot))
	}
	return d
}

func (m *maker) duration(lo, hi int64) unwind.Duration {
	return unwind.Duration(m.c.span(lo, hi)) * ms
}

func (m *maker) retry(attempts int64) *unwind.Retry {
	r := &unwind.Retry{Initial: m.duration(10, 120), Multiplier: float64(m.c.span(2, 4)) / 2, Attempts: int(m.c.span(1, attempts))}
	r.Max = r.Initial * unwind.Duration(m.c.span(1, 6))
	return r
}

func (m *maker) step(d *unwind.Definition, i, pivot int) unwind.Step {
	s := unwind.Step{Name: fmt.Sprintf("s%d", i), After: m.after(d, i, pivot)}
	switch {
	case i != pivot && m.c.percent(7):
		s.Kind, s.For = unwind.DelayStep, m.duration(20, 4000)
		return s
	case i != pivot && m.c.percent(7): //nolint:gocritic // another draw
		s.Kind = unwind.SignalStep
		if m.c.percent(70) {
			s.Timeout = m.duration(100, 4000)
		}
		return s
	}
	s.Action = m.call(unwind.Action, kinds[m.c.intn(m.services)].name)
	s.Pivot = i == pivot
	if m.c.percent(20) {
		s.Retry = m.retry(5)
	}
	switch {
	case pivot >= 0 && i >= pivot:
	case m.c.percent(15):
		s.Compensation = unwind.None
	default:
		s.Compensation = m.call(unwind.Compensation, s.Action.Service)
		if m.c.percent(40) {
			s.Compensation.Priority = []unwind.Priority{unwind.Money, unwind.Low}[m.c.intn(2)]
		}
		if m.c.percent(20) {
			s.CompensationRetry = m.retry(5)
		}
	}
	return s
}

// after draws what a step waits for; a pivot stands alone.
func (m *maker) after(d *unwind.Definition, i, pivot int) []string {
	from := 0
	if pivot >= 0 && i > pivot {
		from = pivot
	}
	switch {
	case i == pivot:
		after := []string{}
		for k := range i {
			after = append(after, d.Steps[k].Name)
		}
		return after
	case i == from, m.c.percent(50): // the step before it
		return nil
	}
	after := []string{}
	if from > 0 || pivot == 0 {
		after = append(after, d.Steps[from].Name)
	}
	for k := from; k < i; k++ {
		if m.c.percent(35) && (len(after) == 0 || after[0] != d.Steps[k].Name) {
			after = append(after, d.Steps[k].Name)
		}
	}
	return after
}

func (m *maker) call(dir unwind.Direction, service string) *unwind.Call {
	c := &unwind.Call{Service: service, Path: "/" + string(dir)}
	if c.Service == "" {
		c.Path, c.Local, c.Timeout = "", true, kinds[services-1].Timeout
		return c
	}
	c.Async = m.c.percent(12)
	if m.c.percent(10) {
		c.Body = []byte(`{"n":"${input.n}","k":"${saga.key}"}`)
	}
	return c
}
