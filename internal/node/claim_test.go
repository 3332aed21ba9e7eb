package node

import (
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
)

// crowded is a rig with one saga in memory, which waits in a paused lane and is all
// that there is room for, and with as many in the store as asked for. Those want that
// lane 2 s after their start, and turn back after 4 s unless they are past a pivot.
func crowded(t *testing.T, stored, page int, pivot bool) (r *rig, ids []id.ID) {
	t.Helper()
	three := threeSteps().Steps
	steps := []unwind.Step{{Name: "wait", Kind: unwind.DelayStep, For: 2 * unwind.Second}, three[0]}
	if pivot {
		steps = append([]unwind.Step{{Name: "charge", Pivot: true, Action: three[1].Action}}, steps...)
	}
	r = newRig(t, &unwind.Definition{Name: "order", Deadline: 4 * unwind.Second, Steps: steps}, Config{MaxActive: 1, ClaimPage: page})
	for range stored {
		ids = append(ids, r.start(false))
		r.settle()
		if pivot {
			r.answer(r.call("charge", unwind.Action), 200)
			r.settle()
		}
	}
	r.n.Flow().Pause(flow.Scope{Kind: flow.ScopeForward, Name: "shop"}, "maintenance", nanos(r.now))
	parked := r.plan
	var err error
	if r.plan, err = machine.Compile(threeSteps(), map[string]unwind.Participant{"shop": {Timeout: unwind.Second}}); err != nil {
		t.Fatal(err)
	}
	r.start(false)
	r.settle()
	r.plan = parked
	if r.n.Active() != 1 || r.n.Orders() != 1 || len(r.rows) != stored+1 {
		t.Fatalf("%d sagas are in memory with %d orders, and %d in the store", r.n.Active(), r.n.Orders(), len(r.rows))
	}
	return r, ids
}

// pass lets so many milliseconds go by, and returns how many sagas were in memory at most.
func (r *rig) pass(millis int) (most int) {
	for range millis / 10 {
		r.now += 10_000
		r.settle()
		most = max(most, r.n.Active())
		r.claimed()
		r.settle()
	}
	return most
}

// L: a node that is full takes up no work for a lane of actions, and does in time
// what time alone brings about.
func TestAFullNodeMissesNoDeadline(t *testing.T) {
	const stored, page = 20, 3
	r, ids := crowded(t, stored, page, false)
	if r.pass(2900); r.n.Active() != 1 || r.n.Orders() != 1 {
		t.Fatalf("%d sagas are in memory with %d orders", r.n.Active(), r.n.Orders())
	}
	if most := r.pass(1200); most > 1+2*page {
		t.Fatalf("%d sagas were in memory, with room for 1 and pages of %d", most, page)
	}
	for _, saga := range ids {
		if p := r.phase(saga); p != machine.Compensated {
			t.Fatalf("%s is in phase %d, 0.1 s after its deadline", saga, p)
		}
	}
}

// A deadline past the pivot turns nothing back: the saga would keep a place that is for
// those which leave again.
func TestAFullNodeTakesUpNoSagaPastItsPivot(t *testing.T) {
	r, _ := crowded(t, 5, 2, true)
	if most := r.pass(8000); most != 1 || r.n.Orders() != 1 {
		t.Fatalf("%d sagas were in memory, with room for 1, and %d orders", most, r.n.Orders())
	}
}

// What a full node passes over it reads again, for a tenth of the time at most.
func TestAFullNodeReadsForATenthOfTheTime(t *testing.T) {
	const stored, steps = 100, 3000
	r, _ := crowded(t, stored, 1, true)
	r.pass(3000) // all are due
	reads := 0
	for range steps { // a read takes one
		r.now += 10_000
		if len(r.claims) > 0 {
			reads++
			r.claim()
		}
		r.settle()
	}
	if reads < stored || reads > stored+steps/10 {
		t.Errorf("%d reads in %d times what one takes", reads, steps)
	}
}

// L: what a full node passed over it takes up as soon as there is room.
func TestAFullNodeForgetsNothing(t *testing.T) {
	r, ids := crowded(t, 5, 2, false)
	r.pass(2500)
	r.n.Flow().Resume(flow.Scope{Kind: flow.ScopeForward, Name: "shop"}, nanos(r.now))
	r.settle()
	for range 3 {
		r.answer(r.calls[0], 200)
		r.calls = r.calls[1:]
		r.settle()
	}
	for range ids {
		r.pass(20)
		r.answer(r.call("reserve", unwind.Action), 200)
	}
	r.settle()
	for _, saga := range ids {
		if p := r.phase(saga); p != machine.Completed {
			t.Fatalf("%s is in phase %d", saga, p)
		}
	}
}
