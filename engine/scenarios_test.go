package engine_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

func pivot(def unwind.Definition) unwind.Definition {
	def.Steps[1].Pivot, def.Steps[1].Compensation = true, nil
	def.Steps[2].Compensation = nil
	return def
}

func parallel() unwind.Definition {
	def := placeOrder()
	label := unwind.Step{Name: "label", After: []string{"reserve"}, Action: &unwind.Call{Service: "shop", Path: "/label"}, Compensation: &unwind.Call{Service: "shop", Path: "/unlabel"}}
	ship := def.Steps[2]
	ship.After = []string{"charge", "label"}
	def.Steps = []unwind.Step{def.Steps[0], def.Steps[1], label, ship}
	def.Steps[1].After = []string{"reserve"}
	return def
}

func withStatus(cfg *engine.Config) {
	both(cfg, func(p *unwind.Participant) { p.Status = "/status" })
}

// The scenarios of the specification that one run plays to its end.
func TestScenariosOverHTTP(t *testing.T) {
	with := func(change func(*unwind.Definition)) unwind.Definition {
		def := placeOrder()
		change(&def)
		return def
	}
	short := with(func(d *unwind.Definition) { d.Deadline = 800 * unwind.Millisecond })
	for _, s := range []struct {
		name, script string
		def          unwind.Definition
		tweak        func(*engine.Config)
		calls        string
		end          unwind.Status
		steps        string
	}{
		{name: "1 plain", calls: "reserve charge ship", end: unwind.Completed,
			steps: "reserve succeeded 1, charge succeeded 1, ship succeeded 1"},
		{name: "2 refused", script: "ship:409", calls: "reserve charge ship refund release", end: unwind.Compensated,
			steps: "reserve succeeded 1 compensated 1, charge succeeded 1 compensated 1, ship failed 1"},
		{name: "3 retry", script: "charge:500,500,200", calls: "reserve charge*3 ship", end: unwind.Completed},
		{name: "4 exhausted", script: "charge:500", calls: "reserve charge*5 refund release", end: unwind.Compensated,
			steps: "reserve succeeded 1 compensated 1, charge failed 5? compensated 1, ship skipped 0"},
		{name: "5 409 not proof", script: "charge:never,409,200", calls: "reserve charge*3 ship", end: unwind.Completed},
		{name: "6 409 to the end", script: "charge:never,409", def: short, calls: "", end: unwind.Compensated},
		{name: "7 4xx not proof", script: "charge:never,422", calls: "reserve charge*2 refund release", end: unwind.Compensated},
		{name: "8 throttled", script: "charge:429+1,200", calls: "reserve charge*2 ship", end: unwind.Completed},
		{name: "9 undo throttled", script: "ship:409 refund:429*40,200", calls: "reserve charge ship refund*41 release", end: unwind.Compensated,
			steps: "reserve succeeded 1 compensated 1, charge succeeded 1 compensated 1+40, ship failed 1"},
		{name: "10 undo exhausted", script: "ship:409 refund:500", calls: "reserve charge ship refund*4 release", end: unwind.DeadLettered,
			steps: "reserve succeeded 1 compensated 1, charge succeeded 1 dead_lettered 4?, ship failed 1"},
		{name: "11 block", script: "ship:409 refund:422", def: with(func(d *unwind.Definition) { d.OnDeadLetter = unwind.Block }), calls: "reserve charge ship refund", end: unwind.DeadLettered,
			steps: "reserve succeeded 1 pending 0, charge succeeded 1 dead_lettered 1, ship failed 1"},
		{name: "12 wrong credential", script: "ship:409 refund:401,200", calls: "reserve charge ship refund*2 release", end: unwind.Compensated,
			steps: "reserve succeeded 1 compensated 1, charge succeeded 1 compensated 1+1, ship failed 1"},
		{name: "16 past the pivot", script: "ship:409", def: pivot(placeOrder()), calls: "reserve charge ship", end: unwind.DeadLettered},
		{name: "17 pivot uncertain, status says done", script: "charge:never status:done", def: pivot(placeOrder()), tweak: withStatus, calls: "reserve charge*5 status ship", end: unwind.Completed},
		{name: "17 pivot uncertain, status says not done", script: "charge:never status:not_done", def: pivot(placeOrder()), tweak: withStatus, calls: "reserve charge*5 status release", end: unwind.Compensated},
		{name: "17 pivot uncertain, no status path", script: "charge:never", def: pivot(placeOrder()), calls: "reserve charge*5", end: unwind.DeadLettered},
		{name: "23 empty body", script: "reserve:empty ship:409 refund:204", calls: "reserve charge ship refund release", end: unwind.Compensated},
		{name: "an unreadable answer is uncertain", script: "charge:garbage", calls: "reserve charge*5 refund release", end: unwind.Compensated},
		{name: "an endless body ends at the bound", script: "charge:endless,200", calls: "reserve charge*2 ship", end: unwind.Completed},
		{name: "a broken connection is uncertain", script: "charge:reset,200", calls: "reserve charge*2 ship", end: unwind.Completed},
		{name: "a redirect is a fault of the service and is not followed", script: "charge:redirect,200", calls: "reserve charge*2 ship", end: unwind.Completed},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if s.def.Name == "" {
				s.def = placeOrder()
			}
			w := newWorld(t, s.def, s.script, s.tweak)
			inst := w.run("o-1")
			if inst.Status != s.end {
				t.Errorf("it rests as %s, not %s", inst.Status, s.end)
			}
			if got := w.calls(); s.calls != "" && got != s.calls {
				t.Errorf("the calls were\n%s, not\n%s", got, s.calls)
			}
			if got := steps(inst); s.steps != "" && got != s.steps {
				t.Errorf("the steps are\n%s, not\n%s", got, s.steps)
			}
			w.bodies()
		})
	}
}

