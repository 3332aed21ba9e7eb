package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/internal/gateway"
)

// manyDead brings n orders past their pivot to dead letters: the lane guard looks
// at compensations only.
func (w *world) manyDead(n int) []string {
	w.t.Helper()
	ids := w.beginMany(n)
	w.reaches("those that are dead letters", n, func() int {
		stats, err := w.Stats(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		return int(stats.DeadLettersOpen)
	})
	return ids
}

func (w *world) operation(id string) *unwind.Operation {
	w.t.Helper()
	op, err := w.Operation(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return op
}

// operated waits until an operation is in the state.
func (w *world) operated(id string, state unwind.OperationState) *unwind.Operation {
	w.t.Helper()
	w.until("operation "+id+" is "+string(state), func() bool { return w.operation(id).State == state })
	return w.operation(id)
}

func (w *world) replayAll(change func(*unwind.OperationRequest)) *unwind.Operation {
	w.t.Helper()
	req := unwind.OperationRequest{Kind: unwind.OperationReplay, Selection: &unwind.Selection{Saga: "place-order"}, Reason: "mended", Actor: "ann"}
	if change != nil {
		change(&req)
	}
	op, err := w.StartOperation(w.t.Context(), req)
	if err != nil {
		w.t.Fatal(err)
	}
	return op
}

func TestAnOperationReplaysWhatItsDryRunFroze(t *testing.T) {
	w := newWorld(t, pivot(placeOrder()), "ship:409*7,200", nil)
	ids := w.manyDead(6)
	req := unwind.OperationRequest{Kind: unwind.OperationReplay, Selection: &unwind.Selection{Saga: "place-order", Service: "shop"}, Rate: &unwind.Rate{Calls: 500, Per: unwind.Second}, Reason: "it's mended", DryRun: true}
	plan, err := w.PlanOperation(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if want := "unwind dlq replay --selection " + plan.SelectionID + ` --rate 500/s --reason 'it'\''s mended'`; plan.Eligible != 6 || plan.Command != want ||
		plan.Rate == nil || *plan.Rate != 500 || plan.EstimateMS == nil || *plan.EstimateMS != 12 || len(plan.Lanes) != 1 || plan.Lanes[0].Lane != unwind.ForwardLane {
		t.Errorf("the plan is %+v", plan)
	}
	if n := len(w.script.Calls("/ship")); n != 6 {
		t.Errorf("a dry run made %d calls", n-6)
	}
	later := w.dead("later").SagaID
	op, err := w.StartOperation(t.Context(), unwind.OperationRequest{Kind: unwind.OperationReplay, SelectionID: plan.SelectionID, Reason: "mended", Actor: "ann"})
	if err != nil || op.ID != plan.SelectionID {
		t.Fatalf("got %+v, error %v", op, err)
	}
	op = w.operated(op.ID, unwind.OperationFinished)
	if c := op.Counts; c.Total != 6 || c.Succeeded != 6 || c.FailedAgain != 0 || op.EndedAt == nil {
		t.Errorf("it came to %+v", op)
	}
	for _, id := range ids {
		if inst := w.rest(id); inst.Status != unwind.Completed {
			t.Errorf("saga %s rests as %s", id, inst.Status)
		}
	}
	if inst := w.rest(later); inst.Status != unwind.DeadLettered {
		t.Errorf("what came later is %s", inst.Status)
	}
	if _, err := w.StartOperation(t.Context(), unwind.OperationRequest{Kind: unwind.OperationReplay, SelectionID: plan.SelectionID, Reason: "again"}); unwind.CodeOf(err) != unwind.Conflict {
		t.Errorf("the same selection again got %v", err)
	}
	audit, err := w.Audit(t.Context(), unwind.AuditFilter{})
	actions := map[string]int{}
	for _, a := range audit.Items {
		if a.Actor == "ann" {
			actions[a.Action]++
		}
	}
	if err != nil || actions["operation-start"] != 1 || actions["replay"] != 6 {
		t.Errorf("the audit counts %v, error %v", actions, err)
	}
}

func TestACanaryDecidesWhetherTheRestFollows(t *testing.T) {
	for _, c := range []struct {
		name, answers string
		auto          bool
		by, reason    string
	}{
		{"all succeed, a person decides", "200", false, "canary", "canary: 3 succeeded, 0 failed again, 0 skipped"},
		{"all succeed, it goes on by itself", "200", true, "", ""},
		{"one fails, a person decides in any case", "409,200", true, "canary", "canary: 2 succeeded, 1 failed again, 0 skipped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, pivot(placeOrder()), "ship:409*8,"+c.answers, nil)
			w.manyDead(8)
			op := w.replayAll(func(r *unwind.OperationRequest) { r.Canary, r.Auto = 3, c.auto })
			if c.by != "" {
				op = w.operated(op.ID, unwind.OperationPaused)
				if op.Paused.By != c.by || op.Paused.Reason != c.reason || op.Counts.Queued != 5 || op.CanaryPassed {
					t.Errorf("it paused as %+v of %+v", op.Paused, op)
				}
				resume := false
				if _, err := w.ChangeOperation(t.Context(), op.ID, unwind.OperationChange{Paused: &resume, Reason: "looks good", Actor: "ann"}); err != nil {
					t.Fatal(err)
				}
			}
			op = w.operated(op.ID, unwind.OperationFinished)
			if op.Counts.Queued != 0 || op.Counts.Done() != 8 || !op.CanaryPassed {
				t.Errorf("it came to %+v", op.Counts)
			}
		})
	}
}

func TestOutcomesAreCountedAsTheyAre(t *testing.T) {
	w := newWorld(t, pivot(placeOrder()), "ship:409*6,409*2,200", nil)
	w.manyDead(6)
	list, err := w.DeadLetters(t.Context(), unwind.DeadLetterFilter{})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{"nonsense", "01a20600-0000-7000-8000-000000000000.1.c"}
	for i := range list.Items {
		ids = append(ids, list.Items[i].ID, list.Items[i].ID) // twice is once
	}
	resolve := func(id string) {
		t.Helper()
		if _, err := w.Resolve(t.Context(), id, unwind.ResolveRequest{Reason: "shipped by hand", Evidence: "slip", As: "done", Actor: "bob"}); err != nil {
			t.Fatal(err)
		}
	}
	resolve(list.Items[0].ID)
	plan, err := w.PlanOperation(t.Context(), unwind.OperationRequest{Kind: unwind.OperationReplay, Selection: &unwind.Selection{IDs: ids}})
	if err != nil || plan.Eligible != 5 || plan.Skipped["not found"] != 2 || plan.Skipped["resolved"] != 1 {
		t.Fatalf("the plan is %+v, error %v", plan, err)
	}
	resolve(list.Items[1].ID) // between the dry run and the run
	op, err := w.StartOperation(t.Context(), unwind.OperationRequest{Kind: unwind.OperationReplay, SelectionID: plan.SelectionID, Reason: "mended"})
	if err != nil {
		t.Fatal(err)
	}
	op = w.operated(op.ID, unwind.OperationFinished)
	c := op.Counts
	if c.Total != 8 || c.Succeeded != 2 || c.FailedAgain != 2 || c.Skipped != 4 || c.SkippedWhy["resolved"] != 2 || c.SkippedWhy["not found"] != 2 {
		t.Errorf("it came to %+v", c)
	}
	d, err := w.DeadLetters(t.Context(), unwind.DeadLetterFilter{State: unwind.DeadLetterOpen})
	if err != nil || len(d.Items) != 2 || d.Items[0].OperationID != op.ID || d.Items[0].Replays != 1 {
		t.Errorf("what is open is %+v, error %v", d.Items, err)
	}
}

func TestAnOperationIsPausedRetimedAndAborted(t *testing.T) {
	const letters = 200 // at 10 and 20 a second more than a busy machine gets through
	w := newWorld(t, pivot(placeOrder()), fmt.Sprintf("ship:409*%d,200", letters), nil)
	w.manyDead(letters)
	op := w.replayAll(func(r *unwind.OperationRequest) { r.Rate = &unwind.Rate{Calls: 10, Per: unwind.Second} })
	w.until("some are through", func() bool { return w.operation(op.ID).Counts.Succeeded >= 2 })
	pauseIt := true
	paused, err := w.ChangeOperation(t.Context(), op.ID, unwind.OperationChange{Paused: &pauseIt, Reason: "wait", Actor: "ann"})
	if err != nil || paused.State != unwind.OperationPaused || paused.Paused.By != "ann" || paused.EffectiveRate == nil || *paused.EffectiveRate != 10 {
		t.Fatalf("paused it is %+v, error %v", paused, err)
	}
	w.until("what is out is through", func() bool { return w.operation(op.ID).Counts.Replaying == 0 })
	before := w.operation(op.ID).Counts.Queued
	w.script.On("/ship", gateway.Status(409), gateway.Status(200))
	other := w.dead("another") // another operation comes to its end meanwhile
	second := w.replayAll(func(r *unwind.OperationRequest) { r.Selection = &unwind.Selection{IDs: []string{other.ID}} })
	w.operated(second.ID, unwind.OperationFinished)
	if after := w.operation(op.ID).Counts.Queued; after != before {
		t.Errorf("while paused %d more were taken up", before-after)
	}
	faster, err := w.ChangeOperation(t.Context(), op.ID, unwind.OperationChange{Rate: &unwind.Rate{Calls: 20, Per: unwind.Second}, Actor: "ann"})
	if err != nil || faster.Rate.Calls != 20 || faster.State != unwind.OperationPaused {
		t.Fatalf("retimed it is %+v, error %v", faster, err)
	}
	pauseIt = false
	if _, err := w.ChangeOperation(t.Context(), op.ID, unwind.OperationChange{Paused: &pauseIt}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ChangeOperation(t.Context(), op.ID, unwind.OperationChange{Paused: &pauseIt}); unwind.CodeOf(err) != unwind.Conflict {
		t.Errorf("resuming what runs got %v", err)
	}
	w.until("some more are through", func() bool { return w.operation(op.ID).Counts.Queued < before })
	aborted, err := w.AbortOperation(t.Context(), op.ID, unwind.AbortRequest{Reason: "enough", Actor: "ann"})
	if err != nil || aborted.State != unwind.OperationAborted || aborted.Counts.Queued == 0 {
		t.Fatalf("aborted it is %+v, error %v", aborted, err)
	}
	w.until("what was out is counted", func() bool { return w.operation(op.ID).Counts.Replaying == 0 })
	if c := w.operation(op.ID).Counts; c.Succeeded+c.Queued != letters {
		t.Errorf("it came to %+v", c)
	}
	if _, err := w.AbortOperation(t.Context(), op.ID, unwind.AbortRequest{Actor: "bob"}); unwind.CodeOf(err) != unwind.Conflict {
		t.Errorf("aborting twice got %v", err)
	}
}

func TestTheSameRequestTwiceIsOneOperation(t *testing.T) {
	w := newWorld(t, pivot(placeOrder()), "ship:409*2,200", nil)
	w.manyDead(2)
	first := w.replayAll(func(r *unwind.OperationRequest) { r.Key = "k" })
	again := w.replayAll(func(r *unwind.OperationRequest) { r.Key = "k" })
	if first.ID != again.ID {
		t.Errorf("operations %s and %s", first.ID, again.ID)
	}
	_, err := w.StartOperation(t.Context(), unwind.OperationRequest{Kind: unwind.OperationReplay, Selection: &unwind.Selection{Saga: "another"}, Reason: "r", Key: "k"})
	if unwind.CodeOf(err) != unwind.KeyReused {
		t.Errorf("another request under the key got %v", err)
	}
	w.operated(first.ID, unwind.OperationFinished)
	list, err := w.Operations(t.Context(), unwind.OperationFilter{})
	if err != nil || len(list.Items) != 1 {
		t.Errorf("there are %d operations, error %v", len(list.Items), err)
	}
}

func TestBadSelectionsAreRefused(t *testing.T) {
	w := newWorld(t, placeOrder(), "ship:409 refund:422", nil)
	w.dead("o-1")
	at := unwind.TimeFromMicros(1)
	zero, some := &unwind.Rate{}, &unwind.Selection{Saga: "place-order"}
	for what, c := range map[string]struct {
		change func(*unwind.OperationRequest)
		code   unwind.Code
		says   string
	}{
		"nothing":                       {func(r *unwind.OperationRequest) { r.Selection = nil }, unwind.InvalidRequest, "names nothing"},
		"an empty filter":               {func(r *unwind.OperationRequest) { r.Selection = &unwind.Selection{} }, unwind.InvalidRequest, "names nothing"},
		"no ids":                        {func(r *unwind.OperationRequest) { r.Selection = &unwind.Selection{IDs: []string{}} }, unwind.InvalidRequest, "names nothing"},
		"a time alone":                  {func(r *unwind.OperationRequest) { r.Selection = &unwind.Selection{Before: &at} }, unwind.InvalidRequest, "a time alone"},
		"ids and a filter":              {func(r *unwind.OperationRequest) { r.Selection = &unwind.Selection{IDs: []string{"x"}, Saga: "s"} }, unwind.InvalidRequest, "nothing else"},
		"too many ids":                  {func(r *unwind.OperationRequest) { r.Selection = &unwind.Selection{IDs: make([]string, 10_001)} }, unwind.InvalidRequest, "10001"},
		"what is not there":             {func(r *unwind.OperationRequest) { r.Selection = &unwind.Selection{Saga: "nobody's"} }, unwind.Conflict, "nothing that was selected"},
		"what died before":              {func(r *unwind.OperationRequest) { r.Selection = &unwind.Selection{Saga: "place-order", Before: &at} }, unwind.Conflict, "nothing that was selected"},
		"an unknown kind":               {func(r *unwind.OperationRequest) { r.Kind = "delete" }, unwind.InvalidRequest, "/kind"},
		"no reason":                     {func(r *unwind.OperationRequest) { r.Reason = "" }, unwind.InvalidRequest, "/reason"},
		"an endless reason":             {func(r *unwind.OperationRequest) { r.Reason = strings.Repeat("x", 5000) }, unwind.InvalidRequest, "/reason"},
		"a negative canary":             {func(r *unwind.OperationRequest) { r.Canary = -1 }, unwind.InvalidRequest, "/canary"},
		"a rate of zero":                {func(r *unwind.OperationRequest) { r.Rate = zero }, unwind.InvalidRequest, "/rate"},
		"a selection that is no id":     {func(r *unwind.OperationRequest) { r.Selection, r.SelectionID = nil, "../1" }, unwind.NotFound, "no selection"},
		"a selection that is not there": {func(r *unwind.OperationRequest) { r.Selection, r.SelectionID = nil, "9999" }, unwind.NotFound, "no selection"},
		"both":                          {func(r *unwind.OperationRequest) { r.SelectionID = "1" }, unwind.InvalidRequest, "not both"},
		"cancelling a group": {func(r *unwind.OperationRequest) {
			r.Kind, r.Selection = unwind.OperationCancel, &unwind.Selection{Group: "g"}
		}, unwind.InvalidRequest, "sagas are selected"},
		"cancelling without a saga": {func(r *unwind.OperationRequest) {
			r.Kind, r.Selection = unwind.OperationCancel, &unwind.Selection{Tenant: "t"}
		}, unwind.InvalidRequest, "/selection/saga"},
	} {
		req := unwind.OperationRequest{Kind: unwind.OperationReplay, Selection: some, Reason: "r"}
		c.change(&req)
		if _, err := w.StartOperation(t.Context(), req); unwind.CodeOf(err) != c.code || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s got %v", what, err)
		}
	}
	list, err := w.Operations(t.Context(), unwind.OperationFilter{})
	if err != nil || len(list.Items) != 0 {
		t.Errorf("there are %+v, error %v", list.Items, err)
	}
	if _, err := w.Operations(t.Context(), unwind.OperationFilter{Page: unwind.Page{Cursor: "d1.2.3.4"}}); unwind.CodeOf(err) != unwind.InvalidRequest {
		t.Errorf("a foreign cursor got %v", err)
	}
	for _, id := range []string{"", "0", "-1", "x", "99", "1e3", "9223372036854775808"} {
		if _, err := w.Operation(t.Context(), id); unwind.CodeOf(err) != unwind.NotFound {
			t.Errorf("operation %q got %v", id, err)
		}
	}
}

func TestManySagasAreCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, placeOrder(), "charge:never", func(cfg *engine.Config) {
		both(cfg, func(p *unwind.Participant) { p.Timeout = eventually })
	})
	ids := w.beginMany(5)
	w.called("/charge", 5)
	defer w.script.Close() // nothing is waited for any more
	op, err := w.StartOperation(t.Context(), unwind.OperationRequest{Kind: unwind.OperationCancel, Selection: &unwind.Selection{Saga: "place-order"}, Reason: "sold out", Actor: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	op = w.operated(op.ID, unwind.OperationFinished)
	if op.Counts.Succeeded != 5 || op.Counts.Total != 5 {
		t.Errorf("it came to %+v", op.Counts)
	}
	for _, id := range ids {
		if inst, err := w.Get(t.Context(), id); err != nil || inst.Status != unwind.Compensating {
			t.Errorf("saga %s is %+v, error %v", id, inst, err)
		}
	}
	again, err := w.PlanOperation(t.Context(), unwind.OperationRequest{Kind: unwind.OperationCancel, Selection: &unwind.Selection{IDs: append(slices.Clone(ids), "x")}})
	if err != nil || again.Eligible != 0 || again.Skipped["compensating"] != 5 || again.Skipped["not found"] != 1 ||
		again.Command != "unwind saga cancel --selection "+again.SelectionID+" --reason '…'" {
		t.Errorf("the plan is %+v, error %v", again, err)
	}
}
