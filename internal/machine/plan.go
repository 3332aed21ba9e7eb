package machine

import (
	"fmt"

	"github.com/unwindhq/unwind"
)

// A Micros is an instant (microseconds since the Unix epoch) or a span of them.
type Micros int64

func micros(d unwind.Duration) Micros { return Micros(d / 1000) }

// A Plan is a definition resolved against the declared participants: every
// default filled in, every order computed. It is immutable and may be shared.
type Plan struct {
	Name         string
	Version      string // the definition's digest
	Def          *unwind.Definition
	Deadline     Micros
	GiveUpAfter  Micros
	Block        bool // on_dead_letter: block
	Steps        []PlanStep
	ReverseOrder []int // descendants before ancestors
}

// A PlanStep is one resolved step.
type PlanStep struct {
	Name        string
	Kind        unwind.StepKind
	Pivot       bool
	PastPivot   bool // descends from a pivot
	Before      []int
	Ancestors   unwind.Set
	Descendants unwind.Set
	Wait        Micros // of a delay; timeout of a signal, 0: none
	Action      PlanCall
	Undo        PlanCall
}

// A PlanCall is one direction of a step.
type PlanCall struct {
	Exists      bool
	Call        *unwind.Call
	Service     string // the participant's name; "" for a Go function
	Timeout     Micros
	Settle      Micros
	KeyLifetime Micros // 0: for ever
	HasStatus   bool
	Retry       unwind.Retry
}

// Compile resolves a definition. A participant that is not declared (any more)
// is an error: a saga that needs it can't be called on its behalf.
func Compile(def *unwind.Definition, participants map[string]unwind.Participant) (*Plan, error) {
	order, cycle := def.Order()
	if cycle != nil {
		return nil, fmt.Errorf("compiling saga %q: its steps wait for each other: %v", def.Name, cycle)
	}
	p := &Plan{
		Name: def.Name, Version: def.Digest(), Def: def,
		Deadline:    micros(orDefault(def.Deadline, unwind.DefaultDeadline)),
		GiveUpAfter: micros(orDefault(def.GiveUpAfter, unwind.DefaultGiveUpAfter)),
		Block:       def.OnDeadLetter == unwind.Block,
		Steps:       make([]PlanStep, len(def.Steps)),
	}
	for i := range def.Steps {
		d := &def.Steps[i]
		s := &p.Steps[i]
		s.Name, s.Kind, s.Pivot = d.Name, orDefault(d.Kind, unwind.ActionStep), d.Pivot
		s.Before, s.Ancestors = def.Predecessors(i), order[i]
		s.Wait = micros(orDefault(d.For, d.Timeout))
		for k := range def.Steps {
			if order.Descends(k, i) {
				s.Descendants.Add(k)
			}
			if order.Descends(i, k) && def.Steps[k].Pivot {
				s.PastPivot = true
			}
		}
		var err error
		if s.Action, err = compileCall(def, d, d.Action, unwind.Action, participants); err != nil {
			return nil, err
		}
		if s.Undo, err = compileCall(def, d, d.Compensation, unwind.Compensation, participants); err != nil {
			return nil, err
		}
	}
	p.ReverseOrder = reverseOrder(p.Steps)
	return p, nil
}

func compileCall(def *unwind.Definition, d *unwind.Step, c *unwind.Call, dir unwind.Direction, participants map[string]unwind.Participant) (PlanCall, error) {
	if c == nil || c.IsNone() {
		return PlanCall{}, nil
	}
	pc := PlanCall{Exists: true, Call: c, Service: c.Service}
	timeout, settle := unwind.DefaultTimeout, unwind.Duration(0)
	if c.Service != "" {
		part, ok := participants[c.Service]
		if !ok {
			return PlanCall{}, fmt.Errorf("compiling saga %q: the %s of step %q needs the service %q, which is not declared; declare it or wait until its sagas are at rest before removing it",
				def.Name, dir, d.Name, c.Service)
		}
		timeout = orDefault(part.Timeout, timeout)
		settle = part.Settle
		pc.KeyLifetime = micros(part.KeyLifetime)
		pc.HasStatus = part.Status != ""
	}
	timeout = orDefault(c.Timeout, timeout)
	pc.Timeout = micros(timeout)
	pc.Settle = micros(orDefault(settle, timeout))
	if dir == unwind.Action {
		pc.Retry = resolveRetry(unwind.DefaultRetry, def.Retry, d.Retry)
	} else {
		pc.Retry = resolveRetry(unwind.DefaultCompensationRetry, def.CompensationRetry, d.CompensationRetry)
	}
	return pc, nil
}

func resolveRetry(r unwind.Retry, layers ...*unwind.Retry) unwind.Retry {
	for _, l := range layers {
		if l == nil {
			continue
		}
		r.Initial = orDefault(l.Initial, r.Initial)
		r.Max = orDefault(l.Max, r.Max)
		r.Multiplier = orDefault(l.Multiplier, r.Multiplier)
		r.Attempts = orDefault(l.Attempts, r.Attempts)
	}
	r.Max = max(r.Max, r.Initial)
	return r
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// reverseOrder lists each step after all that descend from it; among equals the
// later in the definition comes first.
func reverseOrder(steps []PlanStep) []int {
	order := make([]int, 0, len(steps))
	var placed unwind.Set
	for len(order) < len(steps) {
		for i := len(steps) - 1; i >= 0; i-- {
			if placed.Has(i) || !contains(placed, steps[i].Descendants) {
				continue
			}
			placed.Add(i)
			order = append(order, i)
		}
	}
	return order
}

func contains(outer, inner unwind.Set) bool {
	for w := range outer {
		if inner[w]&^outer[w] != 0 {
			return false
		}
	}
	return true
}

// StepIndex returns the index of the named step, or -1.
func (p *Plan) StepIndex(name string) int {
	for i := range p.Steps {
		if p.Steps[i].Name == name {
			return i
		}
	}
	return -1
}

// Call returns one direction of a step.
func (p *Plan) Call(step int, dir unwind.Direction) *PlanCall {
	if dir == unwind.Action {
		return &p.Steps[step].Action
	}
	return &p.Steps[step].Undo
}
