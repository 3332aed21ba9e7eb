package node

import (
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// late says that a compensation has waited for the shop for long.
func (r *rig) late() {
	r.n.SetBacklog("shop", unwind.Backlog{Objective: unwind.Second, Policy: unwind.HoldStarts})
	r.n.Depths(r.moment(), []store.QueueDepth{{Queue: store.Queue{Target: "shop"}, Oldest: int64(r.now) - 60_000_000}})
}

// G3: an action left, the process died, and the next one holds its saga, which turns
// back: it may have executed, and is undone.
func TestWhatIsHeldMayHaveLeftBeforeACrash(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	saga := r.start(false)
	r.settle()
	r.call("reserve", unwind.Action)
	r.knows = r.late
	r.restart(Config{})
	r.settle()
	r.quiet()
	if r.n.HeldFor(r.moment(), saga) == "" {
		t.Fatal("the saga is not held")
	}
	r.cancel(saga)
	r.settle()
	r.now += 2_000_000
	r.settle()
	if p := r.phase(saga); p != machine.Compensating {
		t.Fatalf("the saga is %s while its action may have executed", p)
	}
	r.call("reserve", unwind.Compensation)
}

// Who waited for longest goes first, though a restart reads sagas in any order.
func TestHeldSagasGoInTheOrderOfTheirStarts(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.late()
	var begun []id.ID
	for range 50 {
		begun = append(begun, r.start(false))
	}
	r.settle()
	r.knows = r.late
	r.restart(Config{})
	r.settle()
	r.quiet()
	r.n.Depths(r.moment(), nil)
	r.settle()
	for i, saga := range begun {
		if c := r.call("reserve", unwind.Action); c.Saga != saga {
			t.Fatalf("call %d is for saga %s, want %s", i, c.Saga, saga)
		}
	}
}

// Sagas that are held don't take the memory that others need to go on.
func TestAsManyAreHeldAsHalfTheMemoryTakes(t *testing.T) {
	for name, cfg := range map[string]Config{"in number": {MaxActive: 10}, "in bytes": {MaxBytes: 10 * len(`{"n":1}`)}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, threeSteps(), cfg)
			r.late()
			for range 6 {
				r.start(false)
				r.settle()
			}
			for i, reply := range r.replies {
				if refused := unwind.CodeOf(reply.Err) == unwind.Overloaded; refused != (i == 5) {
					t.Errorf("start %d is answered with %v", i, reply.Err)
				}
			}
		})
	}
}

// A delay that runs beside the first action is nothing that a participant has done.
func TestASagaIsHeldThatBeginsWithADelay(t *testing.T) {
	def := threeSteps()
	def.Steps = append([]unwind.Step{{Name: "wait", Kind: unwind.DelayStep, For: 10 * unwind.Second}}, def.Steps...)
	def.Steps[1].After = []string{}
	r := newRig(t, def, Config{})
	r.late()
	saga := r.start(false)
	r.settle()
	r.quiet()
	if r.n.HeldFor(r.moment(), saga) == "" {
		t.Error("the saga is not held")
	}
	r.n.Depths(r.moment(), nil)
	r.settle()
	r.call("reserve", unwind.Action)
}
