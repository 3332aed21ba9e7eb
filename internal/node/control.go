package node

import (
	"slices"

	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/store"
)

// A ControlChange sets what operators want of a scope, in the place of what they
// wanted before.
type ControlChange struct {
	Token   Token
	Control store.Control
	Audit   *store.Audit
}

// Control is what operators have set at a scope, durable or about to be.
func (n *Node) Control(scope store.Scope) store.Control {
	c := n.controls[scope]
	c.Scope = scope
	return c
}

// SetControl changes a control. What holds calls back holds from now on, what lets
// them go once it is durable; the reply comes then.
func (n *Node) SetControl(m Moment, c ControlChange) {
	n.write(m, c.Control)
	b := n.building
	if c.Audit != nil {
		b.rows.Audit = append(b.rows.Audit, *c.Audit)
	}
	b.controls = append(b.controls, c.Token)
}

// write puts a control into the next batch.
func (n *Node) write(m Moment, c store.Control) {
	n.controls[c.Scope] = c
	if c.Paused {
		n.sched.Pause(flowScope(c.Scope), c.Reason, nanos(m.Now))
	}
	n.building.rows.Controls = append(n.building.rows.Controls, c)
}

// recoverControl applies a control that an earlier process left.
func (n *Node) recoverControl(m Moment, c *store.Control) {
	n.controls[c.Scope] = *c
	if c.Paused {
		n.sched.Pause(flowScope(c.Scope), c.Reason, nanos(m.Now))
	}
}

// controlsSet: the controls in a batch are durable.
func (n *Node) controlsSet(m Moment, b *batch) {
	for i := range b.rows.Controls {
		c := &b.rows.Controls[i]
		later := func(o store.Control) bool { return o.Scope == c.Scope }
		if slices.ContainsFunc(b.rows.Controls[i+1:], later) || slices.ContainsFunc(n.building.rows.Controls, later) {
			continue
		}
		if !c.Paused {
			n.sched.Resume(flowScope(c.Scope), nanos(m.Now))
		}
		if c.Empty() {
			delete(n.controls, c.Scope)
		}
	}
	for _, token := range b.controls {
		n.out.Replies = append(n.out.Replies, Reply{Token: token})
	}
}

var scopeKinds = [...]string{
	flow.ScopeAll: store.ScopeGlobal, flow.ScopeForward: store.ScopeForward,
	flow.ScopeCompensation: store.ScopeCompensation, flow.ScopeSagaType: store.ScopeSagaType,
}

// storeScope returns the name under which the store keeps a scope.
func storeScope(s flow.Scope) store.Scope { return store.Scope{Kind: scopeKinds[s.Kind], Name: s.Name} }

// flowScope is the reverse of storeScope.
func flowScope(s store.Scope) flow.Scope {
	return flow.Scope{Kind: flow.ScopeKind(slices.Index(scopeKinds[:], s.Kind)), Name: s.Name}
}
