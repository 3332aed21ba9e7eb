package history

import (
	"fmt"
	"math"

	"github.com/unwindhq/unwind"
)

// A plan is a definition with every default filled in.
type plan struct {
	steps []planStep
	order unwind.Order
	block bool
}

type planStep struct {
	name   string
	calls  bool // an action step; the others call nobody
	pivot  bool
	before []int
	side   [2]planCall
}

// A planCall is one direction of a step.
type planCall struct {
	exists   bool
	none     bool // declared: nothing to undo
	async    bool
	unlogged bool
	service  string
	timeout  Micros
	settle   Micros
	inFlight Micros
	retry    unwind.Retry
}

// The sides of a step.
const (
	action = 0
	undo   = 1
)

var directions = [2]unwind.Direction{unwind.Action, unwind.Compensation}

func sideOf(d unwind.Direction) int {
	if d == unwind.Compensation {
		return undo
	}
	return action
}

func compile(name string, def *unwind.Definition, d *Definitions) (*plan, error) {
	order, cycle := def.Order()
	if cycle != nil {
		return nil, fmt.Errorf("definition %s: the steps %v wait for each other", name, cycle)
	}
	p := &plan{order: order, block: def.OnDeadLetter == unwind.Block, steps: make([]planStep, len(def.Steps))}
	for i := range def.Steps {
		s := &def.Steps[i]
		p.steps[i] = planStep{
			name: s.Name, calls: s.Kind == "" || s.Kind == unwind.ActionStep, pivot: s.Pivot, before: def.Predecessors(i),
			side: [2]planCall{
				d.call(s.Action, resolve(unwind.DefaultRetry, def.Retry, s.Retry)),
				d.call(s.Compensation, resolve(unwind.DefaultCompensationRetry, def.CompensationRetry, s.CompensationRetry)),
			},
		}
	}
	return p, nil
}

func (d *Definitions) call(c *unwind.Call, retry unwind.Retry) planCall {
	if c == nil || c.IsNone() {
		return planCall{none: c.IsNone()}
	}
	s := d.Services[c.Service]
	timeout := orElse(c.Timeout, orElse(s.Timeout, unwind.DefaultTimeout))
	settle := orElse(s.Settle, timeout)
	return planCall{
		exists: true, async: c.Async, unlogged: s.Unlogged, service: c.Service, retry: retry,
		timeout: micros(timeout), settle: micros(settle), inFlight: micros(orElse(d.Options.InFlight, settle)),
	}
}

func orElse(d, other unwind.Duration) unwind.Duration {
	if d == 0 {
		return other
	}
	return d
}

func resolve(r unwind.Retry, layers ...*unwind.Retry) unwind.Retry {
	for _, l := range layers {
		if l == nil {
			continue
		}
		r.Initial, r.Max = orElse(l.Initial, r.Initial), orElse(l.Max, r.Max)
		if l.Multiplier != 0 {
			r.Multiplier = l.Multiplier
		}
		if l.Attempts != 0 {
			r.Attempts = l.Attempts
		}
	}
	r.Max = max(r.Max, r.Initial)
	return r
}

// backoff is the least wait after the n-th counted answer in a row.
func (c *planCall) backoff(n int) Micros {
	wait := float64(c.retry.Initial) * math.Pow(c.retry.Multiplier, float64(max(n, 1)-1))
	if wait < float64(c.retry.Max) {
		return Micros(wait / 1000)
	}
	return micros(c.retry.Max)
}

// step returns the index of the named step, or -1.
func (p *plan) step(name string) int {
	for i := range p.steps {
		if p.steps[i].name == name {
			return i
		}
	}
	return -1
}

// plan returns the plan of a definition's version.
func (c *checker) plan(name, version string) (*plan, error) {
	key := [2]string{name, version}
	if p, ok := c.plans[key]; ok {
		return p, nil
	}
	full := name
	def := c.h.Sagas[name]
	if version != "" {
		if d, ok := c.h.Sagas[name+"@"+version]; ok {
			def, full = d, name+"@"+version
		}
	}
	if def == nil {
		return nil, fmt.Errorf("the saga %q (version %q) is not among the definitions", name, version)
	}
	p, err := compile(full, def, &c.h.Definitions)
	if err == nil {
		c.plans[key] = p
	}
	return p, err
}
