package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/internal/gateway"
)

// Scenario 19, before the pivot: the clock turns the saga back; what is in flight
// is awaited and undone.
func TestTheDeadlineTurnsBackBeforeThePivot(t *testing.T) {
	t.Parallel()
	overdue(t, placeOrder(), "/charge", func(w *world, id string, hold chan struct{}) {
		w.until("the deadline has not come", func() bool {
			return slices.Contains(w.history(id), unwind.EntrySagaCompensating) || slices.Contains(w.history(id), unwind.EntryCancelRequested)
		})
		if n := len(w.script.Calls("/refund")); n != 0 {
			t.Errorf("%d refunds while the charge is in flight", n)
		}
		close(hold)
		inst := w.rest(id)
		if inst.Status != unwind.Compensated || w.calls() != "reserve charge refund release" {
			t.Errorf("it rests as %s after %s", inst.Status, w.calls())
		}
	})
}

// overdue tests a saga whose call is held until its deadline has come. A deadline that
// comes before the call does, on a busy machine, is made longer.
func overdue(t *testing.T, def unwind.Definition, path string, test func(w *world, id string, hold chan struct{})) {
	t.Helper()
	for def.Deadline = unwind.Second; ; def.Deadline *= 2 {
		w := newWorld(t, def, "", nil)
		hold := make(chan struct{})
		w.script.On(path, gateway.Answer{Until: hold})
		id := w.begin("o-1")
		called := func() bool { return len(w.script.Calls(path)) > 0 }
		w.until("it neither calls "+path+" nor comes to rest", func() bool {
			inst, err := w.Get(t.Context(), id)
			return called() || err == nil && inst.Status.AtRest()
		})
		if called() {
			test(w, id, hold)
			return
		}
		if def.Deadline > eventually {
			t.Fatalf("%s is not called within %s", path, def.Deadline)
		}
	}
}

// Scenario 19, after the pivot: an alert goes out and the saga goes on forward.
func TestTheDeadlineAlertsAfterThePivot(t *testing.T) {
	t.Parallel()
	overdue(t, pivot(placeOrder()), "/ship", func(w *world, id string, hold chan struct{}) {
		if a := w.alerted(unwind.AlertDeadline); a.SagaID != id {
			t.Errorf("the alert is about saga %q", a.SagaID)
		}
		close(hold)
		if inst := w.rest(id); inst.Status != unwind.Completed || w.calls() != "reserve charge ship" {
			t.Errorf("it rests as %s after %s", inst.Status, w.calls())
		}
	})
}

// Scenario 20: an accepted call is awaited until its token is completed.
func TestAnAsyncCallIsAwaitedUntilItIsCompleted(t *testing.T) {
	async := func() unwind.Definition {
		def := placeOrder()
		def.Steps[1].Action.Async, def.Steps[1].Compensation.Async = true, true
		return def
	}
	for _, c := range []struct {
		outcome, calls string
		end            unwind.Status
	}{
		{"done", "reserve charge ship", unwind.Completed},
		{"refused", "reserve charge release", unwind.Compensated},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, async(), "charge:202", nil)
			id := w.begin("o-1")
			w.until("the charge is not awaited", func() bool { return w.step(id, "charge").Status == unwind.StepAwaiting })
			token := w.step(id, "charge").CallToken
			if err := w.Complete(t.Context(), token, unwind.Completion{Outcome: c.outcome, Output: json.RawMessage(`{"receipt":7}`)}); err != nil {
				t.Fatal(err)
			}
			if inst := w.rest(id); inst.Status != c.end || w.calls() != c.calls {
				t.Errorf("it rests as %s after %s", inst.Status, w.calls())
			}
			if c.outcome == "done" && !strings.Contains(string(w.script.Calls("/ship")[0].Body), `"charge":{"receipt":7}`) {
				t.Errorf("the next call did not get the output: %s", w.script.Calls("/ship")[0].Body)
			}
			if err := w.Complete(t.Context(), token, unwind.Completion{Outcome: "done"}); c.outcome == "refused" && err == nil {
				t.Error("a call that was refused was then done")
			}
		})
	}
	t.Run("undo", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, async(), "ship:409 refund:202", nil)
		id := w.begin("o-1")
		compensation := func() *unwind.CompensationInstance { return w.step(id, "charge").Compensation }
		w.until("the refund is not awaited", func() bool { return compensation().Status == unwind.CompensationAwaiting })
		if inst, err := w.Get(t.Context(), id); err != nil || inst.Status != unwind.Compensating || len(w.script.Calls("/release")) != 0 {
			t.Errorf("it is %+v after %s", inst, w.calls())
		}
		if err := w.Complete(t.Context(), compensation().CallToken, unwind.Completion{Outcome: "done"}); err != nil {
			t.Fatal(err)
		}
		if inst := w.rest(id); inst.Status != unwind.Compensated || w.calls() != "reserve charge ship refund release" {
			t.Errorf("it rests as %s after %s", inst.Status, w.calls())
		}
	})
}

