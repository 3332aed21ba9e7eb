package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/alarm"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// A visit is what waits for a saga to be read.
type visit struct {
	operations []Operation
	answers    []machine.Event
	late       []machine.Event
	refills    []*refill
	// taken: the node holds the saga from now on, whether or not somebody asks.
	taken bool
	// again: what the node decided on it was void.
	again bool
	wait  machine.Micros // after a read that failed
}

// visit has a saga read, once.
func (n *Node) visit(saga id.ID) *visit {
	v := n.loading[saga]
	if v == nil {
		v = &visit{}
		n.loading[saga] = v
		n.out.Loads = append(n.out.Loads, saga)
	}
	return v
}

// Loaded takes in a saga that was asked for; err says why there is none.
func (n *Node) Loaded(m Moment, saga id.ID, p *machine.Plan, row *store.Saga, err error) {
	v := n.loading[saga]
	if v == nil {
		return
	}
	delete(n.loading, saga)
	sg := n.sagas[saga]
	adopted := sg == nil && err == nil
	if adopted {
		sg, err = n.adopt(p, row, v.again)
	}
	if err != nil {
		n.notLoaded(m, saga, v, err)
		return
	}
	sg.pins++ // until all that waited has had its turn
	for _, ev := range v.answers {
		n.apply(m, sg, ev, nil)
	}
	if adopted {
		n.takeUp(m, sg) // what is still out after the answers that are in
	}
	for _, ev := range v.late {
		n.late(m, sg, ev)
	}
	for i := range v.operations {
		n.operate(m, sg, &v.operations[i])
	}
	for _, f := range v.refills {
		n.loadedFor(m, f, sg)
	}
	sg.pins--
	n.release(sg)
}

// notLoaded answers what waits for a saga that can't be read. What must not be
// lost is kept, and the saga read again after a while.
func (n *Node) notLoaded(m Moment, saga id.ID, v *visit, err error) {
	code := unwind.CodeOf(err)
	hopeless := code != unwind.NotFound && code != unwind.StoreUnavailable
	if hopeless && (len(v.refills) > 0 || v.taken || 2*v.wait >= sickMost) {
		n.strand(m, saga, err)
	}
	for _, f := range v.refills {
		n.loadedFor(m, f, nil)
	}
	kept := code != unwind.NotFound && (len(v.answers) > 0 || v.taken && !hopeless)
	if !kept || hopeless {
		for _, op := range v.operations {
			n.out.Replies = append(n.out.Replies, Reply{Token: op.Token, Err: err})
		}
		v.operations = nil
	}
	if !kept {
		return
	}
	v.refills = nil
	most := machine.Micros(sickMost)
	if hopeless {
		most *= 16
	}
	v.wait = min(max(2*v.wait, sickStart), most)
	n.loading[saga] = v
	n.reloads = append(n.reloads, reload{m.Now + v.wait, saga})
}

// Stuck reports whether a person was told that a saga can't go on.
func (n *Node) Stuck(saga id.ID) bool { return n.stuck[saga] }

// strand tells a person, once, of a saga that can't go on in this process.
func (n *Node) strand(m Moment, saga id.ID, err error) {
	if n.stuck[saga] {
		return
	}
	n.stuck[saga] = true
	n.alert(store.Alert{At: int64(m.Now), Kind: unwind.AlertStuck, Key: alarm.Key(unwind.AlertStuck, saga.String()), Saga: saga, Message: "saga " + saga.String() + " can't go on: " + err.Error()})
}

// A reload is a saga to be read again at a time.
type reload struct {
	at   machine.Micros
	saga id.ID
}

// reload reads again what could not be read.
func (n *Node) reload(m Moment) {
	kept := n.reloads[:0]
	for _, r := range n.reloads {
		if r.at > m.Now {
			kept = append(kept, r)
		} else {
			n.out.Loads = append(n.out.Loads, r.saga)
		}
	}
	n.reloads = kept
}
