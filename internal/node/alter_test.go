package node

import (
	"errors"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// Limits hold once they are acknowledged, also while others are being written, which
// may take as long as a store is out of order.
func TestAcknowledgedLimitsHoldWhileLaterOnesAreWritten(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.change(1, rate(3, 0))
	r.change(2, concurrency(4))
	r.commit(nil)
	if len(r.replies) != 1 || r.replies[0].Token != 1 {
		t.Fatalf("the replies are %+v", r.replies)
	}
	if l := r.n.Limits(shopUndo); l.Rate != unwind.PerSecond(3) || l.Concurrency == 4 {
		t.Errorf("the rate that was acknowledged is 3/s, and %v holds; concurrency %d", l.Rate, l.Concurrency)
	}
	r.commit(errors.New("the disk is full"))
	if l := r.n.Limits(shopUndo); l.Rate != unwind.PerSecond(3) {
		t.Errorf("the rate that was acknowledged is 3/s, and %v holds", l.Rate)
	}
}

// A pause holds at once, whatever becomes durable before it.
func TestALaterPauseHoldsWhileAnEarlierChangeBecomesDurable(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.change(1, rate(3, 0))
	set, _ := r.n.Control(shopUndo)
	set.Paused = true
	r.n.SetControl(r.moment(), ControlChange{Token: 2, Control: set})
	r.commit(nil)
	if !r.n.Snapshot(r.moment(), shopUndo).Paused {
		t.Error("the lane is not paused")
	}
	if set, _ := r.n.Control(shopUndo); !set.Paused {
		t.Error("what the next change begins with is not paused")
	}
}

// The calls of any service may be out under a scope that is no service's: after a crash
// its window is held until the slowest has ended.
func TestAWindowOfAnyScopeIsHeldOverACrash(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	tenant := unwind.Scope{Kind: unwind.ScopeTenant, Name: "order", Tenant: "acme"}
	r.changeAt(tenant, 1, func(s *Settings) {
		w := unwind.Rate{Calls: 5, Per: unwind.Second}
		s.Set(Setting{Limits: unwind.LimitsChange{Window: &w}})
	})
	r.settle()
	r.n.Configure(r.moment(), shopUndo, Limits{Hold: 20 * unwind.Second})
	if hold := r.n.Snapshot(r.moment(), tenant).Effective.Hold; hold != int64(20*unwind.Second) {
		t.Errorf("the window of %s is held for %dns after a crash, and a call may take 20s", tenant, hold)
	}
}

func (r *rig) sendNow(t Token, saga id.ID) {
	r.n.Operate(r.moment(), Operation{Token: t, Saga: saga, Event: machine.Event{Kind: machine.Hastened, Dir: unwind.Action}, Audit: &store.Audit{Action: "send-now"}})
	r.look()
}

// Nothing leaves of a start that is not durable, and who asked for it is told.
func TestNothingOfASagaIsSentNowThatIsBeingStarted(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.sendNow(7, r.start(false))
	r.quiet()
	r.commit(errors.New("no space left"))
	r.replied(7, unwind.NotFound)
	r.quiet()
}

// A call leaves once its order is durable, whoever is in a hurry.
func TestAnOrderThatIsNotDurableIsNotSentNow(t *testing.T) {
	r := newRig(t, threeSteps(), Config{Lease: 1 << 40})
	saga := r.start(false)
	r.settle()
	r.answer(r.call("reserve", unwind.Action), 503)
	r.settle() // the next attempt is durable, and waits
	r.sendNow(7, saga)
	r.now += 60_000_000
	r.look() // it leaves by itself, while that is being written
	r.answer(r.call("reserve", unwind.Action), 503)
	r.commit(nil)
	r.replied(7, "")
	r.quiet() // the attempt after it is not durable, and was not asked for
}

// A compensation that overtakes its action undoes nothing, and the action stands.
func TestACompensationIsNotSentNowBeforeItsActionHasSettled(t *testing.T) {
	r := newRig(t, &unwind.Definition{Name: "order", Retry: &unwind.Retry{Attempts: 1}, Steps: threeSteps().Steps[:2]}, Config{Lease: 1 << 40})
	saga := r.start(false)
	r.settle()
	r.n.CallEnded(r.moment(), r.call("reserve", unwind.Action).ID, machine.Answer{Fault: machine.FaultBroken, Message: "connection reset"})
	r.settle()
	undo := func(token Token) {
		r.n.Operate(r.moment(), Operation{Token: token, Saga: saga, Event: machine.Event{Kind: machine.Hastened, Dir: unwind.Compensation}, Audit: &store.Audit{Action: "send-now"}})
		r.settle()
	}
	undo(7)
	r.replied(7, unwind.Conflict)
	r.quiet()
	r.now += 2_000_000
	undo(8)
	r.call("reserve", unwind.Compensation)
}