func TestACompletionNamesACall(t *testing.T) {
	w := newWorld(t, placeOrder(), "", nil)
	inst := w.run("o-1")
	for token, code := range map[string]unwind.Code{"": unwind.NotFound, "nonsense": unwind.NotFound, inst.ID: unwind.NotFound} {
		if err := w.Complete(t.Context(), token, unwind.Completion{Outcome: "done"}); unwind.CodeOf(err) != code {
			t.Errorf("%q: %v", token, err)
		}
	}
}

func withSignal(timeout unwind.Duration) unwind.Definition {
	def := placeOrder()
	def.Steps = slices.Insert(def.Steps, 2, unwind.Step{Name: "approve", Kind: unwind.SignalStep, Timeout: timeout})
	return def
}

// Scenario 24: a signal lets the saga go on; none in time counts as refused.
func TestASignalLetsTheSagaGoOn(t *testing.T) {
	w := newWorld(t, withSignal(unwind.Hour), "", nil)
	id := w.begin("o-1")
	w.until("nobody is waited for", func() bool { return w.step(id, "approve").Status == unwind.StepAwaiting })
	if _, err := w.Signal(t.Context(), id, unwind.SignalRequest{Name: "approval", Actor: "ann"}); unwind.CodeOf(err) != unwind.NotFound {
		t.Errorf("a signal that nobody waits for got %v", err)
	}
	if _, err := w.Signal(t.Context(), id, unwind.SignalRequest{Name: "approve", Data: json.RawMessage("\"\xff\"")}); unwind.CodeOf(err) != unwind.InvalidRequest {
		t.Errorf("a signal that is not JSON got %v", err)
	}
	if _, err := w.Signal(t.Context(), id, unwind.SignalRequest{Name: "approve", Data: json.RawMessage(`{"approved":true}`), Actor: "ann"}); err != nil {
		t.Fatal(err)
	}
	if inst := w.rest(id); inst.Status != unwind.Completed || w.calls() != "reserve charge ship" {
		t.Errorf("it rests as %s after %s", inst.Status, w.calls())
	}
	if body := string(w.script.Calls("/ship")[0].Body); !strings.Contains(body, `"approve":{"approved":true}`) {
		t.Errorf("the next call did not get the signal: %s", body)
	}
	audit, err := w.Audit(t.Context(), unwind.AuditFilter{})
	if err != nil || audit.Items[0].Action != "signal" || audit.Items[0].Actor != "ann" {
		t.Errorf("the audit is %+v, error %v", audit.Items, err)
	}
}

func TestNoSignalInTimeIsARefusal(t *testing.T) {
	w := newWorld(t, withSignal(40*unwind.Millisecond), "", nil)
	if inst := w.run("o-1"); inst.Status != unwind.Compensated || w.calls() != "reserve charge refund release" {
		t.Errorf("it rests as %s after %s", inst.Status, w.calls())
	}
}

