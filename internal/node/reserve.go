package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// reserve puts what flow control wants to have durable into a batch that is about
// to be written.
func (n *Node) reserve(m Moment, b *batch) {
	n.reserved = n.sched.Reservations(nanos(m.Now), n.reserved[:0])
	for i := range n.reserved {
		r := &n.reserved[i]
		b.rows.Flow = append(b.rows.Flow, store.FlowState{Scope: storeScope(r.Scope), Body: flow.AppendReservation(nil, r)})
	}
}

// reservedAs tells flow control what became of the batch.
func (n *Node) reservedAs(m Moment, durable bool) {
	n.sched.Reserved(n.reserved, durable, nanos(m.Now))
	n.reserved = n.reserved[:0]
}

// Kept is what flow control kept of a scope over a restart.
type Kept struct {
	store.FlowState
	// Set is by how much the clock was set since it was written.
	Set machine.Micros
	// Err is why it could not be read; nil: it could.
	Err error
}

// ScopeClock is not one of flow control: what is kept of it tells by how much the
// clock was set, to lanes that kept nothing of their own.
var ScopeClock = unwind.Scope{Kind: "clock"}

// restore begins where an earlier process may have been. What can't be read is told:
// the scope begins with an empty bucket, which holds its rate, but not its window.
func (n *Node) restore(m Moment, kept []Kept) {
	rs := make([]flow.Reservation, 0, len(kept))
	for i := range kept {
		k := &kept[i]
		if k.Scope == ScopeClock && k.Err == nil {
			n.setElse = k.Set
		}
		if !known(k.Scope) {
			continue
		}
		if k.Scope.Kind == unwind.ScopeCompensation {
			n.set[k.Scope.Name] = k.Set
		}
		var r flow.Reservation
		if k.Err == nil {
			r, k.Err = flow.DecodeReservation(flowScope(k.Scope), k.Body)
		}
		if k.Err != nil {
			n.alert(store.Alert{At: int64(m.Now), Kind: unwind.AlertStuck, Message: "what was sent before the restart under the limits of " + k.Scope.String() +
				" can't be read: " + k.Err.Error() + "; its window begins anew"})
			continue
		}
		r.Shift(nanos(k.Set))
		rs = append(rs, r)
	}
	n.sched.Restore(rs, nanos(m.Now))
}
