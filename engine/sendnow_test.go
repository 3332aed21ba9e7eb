package engine_test

import (
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
)

// An operator's single send goes past a pause, counts as an attempt like any other,
// is audited, and leaves all others where they wait.
func TestOneCallIsSentNow(t *testing.T) {
	s := newStage(t, placeOrder(), "ship:409", nil)
	if _, err := s.Control(t.Context(), refundLane(true, "the bank is closed")); err != nil {
		t.Fatal(err)
	}
	ids := s.beginMany(300) // more than the heads that are in memory
	s.reaches("refunds that are queued", len(ids), func() int {
		stats, err := s.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return int(stats.Compensations)
	})
	last := ids[len(ids)-1] // left in the store
	s.until("the node does not know what the last refund waits for", func() bool {
		return strings.HasPrefix(s.step(last, "charge").Compensation.WaitingFor, "service payments: paused (the bank is closed)")
	})
	now := unwind.SendNow{Step: "charge", Reason: "is the bank there?", Actor: "ops"}
	if _, err := s.SendNow(t.Context(), last, now); err != nil {
		t.Fatal(err)
	}
	if inst := s.rest(last); inst.Status != unwind.Compensated || inst.Steps[1].Compensation.Attempts != 1 {
		t.Errorf("sent now, the saga rests as %s: %s", inst.Status, steps(inst))
	}
	if n := len(s.script.Calls("/refund")); n != 1 {
		t.Errorf("%d refunds were called, want 1", n)
	}
	if _, err := s.SendNow(t.Context(), last, now); unwind.CodeOf(err) != unwind.Conflict {
		t.Errorf("sent once more: %v", err)
	}
	audit, err := s.Audit(t.Context(), unwind.AuditFilter{Page: unwind.Page{Limit: 1}})
	if err != nil || audit.Items[0].Action != "send-now" || audit.Items[0].Actor != "ops" || audit.Items[0].Target != last+"/charge/compensation" {
		t.Errorf("the last row of the audit is %+v, %v", audit.Items, err)
	}
	if _, err := s.Control(t.Context(), refundLane(false, "the bank is open")); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		s.rest(id)
	}
	if n := len(s.script.Calls("/refund")); n != len(ids) {
		t.Errorf("%d refunds were called for %d sagas", n, len(ids))
	}
}

// What an operator asks of a saga is answered by the saga as it is read.
func TestWhoSteersASagaIsShownWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withSignal(unwind.Hour), "", nil)
	hold := make(chan struct{})
	refund := answerOf("200")
	refund.Until = hold
	w.script.On("/refund", refund)
	signalled, id := w.begin("signalled"), w.begin("cancelled")
	for _, id := range []string{signalled, id} {
		w.until("nobody is waited for", func() bool { return w.step(id, "approve").Status == unwind.StepAwaiting })
	}
	ship := refundLane(true, "the van is full")
	ship.Scope = unwind.Scope{Kind: unwind.ScopeForward, Name: "shop"}
	for _, lane := range []unwind.ControlRequest{ship, refundLane(true, "the bank is closed")} {
		if _, err := w.Control(t.Context(), lane); err != nil {
			t.Fatal(err)
		}
	}
	inst, err := w.Signal(t.Context(), signalled, unwind.SignalRequest{Name: "approve"})
	if err != nil || !strings.Contains(inst.Steps[3].WaitingFor, "the van is full") {
		t.Errorf("signalled, its shipment is %+v, %v", inst.Steps[3], err)
	}
	inst, err = w.Cancel(t.Context(), id, unwind.CancelRequest{Reason: "enough of it"})
	if err != nil || !strings.Contains(inst.Steps[1].Compensation.WaitingFor, "the bank is closed") {
		t.Errorf("cancelled, its refund is %+v, %v", inst.Steps[1].Compensation, err)
	}
	inst, err = w.SendNow(t.Context(), id, unwind.SendNow{Step: "charge", Reason: "is the bank there?"})
	if err != nil || inst.Steps[1].Compensation.WaitingFor != "" {
		t.Errorf("sent, its refund is %+v, %v", inst.Steps[1].Compensation, err)
	}
	close(hold)
	if inst := w.rest(id); inst.Status != unwind.Compensated {
		t.Errorf("it rests as %s", inst.Status)
	}
}
