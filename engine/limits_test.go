package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

// A gate that a service has closed stays closed over a crash.
func TestAGateHoldsOverACrash(t *testing.T) {
	t.Parallel()
	for seconds := 4; !gateHolds(t, seconds); seconds *= 2 {
		if seconds > 60 {
			t.Fatalf("a crash takes longer than %d s", seconds)
		}
	}
}

// gateHolds has a service close its gate, and crashes. It is false where the gate was
// due to open before the engine was there again.
func gateHolds(t *testing.T, seconds int) bool {
	t.Helper()
	s := newStage(t, placeOrder(), fmt.Sprintf("ship:409 refund:503+%d,200", seconds), nil)
	first := s.begin("first")
	gate := func() *unwind.LaneGate {
		services, err := s.Participants(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return services[0].Lanes.Compensation.Gate
	}
	s.until("the answer is not durable, and what rode with it", func() bool {
		return s.step(first, "charge").Compensation.Throttled == 1
	})
	closed := gate()
	s.crash()
	g, now := gate(), time.Now()
	if closed == nil || closed.Until.Before(now) {
		return false
	}
	if g == nil || g.Until.Sub(closed.Until.Time).Abs() > time.Second {
		t.Fatalf("after the crash the gate is %+v; it was closed until %s", g, closed.Until)
	}
	calls := s.called("/refund", 2)
	if waited, asked := calls[1].At.Sub(calls[0].At), time.Duration(seconds)*time.Second; waited < asked {
		t.Errorf("the service asked for %s and was called again after %s", asked, waited)
	}
	return true
}

// Limits that an operator has set hold over a crash, and end by themselves.
func TestLimitsThatWereSetEndByThemselves(t *testing.T) {
	t.Parallel()
	for expires := 2 * unwind.Second; !limitsEnd(t, expires); expires *= 2 {
		if expires > eventually {
			t.Fatalf("a crash takes longer than %s", expires)
		}
	}
}

// limitsEnd sets limits for a while, and crashes. It is false where they ended before the
// engine was there again.
func limitsEnd(t *testing.T, expires unwind.Duration) bool {
	t.Helper()
	s := newStage(t, placeOrder(), "", nil)
	one, scope := unwind.PerSecond(1), unwind.Scope{Kind: unwind.ScopeCompensation, Name: "payments"}
	change := unwind.ControlRequest{Scope: scope, Limits: &unwind.LimitsChange{Rate: &one}, ExpiresIn: expires, Reason: "they asked", Actor: "ops"}
	begin := time.Now()
	if _, err := s.Control(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	rate := func() float64 {
		services, err := s.Participants(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return *services[0].Lanes.Compensation.Rate.Effective
	}
	s.crash()
	if got := rate(); time.Since(begin) >= expires.Std() {
		return false
	} else if got != 1 {
		t.Errorf("after a crash the rate is %v/s, want 1/s", got)
	}
	s.until("they have ended", func() bool { return rate() == 1000 })
	s.crash()
	if got := rate(); got != 1000 {
		t.Errorf("after they ended and a crash the rate is %v/s, want 1000/s", got)
	}
	audit, err := s.Audit(t.Context(), unwind.AuditFilter{Page: unwind.Page{Limit: 1}})
	if err != nil || audit.Items[0].Action != "expire" || audit.Items[0].Actor != "unwind" {
		t.Errorf("the last row of the audit is %+v, %v", audit.Items, err)
	}
	return true
}

// A pause for a while ends by itself, over a crash too, and is told until
// when.
func TestAPauseForAWhileEndsByItself(t *testing.T) {
	for expires := 2 * unwind.Second; !pauseEnds(t, expires); expires *= 2 {
		if expires > unwind.Minute {
			t.Fatalf("a crash takes longer than %s", expires)
		}
	}
}

// pauseEnds pauses a lane for a while, and crashes. It is false where the pause had ended
// before the engine was there again.
func pauseEnds(t *testing.T, expires unwind.Duration) bool {
	t.Helper()
	s := newStage(t, placeOrder(), "ship:409", nil)
	begin, change := time.Now(), refundLane(true, "the bank moves")
	change.ExpiresIn = expires
	state, err := s.Control(t.Context(), change)
	if err != nil {
		t.Fatal(err)
	}
	paused := state.State.Paused
	if paused == nil || paused.Until == nil || paused.Until.Sub(paused.At.Time) != expires.Std() || state.State.Overrides != nil {
		t.Fatalf("a pause for %s stands as %+v, beside it %+v", expires, paused, state.State.Overrides)
	}
	saga := s.begin("")
	s.crash()
	waits := func() string { return s.step(saga, "charge").Compensation.WaitingFor }
	s.until("its refund doesn't say until when it waits", func() bool {
		return time.Since(begin) >= expires.Std() ||
			waits() == "service payments: paused (the bank moves) until "+paused.Until.Format("15:04:05.000Z")
	})
	if time.Since(begin) >= expires.Std() {
		return false
	}
	if inst := s.rest(saga); inst.Status != unwind.Compensated {
		t.Errorf("it rests as %s", inst.Status)
	}
	if took := time.Since(begin); took < expires.Std() {
		t.Errorf("the refund was sent through a paused lane, after %s", took)
	}
	audit, err := s.Audit(t.Context(), unwind.AuditFilter{Page: unwind.Page{Limit: 2}})
	if err != nil || audit.Items[0].Action != "expire" || audit.Items[0].Actor != "unwind" || audit.Items[1].Action != "pause" {
		t.Errorf("the audit is %+v, %v", audit.Items, err)
	}
	return true
}

// What can't end is refused, and why is told.
func TestAResumeDoesNotExpire(t *testing.T) {
	t.Parallel()
	s := newStage(t, placeOrder(), "", nil)
	resume := refundLane(false, "for now")
	resume.ExpiresIn = unwind.Minute
	_, err := s.Control(t.Context(), resume)
	if unwind.CodeOf(err) != unwind.InvalidRequest || !strings.Contains(err.Error(), "a resume does not expire") {
		t.Errorf("a resume for a minute: %v", err)
	}
}

// A pause keeps its reason, and who paused, whatever else is changed meanwhile.
func TestAPauseKeepsItsReason(t *testing.T) {
	t.Parallel()
	s := newStage(t, placeOrder(), "", nil)
	ten, open := unwind.PerSecond(10), unwind.BreakerOpen
	for _, change := range []unwind.ControlRequest{
		refundLane(true, "the bank is closed"),
		{Limits: &unwind.LimitsChange{Rate: &ten}, ExpiresIn: unwind.Second, Reason: "slowly", Actor: "another"},
		{Breaker: &open, ExpiresIn: unwind.Second, Reason: "not at all", Actor: "another"},
	} {
		change.Scope = refundLane(true, "").Scope
		if _, err := s.Control(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	lane := func() *unwind.LaneState {
		services, err := s.Participants(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return &services[0].Lanes.Compensation
	}
	paused := lane().Paused
	if paused == nil || paused.Reason != "the bank is closed" || paused.By != "ops" {
		t.Errorf("the pause is %+v", paused)
	}
	s.until("what was set has ended", func() bool { return lane().Overrides == nil })
	s.crash()
	if after := lane().Paused; after == nil || *after != *paused {
		t.Errorf("after a crash the pause is %+v", after)
	}
}

// An operator who holds a breaker has held it since then, whatever else is set later.
func TestAHeldBreakerKeepsItsTime(t *testing.T) {
	t.Parallel()
	s := newStage(t, placeOrder(), "", nil)
	scope, ten := unwind.Scope{Kind: unwind.ScopeCompensation, Name: "payments"}, unwind.PerSecond(10)
	open, shut, auto := unwind.BreakerOpen, unwind.BreakerClosed, unwind.BreakerAuto
	since := func(change unwind.ControlRequest) time.Time {
		change.Scope, change.Reason, change.Actor = scope, "they asked", "ops"
		state, err := s.Control(t.Context(), change)
		if err != nil {
			t.Fatal(err)
		}
		if state.State.Breaker.Since == nil {
			t.Fatalf("after %+v the breaker has no time", change)
		}
		return state.State.Breaker.Since.Time
	}
	last := time.Time{}
	for _, mode := range []*unwind.BreakerMode{&open, &shut, &auto} {
		at := since(unwind.ControlRequest{Breaker: mode})
		if !at.After(last) {
			t.Errorf("%s was set at %v, and what was before it at %v", *mode, at, last)
		}
		last = at
		for what, change := range map[string]unwind.ControlRequest{
			"a rate was set": {Limits: &unwind.LimitsChange{Rate: &ten}}, "the mode was set again": {Breaker: mode},
		} {
			if got := since(change); !got.Equal(at) {
				t.Errorf("it is %s since %v, and after %s since %v", *mode, at, what, got)
			}
		}
	}
	held := since(unwind.ControlRequest{Breaker: &open})
	s.crash()
	if got := since(unwind.ControlRequest{Limits: &unwind.LimitsChange{Rate: &ten}}); !got.Equal(held) {
		t.Errorf("it is held open since %v, and after a crash since %v", held, got)
	}
}

// Each lasts less long than the one below it, so that none can be forgotten.
func TestChangesThatEndAreBoundedAtAScope(t *testing.T) {
	t.Parallel()
	s := newStage(t, placeOrder(), "", nil)
	scope := unwind.Scope{Kind: unwind.ScopeCompensation, Name: "payments"}
	set := 0
	for ; ; set++ {
		rate := unwind.PerSecond(int64(1 + set))
		change := unwind.ControlRequest{Scope: scope, Limits: &unwind.LimitsChange{Rate: &rate}, ExpiresIn: unwind.Hour - unwind.Duration(set)*unwind.Second, Reason: "less"}
		if _, err := s.Control(t.Context(), change); err != nil {
			if unwind.CodeOf(err) != unwind.Conflict || set == 0 || set > 100 {
				t.Errorf("after %d changes: %v", set, err)
			}
			break
		}
	}
	if _, err := s.Control(t.Context(), unwind.ControlRequest{Scope: scope, Reset: true, Reason: "all back"}); err != nil {
		t.Fatal(err)
	}
	state, err := s.Scopes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range state {
		if sc.Scope == scope && sc.State.Overrides != nil {
			t.Errorf("after the reset %+v stand", sc.State.Overrides)
		}
	}
}

// A burst is how many go at once at a rate: where there is none, and where a lane finds its
// own, nobody is told that one was set.
func TestABurstThatMeansNothingIsRefused(t *testing.T) {
	t.Parallel()
	s := newWorld(t, placeOrder(), "", func(cfg *engine.Config) {
		p := cfg.Participants["payments"]
		p.Compensation.Adaptive = true
		cfg.Participants["payments"] = p
	})
	five, ten, no := 5, unwind.PerSecond(10), false
	order := unwind.Scope{Kind: unwind.ScopeSagaType, Name: "place-order"}
	for _, c := range []struct {
		scope  unwind.Scope
		limits unwind.LimitsChange
		why    string // empty: it is taken
	}{
		{order, unwind.LimitsChange{Burst: &five}, "this scope has none"},
		{unwind.Scope{Kind: unwind.ScopeTenant, Name: "place-order", Tenant: "acme"}, unwind.LimitsChange{Burst: &five}, "this scope has none"},
		{unwind.Scope{Kind: unwind.ScopeGlobal}, unwind.LimitsChange{Burst: &five}, "this scope has none"},
		{order, unwind.LimitsChange{Burst: &five, Rate: &ten}, ""},
		{order, unwind.LimitsChange{Burst: &five}, ""},
		{refundLane(true, "").Scope, unwind.LimitsChange{Burst: &five}, "adapts its rate"},
		{refundLane(true, "").Scope, unwind.LimitsChange{Burst: &five, Adaptive: &no}, ""},
	} {
		_, err := s.Control(t.Context(), unwind.ControlRequest{Scope: c.scope, Limits: &c.limits, Reason: "x"})
		if c.why == "" && err != nil || c.why != "" && (unwind.CodeOf(err) != unwind.InvalidRequest || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s, %+v: %v; want %q", c.scope, c.limits, err, c.why)
		}
	}
	audit, err := s.Audit(t.Context(), unwind.AuditFilter{})
	if err != nil || len(audit.Items) != 3+1 { // and the definition
		t.Errorf("the audit has %+v, %v", audit.Items, err)
	}
}
