package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// dueOf is when a task that was read may go. A clock that was set between two
// processes moves what the earlier one wrote, and nothing of that waits for
// longer than there is reason to.
func (n *Node) dueOf(m Moment, sg *saga, row *store.Task) machine.Micros {
	due := machine.Micros(row.Due)
	if row.Epoch == n.cfg.Epoch {
		return due
	}
	return min(due+n.setBy(row.Target), m.Now+n.longest(sg.Plan, row.Step))
}

// setBy is by how much the clock was set since a service's lane was written.
func (n *Node) setBy(target string) machine.Micros {
	if by, ok := n.set[target]; ok {
		return by
	}
	return n.setElse
}

// soonest is the same of a task whose saga is not there: no later than due.
func (n *Node) soonest(row *store.Task) int64 {
	due := machine.Micros(row.Due)
	if row.Epoch != n.cfg.Epoch {
		due = min(due, due+n.setBy(row.Target))
	}
	return nanos(due)
}

// longest is the longest wait of a compensation: its own backoff, lengthened by
// up to a quarter, a service's hint, up to a second later, or the end of what may
// still be at work.
func (n *Node) longest(p *machine.Plan, step int) machine.Micros {
	undo, action := p.Call(step, unwind.Compensation), p.Call(step, unwind.Action)
	hint := n.Limits(unwind.Scope{Kind: unwind.ScopeCompensation, Name: undo.Service}).HintCap
	if hint <= 0 {
		hint = unwind.Duration(flow.DefaultHintCap)
	}
	backoff := undo.Retry.Max + undo.Retry.Max/4
	return max(machine.Micros(max(hint+unwind.Second, backoff)/1000), undo.Timeout+undo.Settle, action.Timeout+action.Settle)
}