func TestADeadCompensationIsReplayedOrResolved(t *testing.T) {
	for _, how := range []string{"replay", "resolve"} {
		for _, block := range []bool{false, true} {
			t.Run(how, func(t *testing.T) {
				t.Parallel()
				def := placeOrder()
				if block {
					def.OnDeadLetter = unwind.Block
				}
				w := newWorld(t, def, "ship:409 refund:422,200", nil)
				inst := w.run("o-1")
				list, err := w.DeadLetters(t.Context(), unwind.DeadLetterFilter{State: unwind.DeadLetterOpen})
				if err != nil || len(list.Items) != 1 || inst.Status != unwind.DeadLettered {
					t.Fatalf("got %s with %+v, error %v", inst.Status, list.Items, err)
				}
				alerts, err := w.Alerts(t.Context(), unwind.AlertFilter{})
				if err != nil || len(alerts.Items) != 1 || alerts.Items[0].SagaID != inst.ID {
					t.Fatalf("the alerts are %+v, error %v", alerts.Items, err)
				}
				dead := list.Items[0].ID
				if how == "replay" {
					_, err = w.Replay(t.Context(), dead, unwind.ReplayRequest{Reason: "mended", Actor: "ops"})
				} else {
					_, err = w.Resolve(t.Context(), dead, unwind.ResolveRequest{Reason: "refunded by hand", Evidence: "bank slip 7", Actor: "ops"})
				}
				if err != nil {
					t.Fatal(err)
				}
				if inst = w.rest(inst.ID); inst.Status != unwind.Compensated {
					t.Errorf("it rests as %s: %s", inst.Status, steps(inst))
				}
				d, err := w.DeadLetter(t.Context(), dead)
				if want := map[string]unwind.DeadLetterState{"replay": unwind.DeadLetterReplayed, "resolve": unwind.DeadLetterResolved}[how]; err != nil || d.State != want {
					t.Errorf("the dead letter is %+v, error %v", d, err)
				}
				_, err = w.Replay(t.Context(), dead, unwind.ReplayRequest{Reason: "again", Actor: "other"})
				if unwind.CodeOf(err) != unwind.Conflict || !strings.Contains(err.Error(), "ops") {
					t.Errorf("a second replay got %v", err)
				}
				audit, err := w.Audit(t.Context(), unwind.AuditFilter{})
				if err != nil || len(audit.Items) < 1 || audit.Items[0].Action != how || audit.Items[0].Actor != "ops" {
					t.Errorf("the audit is %+v, error %v", audit.Items, err)
				}
				w.bodies()
			})
		}
	}
}

