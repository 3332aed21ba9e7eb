package engine_test

import (
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

// Two saga types share the payments lane; one is paused. The lane says that of what waits in
// it, does not call itself paused, and says nothing of a pause that holds nothing of it.
func TestALaneSaysWhichPausesHoldIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, placeOrder(), "ship:409", func(cfg *engine.Config) {
		other := placeOrder()
		other.Name = "return-order"
		cfg.Definitions = append(cfg.Definitions, other)
	})
	order, acme := unwind.Scope{Kind: unwind.ScopeSagaType, Name: "place-order"}, unwind.Scope{Kind: unwind.ScopeTenant, Name: "place-order", Tenant: "acme"}
	all, returns := unwind.Scope{Kind: unwind.ScopeGlobal}, unwind.Scope{Kind: unwind.ScopeSagaType, Name: "return-order"}
	pause := func(scope unwind.Scope, paused bool) {
		t.Helper()
		if _, err := w.Control(t.Context(), unwind.ControlRequest{Scope: scope, Paused: &paused, Reason: "a storm", Actor: "bob"}); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(want ...unwind.Scope) {
		t.Helper()
		var l unwind.LaneState
		services, err := w.Participants(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if l = services[0].Lanes.Compensation; services[0].Lanes.Forward.Held != nil || l.Paused != nil {
			t.Errorf("the lanes are %+v and %+v", services[0].Lanes.Forward, l)
		}
		if len(want) > 0 && l.Depth.Ready > 0 && l.DrainEstimateMS != nil {
			t.Errorf("what is held will be gone in %d ms, it says", *l.DrainEstimateMS)
		}
		same := len(want) == len(l.Held)
		for i := range l.Held {
			same = same && l.Held[i].Scope == want[i] && l.Held[i].Reason == "a storm" && l.Held[i].By == "bob" && !l.Held[i].At.IsZero()
		}
		if !same {
			t.Errorf("%+v hold the lane; want %+v", l.Held, want)
		}
	}
	for _, scope := range []unwind.Scope{order, acme, returns} {
		pause(scope, true)
	}
	holds() // nothing of them waits
	held := w.begin("held")
	w.until("the refund does not wait", func() bool { return w.step(held, "charge").Compensation.Status == unwind.CompensationQueued })
	holds(order)
	pause(order, false)
	w.rest(held)
	holds()
	pause(all, true)
	holds(all)
	pause(all, false)
	holds()
}
