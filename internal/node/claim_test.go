package node

import (
	"errors"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
)

// late wants a lane 2 s after its start, and turns back after 4 s unless it is past a pivot.
func late(pivot bool) *unwind.Definition {
	three := threeSteps().Steps
	steps := []unwind.Step{{Name: "wait", Kind: unwind.DelayStep, For: 2 * unwind.Second}, three[0]}
	if pivot {
		steps = append([]unwind.Step{{Name: "charge", Pivot: true, Action: three[1].Action}}, steps...)
	}
	return &unwind.Definition{Name: "order", Deadline: 4 * unwind.Second, Steps: steps}
}

// crowded is a rig with one saga in memory, which waits in a paused lane and is all
// that there is room for, and with as many in the store as asked for.
func crowded(t *testing.T, def *unwind.Definition, stored, page int) (r *rig, ids []id.ID) {
	t.Helper()
	r = newRig(t, def, Config{MaxActive: 1, ClaimPage: page})
	for range stored {
		ids = append(ids, r.start(false))
		r.settle()
		if def.Steps[0].Pivot {
			r.answer(r.call("charge", unwind.Action), 200)
			r.settle()
		}
	}
	r.n.Flow().Pause(flow.Scope{Kind: flow.ScopeForward, Name: "shop"}, "maintenance", flow.Never, nanos(r.now))
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
	t.Run("of a saga", func(t *testing.T) { missesNone(t, late(false)) })
	t.Run("of a signal", func(t *testing.T) {
		missesNone(t, &unwind.Definition{Name: "order", Steps: []unwind.Step{{Name: "approval", Kind: unwind.SignalStep, Timeout: 4 * unwind.Second}}})
	})
}

func missesNone(t *testing.T, def *unwind.Definition) {
	t.Helper()
	const stored, page = 20, 3
	r, ids := crowded(t, def, stored, page)
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
	r, _ := crowded(t, late(true), 5, 2)
	if most := r.pass(8000); most != 1 || r.n.Orders() != 1 {
		t.Fatalf("%d sagas were in memory, with room for 1, and %d orders", most, r.n.Orders())
	}
}

// What a full node passes over it reads again, for a tenth of the time at most.
func TestAFullNodeReadsForATenthOfTheTime(t *testing.T) {
	const stored, steps = 100, 3000
	r, _ := crowded(t, late(true), stored, 1)
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

// L: a deadline does not turn back a saga whose pivot may have executed. It would stay
// in memory for as long as its lane is paused.
func TestAFullNodeTakesUpNoPivotThatMayHaveExecuted(t *testing.T) {
	def := &unwind.Definition{Name: "order", Deadline: 4 * unwind.Second, Retry: &unwind.Retry{Initial: 2 * unwind.Second}, Steps: threeSteps().Steps[:1]}
	def.Steps[0].Pivot = true
	r := newRig(t, def, Config{})
	for range 20 {
		r.start(false)
		r.settle()
		r.answer(r.call("reserve", unwind.Action), 500)
		r.settle()
	}
	r.restart(Config{MaxActive: 1, ClaimPage: 3})
	r.n.Flow().Pause(flow.Scope{Kind: flow.ScopeForward, Name: "shop"}, "maintenance", flow.Never, nanos(r.now))
	if most := r.pass(5000); most != 1 {
		t.Fatalf("%d sagas were in memory, with room for one", most)
	}
}

// L: what a full node passed over it takes up as soon as there is room.
func TestAFullNodeForgetsNothing(t *testing.T) {
	r, ids := crowded(t, late(false), 5, 2)
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

// L: a pass through the store that the store held up, or that there was room in the
// midst of, does not put off the next one.
func TestAPassThatWasHeldUpIsFollowedByTheNext(t *testing.T) {
	r, ids := crowded(t, late(false), 20, 3)
	for len(r.claims) == 0 {
		r.now += 10_000
		r.settle()
	}
	r.n.Claimed(r.moment(), r.claims[0], nil, errors.New("the store is away"))
	r.claims = nil
	r.now += 1_500_000
	r.settle()
	if r.pass(1000); r.n.Active() != 1 {
		t.Fatalf("%d sagas are in memory, before any deadline", r.n.Active())
	}
	r.pass(2500)
	for _, saga := range ids {
		if p := r.phase(saga); p != machine.Compensated {
			t.Fatalf("%s is in phase %d, a while after its deadline", saga, p)
		}
	}
}