func TestParallelBranchesAreAwaitedAndUndone(t *testing.T) {
	for script, want := range map[string]string{
		"charge:409":             "unlabel release",
		"charge:409 label:never": "unlabel release",
	} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, parallel(), script, nil)
			inst := w.run("o-1")
			if inst.Status != unwind.Compensated || !strings.HasSuffix(w.calls(), want) {
				t.Errorf("it rests as %s after %s", inst.Status, w.calls())
			}
			unlabel := w.script.Calls("/unlabel")
			if may := strings.Contains(string(unlabel[0].Body), `"may_have_executed":true`); may != strings.Contains(script, "never") {
				t.Errorf("the body of the compensation was %s", unlabel[0].Body)
			}
		})
	}
}

func TestFiveDeadLettersInARowPauseTheLane(t *testing.T) {
	w := newWorld(t, placeOrder(), "ship:409 refund:currency", func(cfg *engine.Config) {
		patient(cfg)
		both(cfg, func(p *unwind.Participant) { p.Compensation.Concurrency = 1 })
	})
	var reqs []unwind.StartRequest
	for range 40 {
		reqs = append(reqs, unwind.StartRequest{Saga: "place-order", Input: json.RawMessage(`{}`)})
	}
	if _, err := w.StartBatch(t.Context(), reqs); err != nil {
		t.Fatal(err)
	}
	for {
		services, err := w.Participants(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if lane := services[0].Lanes.Compensation; lane.Paused != nil && lane.InFlight == 0 {
			break
		}
		pause(t.Context(), 5*time.Millisecond)
	}
	if n := len(w.script.Calls("/refund")); n != 5 {
		t.Errorf("%d refunds were tried before the lane paused", n)
	}
}

func TestCancelAwaitsWhatIsInFlight(t *testing.T) {
	w := newWorld(t, placeOrder(), "", nil)
	hold := make(chan struct{})
	answer := answerOf("200")
	answer.Until = hold
	w.script.On("/charge", answer)
	inst, _, err := w.Start(t.Context(), unwind.StartRequest{Saga: "place-order", Input: json.RawMessage(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.script.Await(t.Context(), "/charge", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Cancel(t.Context(), inst.ID, unwind.CancelRequest{Reason: "the customer called", Actor: "ops"}); err != nil {
		t.Fatal(err)
	}
	close(hold)
	if inst = w.rest(inst.ID); inst.Status != unwind.Compensated || w.calls() != "reserve charge refund release" {
		t.Errorf("it rests as %s after %s", inst.Status, w.calls())
	}
	if c := inst.Cancelled; c == nil || c.By != "ops" || c.Reason != "the customer called" || c.At.IsZero() {
		t.Errorf("it was cancelled by %+v", c)
	}
	if _, err := w.Cancel(t.Context(), inst.ID, unwind.CancelRequest{}); unwind.CodeOf(err) != unwind.Conflict {
		t.Errorf("cancelling at rest got %v", err)
	}
}

// While the pivot is in flight a cancel waits for its answer, and is remembered.
func TestACancelOfAPivotInFlightSaysWhoWantedIt(t *testing.T) {
	for answer, want := range map[string]unwind.Status{"200": unwind.Completed, "409": unwind.Compensated} {
		w := newWorld(t, pivot(placeOrder()), "", nil)
		hold := make(chan struct{})
		held := answerOf(answer)
		held.Until = hold
		w.script.On("/charge", held)
		id := w.begin("o-1")
		w.called("/charge", 1)
		for _, by := range []string{"ops", "somebody else"} {
			inst, err := w.Cancel(t.Context(), id, unwind.CancelRequest{Reason: "the customer called", Actor: by})
			if err != nil || inst.Cancelled == nil || inst.Cancelled.By != "ops" {
				t.Errorf("cancelling by %s got %+v, error %v", by, inst, err)
			}
		}
		close(hold)
		if inst := w.rest(id); inst.Status != want || inst.Cancelled == nil || inst.Cancelled.By != "ops" {
			t.Errorf("after %s it rests as %s, cancelled by %+v", answer, inst.Status, inst.Cancelled)
		}
	}
}

func TestCancelPastThePivotIsRefused(t *testing.T) {
	w := newWorld(t, pivot(placeOrder()), "ship:409", nil)
	inst := w.run("o-1")
	list, err := w.DeadLetters(t.Context(), unwind.DeadLetterFilter{})
	if err != nil || len(list.Items) != 1 || list.Items[0].Direction != unwind.Action {
		t.Fatalf("the dead letters are %+v, error %v", list.Items, err)
	}
	if _, err := w.Cancel(t.Context(), inst.ID, unwind.CancelRequest{}); unwind.CodeOf(err) != unwind.Conflict {
		t.Errorf("cancel got %v", err)
	}
	if _, err := w.Resolve(t.Context(), list.Items[0].ID, unwind.ResolveRequest{Reason: "r", Evidence: "e", As: "refused"}); unwind.CodeOf(err) != unwind.PastPivot {
		t.Errorf("resolving as refused got %v", err)
	}
	if _, err := w.Resolve(t.Context(), list.Items[0].ID, unwind.ResolveRequest{Reason: "r", Evidence: "e", As: "done", Output: json.RawMessage(`{"parcel":1}`)}); err != nil {
		t.Fatal(err)
	}
	if inst = w.rest(inst.ID); inst.Status != unwind.Completed {
		t.Errorf("it rests as %s", inst.Status)
	}
}

func TestALateAnswerIsJournalledAndChangesNothing(t *testing.T) {
	t.Parallel()
	for settle := unwind.Second; !lateAnswer(t, settle); settle *= 2 {
		if settle > 20*unwind.Second {
			t.Fatalf("an answer within a settle time of %s is not journalled", settle)
		}
	}
}

// lateAnswer answers a charge after its timeout. It is false where nothing of it was
// journalled within the settle time, which a busy machine may spend elsewhere.
func lateAnswer(t *testing.T, settle unwind.Duration) (journalled bool) {
	t.Helper()
	def := placeOrder()
	def.Retry.Attempts = 1
	def.Steps[1].Action.Timeout = 100 * unwind.Millisecond
	w := newWorld(t, def, "", func(cfg *engine.Config) {
		both(cfg, func(p *unwind.Participant) { p.Settle = settle })
	})
	timedOut, told := make(chan struct{}), make(chan struct{})
	charge, refund := answerOf("200"), answerOf("200")
	charge.Until, refund.Until = timedOut, told
	w.script.On("/charge", charge).On("/refund", refund)
	id := w.begin("o-1")
	w.until("the charge has not ended by its time", func() bool { return w.step(id, "charge").Uncertain })
	close(timedOut)
	over := time.Now().Add(settle.Std())
	w.until("neither is there a late answer nor is it too late", func() bool {
		journalled = slices.Contains(w.history(id), unwind.EntryLateAnswer)
		return journalled || time.Now().After(over)
	})
	close(told)
	if inst := w.rest(id); inst.Status != unwind.Compensated || w.calls() != "reserve charge refund release" {
		t.Errorf("it rests as %s after %s", inst.Status, w.calls())
	}
	return journalled
}
