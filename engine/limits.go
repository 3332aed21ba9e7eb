package engine

import (
	"maps"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// limit gives the node its limits, as they are configured.
func (e *Engine) limit(m node.Moment, revisions []store.Definition) {
	defs := make([]*unwind.Definition, 0, len(revisions))
	for i := range revisions {
		def, err := definitionOf(&revisions[i])
		if err != nil { // its sagas say so too
			e.cfg.Logger.Error("reading the limits of a saga", "error", err)
			continue
		}
		defs = append(defs, def)
		if plan, err := e.plans.compile(&revisions[i], false); err == nil { // else nothing of it is called
			e.outlast(plan)
		}
	}
	e.limitServices(m)
	for _, name := range slices.Sorted(maps.Keys(e.cfg.Participants)) {
		e.node.SetBacklog(name, e.cfg.Participants[name].Backlog)
	}
	for _, def := range defs {
		e.limitType(m, def)
	}
}

// limitServices sets the limits of everything and of the services' lanes.
func (e *Engine) limitServices(m node.Moment) {
	e.node.Configure(m, unwind.Scope{Kind: unwind.ScopeGlobal}, node.Limits{Limits: e.cfg.Compensation})
	for _, name := range slices.Sorted(maps.Keys(e.cfg.Participants)) {
		p := e.cfg.Participants[name]
		hold := e.holds[name]
		e.node.Configure(m, unwind.Scope{Kind: unwind.ScopeForward, Name: name}, node.Limits{Limits: p.Forward, Breaker: p.Breaker, Hold: hold})
		e.node.Configure(m, unwind.Scope{Kind: unwind.ScopeCompensation, Name: name}, node.Limits{Limits: p.Compensation, Breaker: p.Breaker, Hold: hold})
	}
}

// outlast notes how long calls of a saga may be out, and reports whether that is
// longer than was known.
func (e *Engine) outlast(p *machine.Plan) (longer bool) {
	for i := range p.Steps {
		for _, dir := range []unwind.Direction{unwind.Action, unwind.Compensation} {
			c := p.Call(i, dir)
			if hold := unwind.Duration(c.Timeout+c.Settle) * 1000; c.Exists && c.Service != "" && hold > e.holds[c.Service] {
				e.holds[c.Service], longer = hold, true
			}
		}
	}
	return longer
}

// limitType sets the limits of a saga type and of its tenants.
func (e *Engine) limitType(m node.Moment, d *unwind.Definition) {
	var tenants []node.Tenant
	for _, name := range slices.Sorted(maps.Keys(d.Tenants)) {
		t := d.Tenants[name]
		tenants = append(tenants, node.Tenant{Name: name, Limits: typeLimits(t.Compensation, t.Weight)})
	}
	weight := 0
	if d.Compensation != nil {
		weight = d.Compensation.Weight
	}
	e.node.ConfigureType(m, d.Name, typeLimits(d.Compensation, weight), tenants)
}

func typeLimits(l *unwind.TypeLimits, weight int) node.Limits {
	if l == nil {
		return node.Limits{Weight: weight}
	}
	return node.Limits{Limits: unwind.Limits{Rate: l.Rate, Window: l.Window, Concurrency: l.Concurrency}, Weight: weight}
}