// Scenario 12: nobody but the probe calls a service whose credentials are wrong,
// the other service goes on, and an alert says what to look at.
func TestAWrongCredentialGatesTheLane(t *testing.T) {
	t.Parallel()
	w := newWorld(t, placeOrder(), "ship:409 refund:401", nil)
	ids := w.beginMany(20)
	if a := w.alerted(unwind.AlertServiceFault); a.Service != "payments" || !strings.Contains(a.Message, "credentials") {
		t.Errorf("the alert is %+v", a)
	}
	w.script.On("/refund", answerOf("200"))
	for _, id := range ids {
		if inst := w.rest(id); inst.Status != unwind.Compensated {
			t.Errorf("saga %s rests as %s: %s", id, inst.Status, steps(inst))
		}
	}
	dead, err := w.DeadLetters(t.Context(), unwind.DeadLetterFilter{})
	if err != nil || len(dead.Items) != 0 {
		t.Errorf("the dead letters are %+v, error %v", dead.Items, err)
	}
	const inFlight, probes = 10, 6 // before one worked, after 1, 3, 7 s and so on
	if n := len(w.script.Calls("/refund")); n > len(ids)+inFlight+probes {
		t.Errorf("%d refunds for %d sagas", n, len(ids))
	}
}

// Scenario 13 on several services: only the lane of the service that kills pauses.
func TestTheLaneGuardPausesOneService(t *testing.T) {
	w := newWorld(t, placeOrder(), "ship:409 refund:currency", func(cfg *engine.Config) {
		patient(cfg)
		both(cfg, func(p *unwind.Participant) { p.Compensation.Concurrency = 1 })
	})
	ids := w.beginMany(50)
	if a := w.alerted(unwind.AlertLaneGuard); a.Service != "payments" {
		t.Errorf("the alert is %+v", a)
	}
	paused := func(service string) bool {
		services, err := w.Participants(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range services {
			if s.Name == service {
				return s.Lanes.Compensation.Paused != nil
			}
		}
		return false
	}
	if !paused("payments") || paused("shop") {
		t.Error("the wrong lane is paused")
	}
	w.until("the dead letters' other compensations are not done", func() bool { return len(w.script.Calls("/release")) == 5 })
	if n := len(w.script.Calls("/refund")); n != 5 {
		t.Errorf("%d refunds were tried", n)
	}
	w.script.On("/refund", gateway.JSON("{}"))
	if _, err := w.Control(t.Context(), refundLane(false, "the currency is known now")); err != nil {
		t.Fatal(err)
	}
	count := map[unwind.Status]int{}
	for _, id := range ids {
		count[w.rest(id).Status]++
	}
	if count[unwind.DeadLettered] != 5 || count[unwind.Compensated] != 45 {
		t.Errorf("they rest as %v", count)
	}
}

// What kills is the service: saga types that take turns at its lane die of one cause all the same.
func TestTheLaneGuardPausesForSagaTypesThatTakeTurns(t *testing.T) {
	other := placeOrder()
	other.Name = "renew"
	w := newWorld(t, placeOrder(), "ship:409 refund:currency", func(cfg *engine.Config) {
		patient(cfg)
		cfg.Definitions = append(cfg.Definitions, other)
		both(cfg, func(p *unwind.Participant) { p.Compensation.Concurrency = 1 })
	})
	reqs := make([]unwind.StartRequest, 40)
	for i := range reqs {
		reqs[i] = unwind.StartRequest{Saga: []string{"place-order", "renew"}[i%2], Key: fmt.Sprint(i), Input: json.RawMessage(`{}`)}
	}
	if _, err := w.StartBatch(t.Context(), reqs); err != nil {
		t.Fatal(err)
	}
	if a := w.alerted(unwind.AlertLaneGuard); a.Service != "payments" {
		t.Errorf("the alert is %+v", a)
	}
	if n := len(w.script.Calls("/refund")); n != 5 {
		t.Errorf("%d refunds were tried", n)
	}
}

// Where all compensations are paused, no lane tells when it will be empty.
func TestNoLaneEmptiesWhileAllIsPaused(t *testing.T) {
	w := newWorld(t, placeOrder(), "ship:409", func(cfg *engine.Config) {
		both(cfg, func(p *unwind.Participant) { p.Compensation.Rate = unwind.PerSecond(5) })
	})
	pause := func(paused bool) {
		t.Helper()
		if _, err := w.Control(t.Context(), unwind.ControlRequest{Scope: unwind.Scope{Kind: unwind.ScopeGlobal}, Paused: &paused, Reason: "a storm"}); err != nil {
			t.Fatal(err)
		}
	}
	refunds := func(told bool) func() bool {
		return func() bool {
			services, err := w.Participants(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			l := services[0].Lanes.Compensation
			return services[0].Name == "payments" && l.Depth.Ready > 0 && (l.DrainEstimateMS != nil) == told
		}
	}
	pause(true)
	w.beginMany(50)
	w.until("the pause of all hides nothing", refunds(false))
	pause(false)
	w.until("a lane that goes does not tell when it is empty", refunds(true))
}

// Scenario 26.
func TestTheSameKeyIsOneSaga(t *testing.T) {
	w := newWorld(t, placeOrder(), "", nil)
	start := func(input string) (*unwind.Instance, bool, error) {
		return w.Start(t.Context(), unwind.StartRequest{Saga: "place-order", Key: "k", Input: json.RawMessage(input), Wait: eventually})
	}
	first, created, err := start(`{"a":1}`)
	if err != nil || !created {
		t.Fatalf("created %v, error %v", created, err)
	}
	again, created, err := start(`{ "a": 1 }`)
	if err != nil || created || again.ID != first.ID {
		t.Errorf("created %v saga %s, not %s, error %v", created, again.ID, first.ID, err)
	}
	if _, _, err = start(`{"a":2}`); unwind.CodeOf(err) != unwind.KeyReused {
		t.Errorf("another input got %v", err)
	}
	if w.calls() != "reserve charge ship" {
		t.Errorf("the calls were %s", w.calls())
	}
}

// A service that asks for a year is waited for no longer than the cap.
func TestNoAnswerAsksForAYear(t *testing.T) {
	for _, status := range []string{"500", "429", "503", "425"} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, placeOrder(), "charge:"+status+"+31536000", nil)
			id := w.begin("o-1")
			w.until("the charge is not to be tried again", func() bool {
				at := w.step(id, "charge").NextAt
				return at != nil && time.Until(at.Time) > time.Minute
			})
			if at := w.step(id, "charge").NextAt; time.Until(at.Time) > 6*time.Minute {
				t.Errorf("it is tried again at %s", at)
			}
		})
	}
}

