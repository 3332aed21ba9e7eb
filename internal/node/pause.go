package node

import (
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// A Pause is the one that holds at a scope: of those that end by themselves the last,
// and below them the one that does not.
type Pause struct {
	Scope      unwind.Scope
	Reason, By string
	At         machine.Micros
	Until      machine.Micros // 0: until somebody resumes the scope
}

// pauseOf returns the pause in what operators have set; nil: there is none.
func pauseOf(set *store.Control, s *Settings) *Pause {
	for _, c := range slices.Backward(s.Changes) {
		if c.Paused {
			return &Pause{Scope: set.Scope, Reason: c.Reason, By: c.By, At: c.At, Until: c.Until}
		}
	}
	if set.Paused {
		return &Pause{Scope: set.Scope, Reason: set.Reason, By: set.By, At: machine.Micros(set.At)}
	}
	return nil
}

// Pause returns the pause that holds at a scope; nil: none does.
func (n *Node) Pause(scope unwind.Scope) *Pause {
	c, _ := n.find(scope)
	return c.pause
}

// Holding returns the pauses of wider scopes that hold back what is of a scope: of a
// lane what waits there or will, so that of saga types and tenants those count of which
// something waits there. Nothing wider holds a forward lane.
func (n *Node) Holding(m Moment, of unwind.Scope) (pauses []Pause) {
	for _, c := range n.controls {
		if c.pause != nil && n.spans(m, c.scope, of) {
			pauses = append(pauses, *c.pause)
		}
	}
	return pauses
}

// spans reports whether a pause of the wider scope holds back what is of the other.
func (n *Node) spans(m Moment, wider, of unwind.Scope) bool {
	switch of.Kind {
	case unwind.ScopeCompensation:
		shared := wider.Kind == unwind.ScopeSagaType || wider.Kind == unwind.ScopeTenant
		return wider.Kind == unwind.ScopeGlobal || shared && n.sched.Waits(flowScope(of).Target(), flowScope(wider), nanos(m.Now))
	case unwind.ScopeSagaType:
		return wider.Kind == unwind.ScopeGlobal
	case unwind.ScopeTenant:
		return wider.Kind == unwind.ScopeGlobal || wider.Kind == unwind.ScopeSagaType && wider.Name == of.Name
	}
	return false
}

// pause stops a scope at once.
func (n *Node) pause(m Moment, c *control, p *Pause) {
	until := int64(flow.Never)
	if p.Until > 0 {
		until = nanos(p.Until)
	}
	c.pause = p
	n.sched.Pause(flowScope(c.scope), p.Reason, until, nanos(m.Now))
}

// resume lets a scope go on.
func (n *Node) resume(m Moment, c *control) {
	c.pause = nil
	n.sched.Resume(flowScope(c.scope), nanos(m.Now))
}
