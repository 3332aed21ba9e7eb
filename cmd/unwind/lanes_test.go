package main

import (
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
)

func TestALaneSaysWhatKeepsItBack(t *testing.T) {
	late := &unwind.Backlog{Objective: 5 * unwind.Minute, Policy: unwind.ShedStarts}
	held := &unwind.Backlog{Objective: 5 * unwind.Minute, Policy: unwind.HoldStarts}
	rate, opened, until := unwind.PerSecond(20), unwind.TimeFromMicros(0), unwind.TimeFromMicros(3_600_000_000)
	quiet := unwind.LaneOverride{Breaker: unwind.BreakerOpen, Until: &until, By: "ann", Reason: "the bank asked"}
	both := unwind.LaneOverride{LimitsChange: unwind.LimitsChange{Rate: &rate}, Breaker: unwind.BreakerClosed, By: "ann", Reason: "the bank asked"}
	pause := func(kind unwind.ScopeKind, name, tenant string) unwind.LaneHold {
		return unwind.LaneHold{Scope: unwind.Scope{Kind: kind, Name: name, Tenant: tenant}, LanePause: unwind.LanePause{By: "bob", At: unwind.TimeFromMicros(0), Reason: "a storm"}}
	}
	all, order, acme := pause(unwind.ScopeGlobal, "", ""), pause(unwind.ScopeSagaType, "order", ""), pause(unwind.ScopeTenant, "order", "acme")
	const since = " PAUSED by bob since 1970-01-01 00:00:00Z: a storm"
	for want, lane := range map[string]unwind.LaneState{
		"all compensations" + since: {Held: []unwind.LaneHold{all}},
		"all compensations" + since + "; saga type order" + since + "; breaker held open by ann until 1970-01-01 01:00:00Z: the bank asked": {
			Held: []unwind.LaneHold{all, order}, Overrides: []unwind.LaneOverride{quiet},
		},
		"open, saga type order" + since + "; tenant acme of saga type order" + since: {Held: []unwind.LaneHold{order, acme}},
		"open, saga type order" + since + "; saga type order" + since + "; saga type order" + since + "; and 2 more are paused: unwind service scopes": {
			Held: []unwind.LaneHold{order, order, order, order, order},
		},
		"service fault: 401; all compensations" + since: {Fault: "401", Held: []unwind.LaneHold{all}},
		"open":              {Breaker: unwind.LaneBreaker{State: "closed"}},
		"breaker half_open": {Breaker: unwind.LaneBreaker{State: "half_open"}, Fault: "401"},
		"breaker open since 1970-01-01 00:00:00Z, next probe 1970-01-01 01:00:00Z": {
			Breaker: unwind.LaneBreaker{State: "open", Since: &opened, Probe: &until},
		},
		"service fault: 401":                   {Fault: "401", Gate: &unwind.LaneGate{Reason: "401"}, Backlog: late},
		"gate until 1970-01-01 00:00:00Z: 503": {Gate: &unwind.LaneGate{Until: unwind.TimeFromMicros(0), Reason: "503"}, Backlog: late},
		"open, a compensation waits for longer than 5m0s: new sagas are refused":      {Backlog: late},
		"open, a compensation waits for longer than 5m0s: new sagas are held":         {Backlog: held},
		"open, limits set (rate 20/s) and breaker held closed by ann: the bank asked": {Overrides: []unwind.LaneOverride{both}},
		"breaker open; limits set (rate 20/s) and breaker held closed by ann: the bank asked; breaker held open by ann until 1970-01-01 01:00:00Z: the bank asked": {
			Breaker: unwind.LaneBreaker{State: "open"}, Overrides: []unwind.LaneOverride{both, quiet},
		},
		"breaker open; breaker held open by ann until 1970-01-01 01:00:00Z: the bank asked": {
			Breaker: unwind.LaneBreaker{State: "open"}, Overrides: []unwind.LaneOverride{quiet},
		},
		"PAUSED by bob since 1970-01-01 00:00:00Z: they move; breaker held open by ann until 1970-01-01 01:00:00Z: the bank asked": {
			Paused: &unwind.LanePause{By: "bob", At: unwind.TimeFromMicros(0), Reason: "they move"}, Overrides: []unwind.LaneOverride{quiet},
		},
		"PAUSED by bob since 1970-01-01 00:00:00Z until 1970-01-01 01:00:00Z: they move": {
			Paused: &unwind.LanePause{By: "bob", At: unwind.TimeFromMicros(0), Until: &until, Reason: "they move"},
		},
	} {
		if got := laneState(&lane); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}

// What holds a saga type or a tenant holds all of it, and part of a lane at most.
func TestAScopeSaysWhatHoldsIt(t *testing.T) {
	order, acme := unwind.Scope{Kind: unwind.ScopeSagaType, Name: "order"}, unwind.Scope{Kind: unwind.ScopeTenant, Name: "order", Tenant: "acme"}
	hold := func(s unwind.Scope) unwind.LaneHold {
		return unwind.LaneHold{Scope: s, LanePause: unwind.LanePause{By: "bob", At: unwind.TimeFromMicros(0), Reason: "a storm"}}
	}
	const since = " PAUSED by bob since 1970-01-01 00:00:00Z: a storm"
	for want, s := range map[string]unwind.ScopeState{
		"open":                          {Scope: acme},
		"all compensations" + since:     {Scope: order, State: unwind.LaneState{Held: []unwind.LaneHold{hold(unwind.Scope{Kind: unwind.ScopeGlobal})}}},
		"saga type order" + since:       {Scope: acme, State: unwind.LaneState{Held: []unwind.LaneHold{hold(order)}}},
		"open, saga type order" + since: {Scope: unwind.Scope{Kind: unwind.ScopeCompensation, Name: "shop"}, State: unwind.LaneState{Held: []unwind.LaneHold{hold(order)}}},
		"PAUSED by ann since 1970-01-01 00:00:00Z: they asked; saga type order" + since: {
			Scope: acme, State: unwind.LaneState{Paused: &unwind.LanePause{By: "ann", At: unwind.TimeFromMicros(0), Reason: "they asked"}, Held: []unwind.LaneHold{hold(order)}},
		},
	} {
		if got := scopeState(&s); got != want {
			t.Errorf("%s: it says %q, want %q", s.Scope, got, want)
		}
	}
}

// A lane that goes slower than its limit says both.
func TestALaneSaysBothItsRateAndItsLimit(t *testing.T) {
	number := func(r float64) *float64 { return &r }
	for want, r := range map[string]unwind.LaneRate{
		"-":            {},
		"20/s":         {Configured: number(20), Effective: number(20)},
		"6/s of 20/s":  {Configured: number(20), Effective: number(6)},
		"20/s of 20/s": {Configured: number(20), Effective: number(20), Adaptive: number(20)},
		"6/s":          {Effective: number(6)},
		"6/min of 1/s": {Configured: number(1), Effective: number(0.1)},
	} {
		if got := rate(&unwind.LaneState{Rate: r}); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}

func TestALaneMarksTheLimitsThatAreSetLive(t *testing.T) {
	ten, on, each := 10.0, true, 3
	for want, change := range map[string]unwind.LimitsChange{
		"10/s 3": {}, "10/s* 3": {Rate: &unwind.Rate{}}, "10/s 3*": {Concurrency: &each}, "10/s* 3 ": {Adaptive: &on}, "10/s 3 ": {Window: &unwind.Rate{}},
	} {
		l := unwind.LaneState{Rate: unwind.LaneRate{Configured: &ten, Effective: &ten}, Concurrency: each, Overrides: []unwind.LaneOverride{{}, {LimitsChange: change}}}
		if got := rate(&l) + " " + slots(&l); got != strings.TrimSpace(want) {
			t.Errorf("%+v: it says %q, want %q", change, got, want)
		}
	}
}

func TestTheHelpExplainsEachColumnOfTheLanes(t *testing.T) {
	for _, column := range laneHead {
		if !strings.Contains(laneColumns, "\n- "+column+": ") && !strings.Contains(laneColumns, column+", LANE: ") && !strings.Contains(laneColumns, ", "+column+": ") {
			t.Errorf("nothing says what %s means", column)
		}
	}
}