// When a lane will be empty hangs on the windows and the wider scopes, too.
func TestALaneIsEmptyNoSoonerThanItsLimitsAllow(t *testing.T) {
	for what, change := range map[string]unwind.ControlRequest{
		"its window":       {Scope: refundLane(true, "").Scope, Limits: &unwind.LimitsChange{Window: &unwind.Rate{Calls: 1, Per: unwind.Second}}},
		"that of all":      {Scope: unwind.Scope{Kind: unwind.ScopeGlobal}, Limits: &unwind.LimitsChange{Rate: new(unwind.PerSecond(1))}},
		"of its saga type": {Scope: unwind.Scope{Kind: unwind.ScopeSagaType, Name: "place-order"}, Limits: &unwind.LimitsChange{Rate: new(unwind.PerSecond(1))}},
	} {
		w := newWorld(t, placeOrder(), "ship:409", func(cfg *engine.Config) {
			both(cfg, func(p *unwind.Participant) { p.Compensation.Rate = unwind.PerSecond(5) })
		})
		change.Reason = "the bank is slow"
		if _, err := w.Control(t.Context(), change); err != nil {
			t.Fatal(what, err)
		}
		w.beginMany(50)
		w.until(what+" hides nothing", func() bool {
			services, err := w.Participants(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			l := services[0].Lanes.Compensation
			return l.Depth.Ready > 40 && l.DrainEstimateMS != nil && *l.DrainEstimateMS >= int64(l.Depth.Ready-2)*1000
		})
	}
}
