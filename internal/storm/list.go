package storm

import (
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/gateway"
)

const (
	oneSecond = "1, whatever the wait is"
	nothing   = "nothing"
	rtt       = 5 * time.Millisecond
)

// unknown are the limits of somebody who does not know what the gateway bears.
var unknown = unwind.Limits{Rate: unwind.PerSecond(200), Concurrency: 10, Adaptive: true}

// quick is the breaker of somebody whose service goes down and comes back.
var quick = unwind.Breaker{Failures: 0.1, Minimum: 5, Open: unwind.Second}

// storm fills in what most scenarios share.
func storm(name, about string, spec Spec, model func(time.Duration) (gateway.Model, error), goals ...goal) Scenario {
	if spec.Takes == "" {
		spec.Takes = "5 ms"
	}
	if spec.Rejection == "" {
		spec.Rejection = nothing
	}
	if spec.Hint == "" {
		spec.Hint = oneSecond
	}
	if spec.Window == "" {
		spec.Window = "none"
	}
	return Scenario{
		Name: name, About: about, Spec: spec, Sagas: 1000, Undos: 1, few: 60, model: model, hint: gateway.WholeSeconds, latency: rtt, takes: rtt,
		limits: unknown, timeout: 2 * unwind.Second, patience: 60, goals: append([]goal{nothingLost, nothingTwice, noDeadLetters, noOvershoot}, goals...),
	}
}

func (sc Scenario) with(change func(*Scenario)) Scenario {
	change(&sc)
	return sc
}

