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
	s.until("the refunds are not all queued", func() bool {
		stats, err := s.Stats(t.Context())
		return err == nil && stats.Compensations == int64(len(ids))
	})
	last := ids[len(ids)-1] // left in the store
	inst, err := s.Get(t.Context(), last)
	if err != nil || !strings.HasPrefix(inst.Steps[1].Compensation.WaitingFor, "service payments: paused (the bank is closed)") {
		t.Errorf("the refund waits for %q, %v", inst.Steps[1].Compensation.WaitingFor, err)
	}
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
	audit, err := s.Audit(t.Context(), unwind.Page{Limit: 1})
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
