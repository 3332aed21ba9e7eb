package engine_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/internal/gateway"
)

// dead brings an order to a dead letter, and returns it.
func (w *world) dead(key string) *unwind.DeadLetter {
	w.t.Helper()
	inst := w.run(key)
	if inst.Status != unwind.DeadLettered {
		w.t.Fatalf("it rests as %s: %s", inst.Status, steps(inst))
	}
	for cursor := ""; ; {
		list, err := w.DeadLetters(w.t.Context(), unwind.DeadLetterFilter{Page: unwind.Page{Cursor: cursor, Limit: 1000}})
		if err != nil {
			w.t.Fatal(err)
		}
		for i := range list.Items {
			if list.Items[i].SagaID == inst.ID {
				return &list.Items[i]
			}
		}
		if cursor = list.NextCursor; cursor == "" {
			w.t.Fatal("there is no dead letter")
		}
	}
}

// G2, G3: what was settled by hand in error is open again, audited, and can be replayed.
func TestASettlementByHandIsTakenBack(t *testing.T) {
	w := newWorld(t, placeOrder(), "ship:409 refund:422,200", nil)
	d := w.dead("o-1")
	if _, err := w.Reopen(t.Context(), d.ID, unwind.ReopenRequest{Reason: "too early", Actor: "ann"}); unwind.CodeOf(err) != unwind.Conflict {
		t.Errorf("reopening what is open got %v", err)
	}
	if _, err := w.Resolve(t.Context(), d.ID, unwind.ResolveRequest{Reason: "by hand", Evidence: "slip 7", Actor: "ann"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Reopen(t.Context(), d.ID, unwind.ReopenRequest{Actor: "bob"}); unwind.CodeOf(err) != unwind.InvalidRequest {
		t.Errorf("reopening without a reason got %v", err)
	}
	again, err := w.Reopen(t.Context(), d.ID, unwind.ReopenRequest{Reason: "slip 7 was of another order", Actor: "bob"})
	if err != nil || again.State != unwind.DeadLetterOpen || again.By != "bob" {
		t.Fatalf("reopened it is %+v, error %v", again, err)
	}
	if inst := w.rest(d.SagaID); inst.Status != unwind.DeadLettered {
		t.Errorf("its saga is %s", inst.Status)
	}
	if _, err := w.Reopen(t.Context(), d.ID, unwind.ReopenRequest{Reason: "me too", Actor: "eve"}); unwind.CodeOf(err) != unwind.Conflict || !strings.Contains(err.Error(), "bob") {
		t.Errorf("reopening twice got %v", err)
	}
	if _, err := w.Replay(t.Context(), d.ID, unwind.ReplayRequest{Reason: "the account is open", Actor: "bob"}); err != nil {
		t.Fatal(err)
	}
	if inst := w.rest(d.SagaID); inst.Status != unwind.Compensated {
		t.Errorf("it rests as %s: %s", inst.Status, steps(inst))
	}
	audit, err := w.Audit(t.Context(), unwind.AuditFilter{})
	if err != nil || len(audit.Items) != 4 || audit.Items[1].Action != "reopen" || audit.Items[1].Actor != "bob" {
		t.Errorf("the audit is %+v, error %v", audit.Items, err)
	}
	w.bodies()
}

// What failed attempts were answered is kept small: one of each cause, the first
// of them, and the last.
func TestTheBodiesOfFailedAttemptsAreKept(t *testing.T) {
	w := newWorld(t, placeOrder(), "ship:409", nil)
	long := `{"message":"the ledger is closed","trace":"` + strings.Repeat("é", 4000) + `"}`
	var answers []gateway.Answer
	for _, body := range []string{`{"message":"try later","n":1}`, `{"message":"try later","n":2}`, long, `{"message":"try later","n":4}`} {
		answers = append(answers, gateway.Answer{Status: 500, Body: body})
	}
	w.script.On("/refund", answers...)
	d, err := w.DeadLetter(t.Context(), w.dead("o-1").ID)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, e := range d.History {
		var data struct{ Class, Body string }
		if len(e.Data) > 0 {
			if err := json.Unmarshal(e.Data, &data); err != nil {
				t.Fatal(err)
			}
		}
		if e.Kind == unwind.EntryCompensationFailed && data.Class != string(unwind.ClassUncertain) {
			t.Errorf("attempt %d has the class %q", e.Attempt, data.Class)
		}
		if data.Body != "" {
			kept = append(kept, e.Kind+" "+data.Body)
		}
	}
	want := []string{`compensation_failed {"message":"try later","n":1}`, "compensation_failed " + long[:4096], `dead_lettered {"message":"try later","n":4}`}
	if len(kept) != 3 || kept[0] != want[0] || kept[2] != want[2] || !strings.HasPrefix(want[1], kept[1]) || len(kept[1]) < len(want[1])-1 {
		t.Errorf("kept is\n%s", strings.Join(kept, "\n"))
	}
}

// A secret that a participant sends back is in no body that is kept, wherever in
// it the bound cuts.
func TestKeptBodiesHideSecrets(t *testing.T) {
	const secret = "canary-0123456789-refund"
	w := newWorld(t, placeOrder(), "ship:409", func(cfg *engine.Config) {
		both(cfg, func(p *unwind.Participant) { p.Headers = map[string]string{"Authorization": secret} })
	})
	w.script.On("/refund", gateway.Answer{Status: 422, Body: `{"message":"no","at":"` + strings.Repeat("x", 4096-30) + secret + `","also":"` + secret + `"}`})
	d, err := w.DeadLetter(t.Context(), w.dead("o-1").ID)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(d)
	if err != nil || strings.Contains(string(b), secret[:12]) || !strings.Contains(string(b), "xxxx") {
		t.Errorf("%v: %.200s", err, b)
	}
}

func TestGroupsCountWhatDiedOfOneCause(t *testing.T) {
	reg := prometheus.NewRegistry()
	def := placeOrder()
	def.Amount = "input.amount"
	w := newWorld(t, def, "ship:409 refund:422,422,500,500,500,500,200", func(cfg *engine.Config) { cfg.Metrics = reg })
	first, _, last := w.dead("o-1"), w.dead("o-2"), w.dead("o-3")
	groups := func(f unwind.GroupFilter) unwind.List[unwind.DeadLetterGroup] {
		t.Helper()
		list, err := w.DeadLetterGroups(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	all := groups(unwind.GroupFilter{}).Items
	if len(all) != 2 || all[0].Group != first.Group || all[1].Group != last.Group {
		t.Fatalf("the groups are %+v", all)
	}
	if g := all[0]; g.Open != 2 || string(g.AmountAtRisk) != "24691357802469135780" || g.Service != "payments" || g.Step != "charge" || g.Breaker != "closed" || g.Error.Status != 422 || g.OldestAt == nil {
		t.Errorf("the first group is %+v", g)
	}
	page := groups(unwind.GroupFilter{Page: unwind.Page{Limit: 1}})
	rest := groups(unwind.GroupFilter{Page: unwind.Page{Limit: 1, Cursor: page.NextCursor}})
	if len(page.Items) != 1 || len(rest.Items) != 1 || rest.Items[0].Group != last.Group || rest.NextCursor != "" {
		t.Errorf("page by page they are %+v and %+v", page, rest)
	}
	if _, err := w.Replay(t.Context(), first.ID, unwind.ReplayRequest{Reason: "mended"}); err != nil {
		t.Fatal(err)
	}
	w.rest(first.SagaID)
	if g := groups(unwind.GroupFilter{Saga: "place-order", Service: "payments", State: unwind.DeadLetterReplayed}).Items; len(g) != 1 || g[0].Open != 1 || g[0].Replayed != 1 || string(g[0].AmountAtRisk) != "12345678901234567890" {
		t.Errorf("after a replay the groups are %+v", g)
	}
	if g := groups(unwind.GroupFilter{Service: "shop"}).Items; len(g) != 0 {
		t.Errorf("of the shop there are %+v", g)
	}
	w.until("the metric counts 2", func() bool { return sample(t, reg, "unwind_dead_letters", "place-order", "payments") == 2 })
}

func TestTheVerdictNamesItsEvidence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, placeOrder(), "ship:409 refund:422,422,422,200,422,200", nil)
	a, b, c := w.dead("o-1"), w.dead("o-2"), w.dead("o-3")
	says := func(d *unwind.DeadLetter, advice unwind.Advice, texts ...string) {
		t.Helper()
		got, err := w.DeadLetter(t.Context(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Verdict.Advice != advice {
			t.Errorf("the advice is %s: %s", got.Verdict.Advice, got.Verdict.Text)
		}
		for _, text := range texts {
			if !strings.Contains(got.Verdict.Text, text) {
				t.Errorf("%q does not say %q", got.Verdict.Text, text)
			}
		}
	}
	verdictOf := func(d *unwind.DeadLetter) string {
		got, err := w.DeadLetter(t.Context(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got.Verdict.Text
	}
	replay := func(d *unwind.DeadLetter) {
		t.Helper()
		if _, err := w.Replay(t.Context(), d.ID, unwind.ReplayRequest{Reason: "mended", Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
		w.rest(d.SagaID)
	}
	says(a, unwind.AdviceLook, "Failed once in ", " s. Last: 422 from payments", "Breaker closed, no opening on record.", "find the cause first")
	if _, err := w.Note(t.Context(), a.ID, unwind.NoteRequest{Text: "the bank is asked", Owner: "ann", Actor: "bob"}); err != nil {
		t.Fatal(err)
	}
	replay(a)
	says(a, unwind.AdviceNone, "It was replayed by ann, ", "(mended).")
	w.until("the verdict counts the replay", func() bool {
		return strings.Contains(verdictOf(b), "1 of 1 similar replays succeeded. Likely safe to replay.")
	})
	replay(b)
	w.until("the verdict counts the replay that failed", func() bool {
		return strings.Contains(verdictOf(c), "1 of 2 similar replays succeeded. A replay would likely fail again")
	})
	if _, err := w.Control(t.Context(), refundLane(true, "the bank is closed")); err != nil {
		t.Fatal(err)
	}
	says(c, unwind.AdviceWait, "The lane of payments was paused by ", "(the bank is closed)")
	d, err := w.DeadLetter(t.Context(), a.ID)
	if err != nil || d.Owner != "ann" || len(d.Notes) != 1 || d.Notes[0].By != "bob" || d.Replays != 1 {
		t.Errorf("it is %+v, error %v", d, err)
	}
}

// The last answer is the participant's, also where the engine gave up later; and when
// the breaker closed is known after a restart.
func TestTheVerdictKnowsTheLastAnswerAndTheBreakerOverARestart(t *testing.T) {
	t.Parallel()
	for giveUp := 2 * unwind.Second; !lastAnswerIsKnown(t, giveUp); giveUp *= 2 {
		if giveUp > eventually {
			t.Fatalf("three refunds and a release take longer than %s", giveUp)
		}
	}
}

// lastAnswerIsKnown is false where the engine gave up before it was answered, as it may
// on a busy machine.
func lastAnswerIsKnown(t *testing.T, giveUp unwind.Duration) bool {
	t.Helper()
	def := placeOrder()
	def.GiveUpAfter = giveUp
	s := newStage(t, def, "ship:409 refund:500,500,200,500,429+30", func(cfg *engine.Config) {
		both(cfg, func(p *unwind.Participant) {
			p.Breaker = unwind.Breaker{Failures: 0.5, Minimum: 2, Open: 50 * unwind.Millisecond}
		})
	})
	since := func() *unwind.Time {
		services, err := s.Participants(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range services {
			if services[i].Name == "payments" && services[i].Lanes.Compensation.Breaker.State == "closed" {
				return services[i].Lanes.Compensation.Breaker.Since
			}
		}
		return nil
	}
	if since() != nil {
		t.Error("a breaker that never opened has a time")
	}
	if inst := s.run("o-1"); inst.Status != unwind.Compensated {
		t.Logf("with %s it rests as %s: %s", giveUp, inst.Status, steps(inst))
		return false
	}
	closed := since()
	if closed == nil {
		t.Fatal("the breaker has no time")
	}
	d := s.dead("o-2")
	if len(s.script.Calls("/refund")) < 5 {
		return false
	}
	s.crash()
	if after := since(); after == nil || after.Sub(closed.Time).Abs() > 100*time.Millisecond {
		t.Errorf("the breaker closed %v, after a restart %v", closed, after)
	}
	got, err := s.DeadLetter(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	v := got.Verdict
	if want := "Last: 429 from payments, Retry-After 30 s: Too Many Requests; then given up: "; !strings.Contains(v.Text, want) || v.Facts.RetryAfterMS != 30_000 || v.Facts.Last.Status != 429 || v.Facts.Attempts != 1 || v.Facts.Throttled != 1 {
		t.Errorf("%q does not say %q; the facts are %+v", v.Text, want, v.Facts)
	}
	return true
}
