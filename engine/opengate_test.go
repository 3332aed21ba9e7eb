package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
)

// A gate that a wrong Retry-After has closed is opened at once, and for good. Whom the
// service refused waits for what it was told; everybody else goes.
func TestAGateThatIsOpenedStaysOpenOverACrash(t *testing.T) {
	t.Parallel()
	s := newStage(t, placeOrder(), "ship:409 refund:429+31536000,200", nil)
	gate := func() *unwind.LaneGate {
		services, err := s.Participants(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return services[0].Lanes.Compensation.Gate
	}
	open := refundLane(false, "their header was wrong")
	open.Paused, open.OpenGate = nil, true
	if _, err := s.Control(t.Context(), open); unwind.CodeOf(err) != unwind.Conflict || !strings.Contains(err.Error(), "no Retry-After keeps it closed") {
		t.Errorf("while it is open, opening it is answered %v", err)
	}
	refused := s.begin("refused")
	s.until("the refund is not refused", func() bool { return s.step(refused, "charge").Compensation.Throttled == 1 })
	waiting := s.begin("waiting")
	s.until("nobody waits for the gate", func() bool {
		return strings.HasPrefix(s.step(waiting, "charge").Compensation.WaitingFor, "service payments: gate (429)")
	})
	closed := gate()
	state, err := s.Control(t.Context(), open)
	if err != nil {
		t.Fatal(err)
	}
	s.crash() // the answer was heard, and nothing more is written
	if closed == nil || state.State.Gate != nil || gate() != nil {
		t.Fatalf("the gate was %+v; opened it is %+v, and after a crash %+v", closed, state.State.Gate, gate())
	}
	if inst := s.rest(waiting); inst.Status != unwind.Compensated {
		t.Errorf("who waited rests as %s: %s", inst.Status, steps(inst))
	}
	if next := s.step(refused, "charge").Compensation.NextAt; next == nil || time.Until(next.Time) < time.Minute {
		t.Errorf("who was refused for five minutes goes at %v", next)
	}
	s.until("a lane in which all that waits backs off tells when it is empty", func() bool {
		services, err := s.Participants(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l := services[0].Lanes.Compensation
		return l.Depth == unwind.LaneDepth{BackingOff: 1} && l.DrainEstimateMS == nil
	})
	audit, err := s.Audit(t.Context(), unwind.AuditFilter{Page: unwind.Page{Limit: 1}})
	if err != nil || audit.Items[0].Action != "open-gate" || audit.Items[0].Target != "service payments" || audit.Items[0].Actor != "ops" ||
		!strings.Contains(string(audit.Items[0].Data), closed.Until.Format("2006-01-02T15:04")) {
		t.Errorf("the last row of the audit is %+v, %v", audit.Items, err)
	}
}

// What a person has paused, or holds open, no opened gate sends through.
func TestAGateThatIsOpenedOpensNothingElse(t *testing.T) {
	t.Parallel()
	hold := unwind.BreakerOpen
	for want, change := range map[string]unwind.ControlRequest{
		"service payments: paused (the bank is closed)":        refundLane(true, ""),
		"service payments: breaker open (held by an operator)": {Scope: refundLane(true, "").Scope, Breaker: &hold},
		"all compensations: paused (the bank is closed)":       {Scope: unwind.Scope{Kind: unwind.ScopeGlobal}, Paused: new(true)},
		"saga type place-order: paused (the bank is closed)":   {Scope: unwind.Scope{Kind: unwind.ScopeSagaType, Name: "place-order"}, Paused: new(true)},
	} {
		s := newWorld(t, placeOrder(), "ship:409 refund:429+60,200", nil)
		refused := s.begin("refused")
		s.until("the refund is not refused", func() bool { return s.step(refused, "charge").Compensation.Throttled == 1 })
		waiting := s.begin("waiting")
		s.until("the lane is not closed", func() bool { return s.step(waiting, "charge").Compensation.WaitingFor != "" })
		change.Reason = "the bank is closed"
		open := unwind.ControlRequest{Scope: refundLane(true, "").Scope, OpenGate: true, Reason: "their header was wrong"}
		for _, req := range []unwind.ControlRequest{change, open} {
			if _, err := s.Control(t.Context(), req); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.step(waiting, "charge").Compensation.WaitingFor; got != want {
			t.Errorf("it waits for %q, want %q", got, want)
		}
		if n := len(s.script.Calls("/refund")); n != 1 {
			t.Errorf("%s: %d refunds were called, want the one that was refused", want, n)
		}
	}
}

// A service whose header stays wrong closes the lane for as long as the cap that was set live
// lets it, and no longer.
func TestAHintCapIsSetLive(t *testing.T) {
	t.Parallel()
	s := newStage(t, placeOrder(), "ship:409 refund:429+31536000,429+31536000,200", nil)
	refused := s.begin("refused")
	s.until("the refund is not refused", func() bool { return s.step(refused, "charge").Compensation.Throttled == 1 })
	waiting := s.begin("waiting")
	s.until("nobody waits for the gate", func() bool { return s.step(waiting, "charge").Compensation.WaitingFor != "" })
	least, lane := unwind.Second, refundLane(true, "").Scope
	for _, req := range []unwind.ControlRequest{
		{Scope: lane, Limits: &unwind.LimitsChange{HintCap: &least}, Reason: "their header is wrong"},
		{Scope: lane, OpenGate: true, Reason: "their header is wrong"},
	} {
		if _, err := s.Control(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	s.rest(waiting)
	if n := len(s.script.Calls("/refund")); n != 3 || time.Since(begin) > time.Minute {
		t.Errorf("%d refunds were called in %s, want 3 at once", n, time.Since(begin))
	}
	none := unwind.Duration(0)
	for scope, limits := range map[unwind.Scope]unwind.LimitsChange{lane: {HintCap: &none}, {Kind: unwind.ScopeGlobal}: {HintCap: &least}} {
		if _, err := s.Control(t.Context(), unwind.ControlRequest{Scope: scope, Limits: &limits, Reason: "x"}); unwind.CodeOf(err) != unwind.InvalidRequest {
			t.Errorf("%s, a cap of %s: %v", scope, *limits.HintCap, err)
		}
	}
}
