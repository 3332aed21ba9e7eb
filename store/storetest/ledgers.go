package storetest

import (
	"fmt"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// alerted writes n alerts and returns their messages, oldest first.
func (s *scene) alerted(n int) []string {
	var messages []string
	for range n {
		a := store.Alert{At: s.tick(), Kind: unwind.AlertServiceFault, Service: "payments"}
		a.Message = fmt.Sprintf("alert of %d", a.At)
		s.write(&store.Batch{Alerts: []store.Alert{a}})
		messages = append(messages, a.Message)
	}
	return messages
}

func messagesOf(alerts []store.Alert) []string {
	var messages []string
	for i := range alerts {
		messages = append(messages, alerts[i].Message)
	}
	return messages
}

func (s *scene) pending() []store.Alert {
	s.Helper()
	return must(s.PendingAlerts(s.Context(), 0))(s)
}

func alertIsWrittenWithWhatItCovers(s *scene) {
	t := s.anonymous()
	want := []store.Alert{
		{At: s.now, Kind: unwind.AlertDeadLetter, Saga: t.Saga, Service: "payments", Message: "refund failed", Data: []byte(`{"step":"charge"}`)},
		{At: s.now, Kind: unwind.AlertDeadline, Saga: t.Saga, Delivered: true}, // delivered is the store's to say
		{At: s.now, Kind: unwind.AlertLaneGuard, Service: "payments"},
	}
	t.Alerts = want[:2]
	s.write(&store.Batch{Transitions: []store.Transition{t}, Alerts: want[2:]})
	pending := s.pending()
	for i := range pending {
		if pending[i].ID <= 0 || i > 0 && pending[i].ID <= pending[i-1].ID {
			s.Errorf("alert %d has the id %d; ids are positive and rise", i, pending[i].ID)
		}
		pending[i].ID = 0
	}
	want[1].Delivered = false
	s.is("the pending alerts, oldest first", pending, want)
}

func alertIsPendingUntilItIsDelivered(s *scene) {
	messages := s.alerted(5)
	pending := s.pending()
	s.is("what is pending", messagesOf(pending), messages)
	deliver := func(ids ...int64) {
		s.Helper()
		if err := s.AlertsDelivered(s.Context(), s.epoch, ids); err != nil {
			s.Fatal(err)
		}
	}
	deliver(pending[3].ID, pending[0].ID)
	deliver(pending[0].ID, pending[4].ID+1000, -1) // delivered already, and unknown
	deliver()
	s.is("what is pending later", messagesOf(s.pending()), []string{messages[1], messages[2], messages[4]})
	s.is("what the stats count", must(s.Stats(s.Context()))(s).AlertsPending, int64(3))
	alerts, _ := mustPage(s.Alerts(s.Context(), "", 0))(s)
	var delivered []bool
	for i := range alerts {
		delivered = append(delivered, alerts[i].Delivered)
	}
	s.is("which are delivered, newest first", delivered, []bool{false, true, false, false, true})
	s.is("the first two pending", messagesOf(must(s.PendingAlerts(s.Context(), 2))(s)), []string{messages[1], messages[2]})
}

func alertsArePagedNewestFirst(s *scene) {
	want := s.alerted(23)
	slices.Reverse(want)
	for _, size := range []int{1, 5, 22, 23, 24} {
		s.is("the alerts page by page", messagesOf(pages(s, size, func(cursor string, limit int) ([]store.Alert, string, error) {
			return s.Alerts(s.Context(), cursor, limit)
		})), want)
	}
	first, next := mustPage(s.Alerts(s.Context(), "", 10))(s)
	s.alerted(3)
	rest, _ := mustPage(s.Alerts(s.Context(), next, 100))(s)
	s.is("the alerts while others come", messagesOf(append(first, rest...)), want)
}

func controlHoldsUntilItIsEmpty(s *scene) {
	controls := func(cs ...store.Control) []store.Control {
		s.Helper()
		s.write(&store.Batch{Controls: cs})
		return must(s.Controls(s.Context()))(s)
	}
	scope := func(kind, name, tenant string) store.Scope {
		return store.Scope{Kind: kind, Name: name, Tenant: tenant}
	}
	refund := store.Control{Scope: scope(store.ScopeCompensation, "payments", ""), Paused: true, Reason: "wrong currency", By: "ada", At: 5}
	charge := store.Control{Scope: scope(store.ScopeForward, "payments", ""), Paused: true, By: "bob", At: 6}
	acme := store.Control{Scope: scope(store.ScopeTenant, "place-order", "acme"), Settings: []byte(`{"rate":"5/s"}`), At: 7}
	s.is("a store's first controls", controls(), []store.Control{})
	s.is("the controls", controls(charge, refund, acme), []store.Control{refund, charge, acme})
	again := refund
	again.Reason, again.By, again.At = "still wrong", "eve", 8
	s.is("the controls once one is set anew", controls(again), []store.Control{again, charge, acme})
	resumed := charge
	resumed.Paused = false
	unknown := store.Control{Scope: scope(store.ScopeForward, "shipping", "")}
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
	global := store.FlowState{Scope: store.Scope{Kind: store.ScopeGlobal}, Body: []byte{1, 0, 2}}
	acme := store.FlowState{Scope: store.Scope{Kind: store.ScopeTenant, Name: "place-order", Tenant: "acme"}, Body: []byte{3}}
	s.is("a store's first states", states(), []store.FlowState{})
	s.is("the states", states(acme, global), []store.FlowState{global, acme})
	later := global
	later.Body = []byte{9, 9}
	s.is("the states once one is written anew, twice", states(global, later), []store.FlowState{later, acme})
	later.Body = nil
	s.is("the states once one is taken away", states(later), []store.FlowState{acme})
}
