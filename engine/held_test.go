package engine_test

import (
	"slices"
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

// A saga type is held by a pause of everything, a tenant by that of its saga type too, and
// neither by one beside or below it.
func TestAScopeSaysWhichPausesHoldIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, placeOrder(), "ship:409", func(cfg *engine.Config) {
		other := placeOrder()
		other.Name = "return-order"
		cfg.Definitions = append(cfg.Definitions, other)
	})
	all, order := unwind.Scope{Kind: unwind.ScopeGlobal}, unwind.Scope{Kind: unwind.ScopeSagaType, Name: "place-order"}
	acme, bolt := unwind.Scope{Kind: unwind.ScopeTenant, Name: "place-order", Tenant: "acme"}, unwind.Scope{Kind: unwind.ScopeTenant, Name: "place-order", Tenant: "bolt"}
	returns, other := unwind.Scope{Kind: unwind.ScopeSagaType, Name: "return-order"}, unwind.Scope{Kind: unwind.ScopeTenant, Name: "return-order", Tenant: "acme"}
	ten := unwind.PerSecond(10)
	change := func(scope unwind.Scope, req unwind.ControlRequest) {
		t.Helper()
		req.Scope, req.Reason, req.Actor = scope, "a storm", "bob"
		if _, err := w.Control(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	for _, scope := range []unwind.Scope{bolt, returns, other} {
		change(scope, unwind.ControlRequest{Limits: &unwind.LimitsChange{Rate: &ten}})
	}
	for _, scope := range []unwind.Scope{all, order, acme} {
		change(scope, unwind.ControlRequest{Paused: new(true), ExpiresIn: unwind.Hour})
	}
	want := map[unwind.Scope][]unwind.Scope{all: nil, order: {all}, returns: {all}, acme: {all, order}, bolt: {all, order}, other: {all}}
	states, err := w.Scopes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range states {
		s, by := &states[i], []unwind.Scope(nil)
		for _, h := range s.State.Held {
			if by = append(by, h.Scope); h.Until == nil || h.By != "bob" {
				t.Errorf("%s is held by %+v", s.Scope, h)
			}
		}
		if scopes, is := want[s.Scope]; is && !slices.Equal(by, scopes) {
			t.Errorf("%v hold %s; want %v", by, s.Scope, scopes)
		}
		delete(want, s.Scope)
	}
	if len(want) > 0 {
		t.Errorf("%v are not listed", want)
	}
}