// Scenarios are all storms, in the order in which they are run. Times in the
// models are units: a second each, and a tenth of that in a quick run.
func Scenarios() []Scenario {
	const none = gateway.Answered // the phase's status says it
	return []Scenario{
		storm("policer", "a gateway that polices 50 calls a second",
			Spec{Capacity: "50/s", Burst: 6}, bucket(50, 6), efficiency(0.98, figure), rejections(0.01)),
		storm("policer-burst-1", "the same, without any burst",
			Spec{Capacity: "50/s", Burst: 1}, bucket(50, 1), efficiency(0.92, figure), rejections(0.01)),
		storm("many-undos", "100 sagas with ten refunds each, which go one after the other",
			Spec{Capacity: "50/s", Burst: 6}, bucket(50, 6), efficiency(0.98, figure), rejections(0.01)).
			with(func(sc *Scenario) { sc.Sagas, sc.Undos, sc.few = 100, 10, 6 }),
		storm("no-hint", "the policer says 429 and no more",
			Spec{Capacity: "50/s", Burst: 6, Hint: "none"}, bucket(50, 6), efficiency(0.98, figure), rejections(0.01)).
			with(func(sc *Scenario) { sc.hint = gateway.NoHint }),
		storm("fixed-window", "so many calls in each ten seconds, and then none until the next (who waits for a border can be faster than the average)",
			Spec{Capacity: "50/s on average", Window: "500 in each 10 s, end to end", Hint: "what is left of the window, in whole seconds"},
			func(unit time.Duration) (gateway.Model, error) {
				return gateway.NewFixedWindow(int(500*unit/time.Second), 10*unit)
			},
			efficiency(0.90, ours), rejections(0.015)),
		storm("costly-rejections", "each rejected call uses up half of what one that is borne does",
			Spec{Capacity: "50/s", Burst: 6, Rejection: "half a call"},
			inPhases(gateway.PhasesOptions{Phases: []gateway.Phase{{Rate: 50}}, Burst: 6, Penalty: 0.5}),
			efficiency(0.98, figure), rejections(0.01), controlCollapses),
		storm("capacity-drop", "the capacity falls to a fifth and comes back",
			Spec{Capacity: "50/s, 10/s from 6 s to 16 s", Burst: 6},
			inPhases(gateway.PhasesOptions{Phases: []gateway.Phase{{Rate: 50}, {From: 6, Rate: 10}, {From: 16, Rate: 50}}, Burst: 6}),
			efficiency(0.94, figure), rejections(0.01), down(6, 16, 10, 3), up(16, 50, 20)).
			with(func(sc *Scenario) { sc.Sagas, sc.patience = 1500, 90 }),
		storm("crowd", "the more calls are in flight, the fewer get done; callers wait for 2 s, and what they gave up is done all the same",
			Spec{Capacity: "50/s at 4 in flight; 80 ms × (n/4)⁴ a call beyond", Hint: "none: it rejects nothing", Takes: "80 ms and more"},
			func(time.Duration) (gateway.Model, error) { return gateway.NewCrowd(4, 80*time.Millisecond, 4) },
			efficiency(0.50, ours)).
			with(func(sc *Scenario) {
				sc.Sagas, sc.few, sc.latency, sc.takes, sc.persist, sc.patience = 500, 30, 0, 80*time.Millisecond, true, 30
			}),
		storm("latency", "answers take twenty times as long from one moment on, without an error",
			Spec{Capacity: "50/s", Burst: 6, Takes: "5 ms, 100 ms from 5 s on"},
			inPhases(gateway.PhasesOptions{Phases: []gateway.Phase{{Rate: 50}, {From: 5, Rate: 50, Took: 19 * rtt}}, Burst: 6}),
			efficiency(0.98, figure), rejections(0.01)),
		// Who finds out: 503 is told by one call, and after 1 s, 1.2 s and 1.44 s each a
		// probe. Connections that are reset fill a tenth of the breaker's 64 answers, 7,
		// and then there are three probes. In 33 s, which is 75%, that is 4 + 10 + 4.
		storm("flapping", "5 s up, 5 s down: 503 the one time, reset connections the next",
			Spec{Capacity: "50/s while it is up; the lane has a breaker (a tenth of the calls, 1 s)", Burst: 6, Hint: "none"},
			inPhases(gateway.PhasesOptions{Burst: 6, Cycle: 20, Phases: []gateway.Phase{
				{Rate: 50}, {From: 5, Fate: none}, {From: 10, Rate: 50}, {From: 15, Fate: gateway.Reset},
			}}),
			efficiency(0.75, ours), rejectionsAnd(0.01, 18)).
			with(func(sc *Scenario) { sc.Sagas, sc.hint, sc.patience, sc.breaker = 750, gateway.NoHint, 90, quick }),
		storm("nonsense-hints", "Retry-After is 0, negative, past, garbage and blank in turn",
			Spec{Capacity: "50/s", Burst: 6, Hint: "0, -30, a date an hour ago, soon™, blank"}, bucket(50, 6), efficiency(0.98, figure), rejections(0.01)).
			with(func(sc *Scenario) { sc.hint = gateway.Nonsense }),
		storm("hint-of-a-year", "the first 429 asks to be left alone for a year: an alert, and five minutes",
			Spec{Capacity: "50/s", Burst: 6, Hint: "31536000"}, bucket(50, 6), gated).
			with(func(sc *Scenario) { sc.hint, sc.patience = gateway.AYear, 15 }),
		// Who finds out: 503 is told by one call and two probes; in 5 s of calls that hang
		// for 2 s there are three, one after the other.
		storm("hung-probe", "down for 3 s; then the next calls, the probes among them, hang for 5 s; then healthy",
			Spec{Capacity: "50/s; none from 5 s to 13 s; the lane has a breaker (a tenth of the calls, 1 s)", Burst: 6, Hint: "none"},
			inPhases(gateway.PhasesOptions{Burst: 6, Phases: []gateway.Phase{
				{Rate: 50}, {From: 5}, {From: 8, Fate: gateway.Hung}, {From: 13, Rate: 50},
			}}),
			efficiency(0.75, ours), rejectionsAnd(0.01, 6)).
			with(func(sc *Scenario) { sc.Sagas, sc.hint, sc.patience, sc.breaker = 750, gateway.NoHint, 90, quick }),
		storm("foreground", "other traffic takes four fifths of the gateway",
			Spec{Capacity: "50/s, of which others take 40/s", Burst: 6}, bucket(50, 6), efficiency(0.80, ours), rejections(0.01), foregroundServed).
			with(func(sc *Scenario) { sc.few, sc.foreground, sc.patience = 15, 40, 150 }),
		storm("key-lifetime", "keys are forgotten after 5 s, sooner than the drain ends, and every twentieth answer gets lost",
			Spec{Capacity: "25/s", Burst: 6}, inPhases(gateway.PhasesOptions{Phases: []gateway.Phase{{Rate: 25}}, Burst: 6, LoseEvery: 20}),
			efficiency(0.90, ours), rejections(0.01)).
			with(func(sc *Scenario) { sc.Sagas, sc.few, sc.keyLifetime = 500, 30, 5 }),
		storm("kill", "the engine is killed with -9 every 2 s, calls have 500 ms; its limits are half of what the gateway bears",
			Spec{Capacity: "100/s; the lane is limited to 50/s, burst 1, and 100 in any 2 s", Burst: 1}, bucket(100, 10), efficiency(0.75, ours), rejections(0.01)).
			with(func(sc *Scenario) {
				sc.killEvery, sc.timeout, sc.patience = 2*time.Second, 500*unwind.Millisecond, 60
				sc.limits = unwind.Limits{Rate: unwind.PerSecond(50), Burst: 1, Concurrency: 10, Window: unwind.Rate{Calls: 100, Per: 2 * unwind.Second}}
			}),
		storm("live-change", "an operator sets the lane's limit from 40/s to 10/s after 5 s, and back after 10 s; the gateway bears more than that",
			Spec{Capacity: "100/s; the lane is limited to 40/s, 10/s, 40/s, burst 1", Burst: 1}, bucket(100, 10), efficiency(0.90, ours), rejections(0.01)).
			with(func(sc *Scenario) {
				sc.Sagas, sc.few, sc.changes = 500, 60, []change{{5, 10}, {10, 40}}
				sc.limits = unwind.Limits{Rate: unwind.PerSecond(40), Burst: 1, Concurrency: 10}
			}),
		storm("clock-steps", "the engine is restarted twice; the machine's clock has stepped forward by an hour, and back again",
			Spec{Capacity: "50/s", Burst: 6}, bucket(50, 6), efficiency(0.75, ours), rejections(0.01)).
			with(func(sc *Scenario) { sc.steps = []step{{4, time.Hour}, {12, 0}} }),
		deadService, greedyTenant,
	}
}
