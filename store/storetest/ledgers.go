package storetest

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

func controlHoldsUntilItIsEmpty(s *scene) {
	controls := func(cs ...store.Control) []store.Control {
		s.Helper()
		s.write(&store.Batch{Controls: cs})
		return must(s.Controls(s.Context()))(s)
	}
	scope := func(kind unwind.ScopeKind, name, tenant string) unwind.Scope {
		return unwind.Scope{Kind: kind, Name: name, Tenant: tenant}
	}
	refund := store.Control{Scope: scope(unwind.ScopeCompensation, "payments", ""), Paused: true, Reason: "wrong currency", By: "ada", At: 5}
	charge := store.Control{Scope: scope(unwind.ScopeForward, "payments", ""), Paused: true, By: "bob", At: 6}
	acme := store.Control{Scope: scope(unwind.ScopeTenant, "place-order", "acme"), Settings: []byte(`{"rate":"5/s"}`), At: 7}
	s.is("a store's first controls", controls(), []store.Control{})
	s.is("the controls", controls(charge, refund, acme), []store.Control{refund, charge, acme})
	again := refund
	again.Reason, again.By, again.At = "still wrong", "eve", 8
	s.is("the controls once one is set anew", controls(again), []store.Control{again, charge, acme})
	resumed := charge
	resumed.Paused = false
	unknown := store.Control{Scope: scope(unwind.ScopeForward, "shipping", "")}
	s.is("the controls once one is lifted", controls(resumed, unknown), []store.Control{again, acme})
	s.is("the controls once one is set and lifted at once", controls(charge, resumed), []store.Control{again, acme})
	acme.Paused, acme.Settings = true, nil
	s.is("the controls once one pauses instead", controls(acme), []store.Control{again, acme})
}

func flowStateReplacesTheOneBefore(s *scene) {
	states := func(fs ...store.FlowState) []store.FlowState {
		s.Helper()
		s.write(&store.Batch{Flow: fs})
		return must(s.FlowStates(s.Context()))(s)
	}
	global := store.FlowState{Scope: unwind.Scope{Kind: unwind.ScopeGlobal}, Body: []byte{1, 0, 2}}
	acme := store.FlowState{Scope: unwind.Scope{Kind: unwind.ScopeTenant, Name: "place-order", Tenant: "acme"}, Body: []byte{3}}
	s.is("a store's first states", states(), []store.FlowState{})
	s.is("the states", states(acme, global), []store.FlowState{global, acme})
	later := global
	later.Body = []byte{9, 9}
	s.is("the states once one is written anew, twice", states(global, later), []store.FlowState{later, acme})
	later.Body = nil
	s.is("the states once one is taken away", states(later), []store.FlowState{acme})
}
