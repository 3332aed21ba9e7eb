package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store"
)

// A watcher counts how often the engine looked what fires, and for what to delete.
type watcher struct {
	store.Store
	looks, sweeps *atomic.Int64
}

func (w watcher) Alerts(ctx context.Context, f store.AlertFilter) ([]store.Alert, string, error) {
	if f.Firing && len(f.Kinds) > 1 && f.Cursor == "" {
		w.looks.Add(1)
	}
	return w.Store.Alerts(ctx, f)
}

func (w watcher) PurgeAlerts(ctx context.Context, epoch, before int64, limit int) (int, error) {
	defer w.sweeps.Add(1)
	return w.Store.PurgeAlerts(ctx, epoch, before, limit)
}

// watching counts from the next start of the engine on.
func (s *stage) watching() watcher {
	w := watcher{looks: new(atomic.Int64), sweeps: new(atomic.Int64)}
	s.wrap = func(st store.Store) store.Store { w.Store = st; return w }
	return w
}

// marks are the alerts by kind, in order: those that are over have an x.
func (w *world) marks() string {
	w.t.Helper()
	alerts, err := w.Alerts(w.t.Context(), unwind.AlertFilter{Page: unwind.Page{Limit: 1000}})
	if err != nil {
		w.t.Fatal(err)
	}
	var marks []string
	for _, a := range alerts.Items {
		marks = append(marks, a.Kind+map[bool]string{true: "", false: " x"}[a.ResolvedAt == nil])
	}
	slices.Sort(marks)
	return strings.Join(marks, ", ")
}

// marked waits until the alerts are so.
func (w *world) marked(want string) {
	w.t.Helper()
	for begin := time.Now(); w.marks() != want; pause(w.t.Context(), 5*time.Millisecond) {
		if time.Since(begin) > eventually.Std() {
			w.t.Fatalf("after %s the alerts are\n%s, not\n%s", eventually, w.marks(), want)
		}
	}
}

// Liveness: what fires when the process ends is neither told twice nor taken for over
// by the next one, which tells of its end.
func TestARestartWhileAlertsFire(t *testing.T) {
	t.Parallel()
	s := newStage(t, placeOrder(), "ship:409 refund:422*3,200 release:422*3,401", func(cfg *engine.Config) {
		cfg.AlertRules = unwind.AlertRules{PerMinute: 5, Amount: 1, CompensationAge: unwind.Millisecond}
		cfg.Definitions[0].Amount = "input.amount"
	})
	died := time.Now()
	for i := range 3 {
		s.dead(fmt.Sprint("dead-", i))
	}
	late := s.begin("late") // its release meets a 401, and waits
	var alerts []unwind.Alert
	s.until("not all fire", func() bool {
		alerts = s.firing()
		other := func(a unwind.Alert) bool { return a.Kind == unwind.AlertCompensationAge && a.Service != "shop" } // of one that died
		return !slices.ContainsFunc(alerts, other) && kinds(alerts) == "amount_at_risk, compensation_age, dead_letter, dead_letter, dead_letter_growth, service_fault"
	})
	told := strings.Count(s.marks(), ",")
	lane := unwind.ControlRequest{Scope: unwind.Scope{Kind: unwind.ScopeCompensation, Name: "shop"}, Paused: new(bool), Reason: "nobody proves it mended", Actor: "ops"}
	*lane.Paused = true
	if _, err := s.Control(t.Context(), lane); err != nil {
		t.Fatal(err)
	}
	watch := s.watching()
	s.crash()
	s.until("the new process looked three times", func() bool { return watch.looks.Load() >= 3 })
	got := s.firing()
	if time.Since(died) > time.Minute { // then the growth may be over, and nothing else
		growth := func(a unwind.Alert) bool { return a.Kind == unwind.AlertDeadLetterGrowth }
		got, alerts = slices.DeleteFunc(got, growth), slices.DeleteFunc(alerts, growth)
	}
	if !slices.EqualFunc(got, alerts, func(a, b unwind.Alert) bool { return a.ID == b.ID }) {
		t.Errorf("after a restart there fire\n%+v, not\n%+v", got, alerts)
	}
	if got := s.marks(); strings.Count(got, ",") != told {
		t.Errorf("after a restart the alerts are %s", got)
	}
	s.script.On("/release", answerOf("200"))
	*lane.Paused = false
	if _, err := s.Control(t.Context(), lane); err != nil {
		t.Fatal(err)
	}
	s.rest(late)
	s.settleAll()
	s.until("more fires than the growth, or that is over within its minute", func() bool {
		left := kinds(s.firing())
		return left == unwind.AlertDeadLetterGrowth || left == "" && time.Since(died) > time.Minute
	})
}

// firing are the alerts that fire.
func (w *world) firing() []unwind.Alert {
	w.t.Helper()
	list, err := w.Alerts(w.t.Context(), unwind.AlertFilter{Firing: true, Page: unwind.Page{Limit: 1000}})
	if err != nil {
		w.t.Fatal(err)
	}
	return list.Items
}

func kinds(alerts []unwind.Alert) string {
	var all []string
	for _, a := range alerts {
		all = append(all, a.Kind)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// settleAll settles every open dead letter by hand.
func (w *world) settleAll() {
	w.t.Helper()
	list, err := w.DeadLetters(w.t.Context(), unwind.DeadLetterFilter{State: unwind.DeadLetterOpen, Page: unwind.Page{Limit: 1000}})
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range list.Items {
		if _, err := w.Resolve(w.t.Context(), list.Items[i].ID, unwind.ResolveRequest{Reason: "paid in cash", Evidence: "slip 4711"}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// A saga that can't go on is told of until it goes on, also over restarts, and each for
// itself: of two, one goes on.
func TestAnAlertOnAStuckSagaEndsWhenItGoesOn(t *testing.T) {
	t.Parallel()
	one := local("one", ok)
	s := newStage(t, one, "", func(cfg *engine.Config) {
		cfg.Participants, cfg.Definitions = nil, nil
		for _, name := range []string{"one", "two"} {
			waits := local(name, ok)
			waits.Steps[0].Action.Func = held(nil) // until the engine is dropped
			cfg.Definitions = append(cfg.Definitions, waits)
		}
	})
	ids := map[string]string{}
	for _, name := range []string{"one", "two"} {
		inst, _, err := s.Start(t.Context(), unwind.StartRequest{Saga: name, Input: json.RawMessage("{}")})
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = inst.ID
	}
	s.drop()
	s.cfg.Definitions = nil // no functions at all
	watch := s.watching()
	s.open()
	s.marked("saga_stuck, saga_stuck")
	seen := watch.looks.Load()
	s.until("what was raised was looked at twice", func() bool { return watch.looks.Load() >= seen+3 })
	s.marked("saga_stuck, saga_stuck")
	s.drop()
	s.cfg.Definitions = []unwind.Definition{one}
	s.open()
	if inst := s.rest(ids["one"]); inst.Status != unwind.Completed {
		t.Fatalf("it rests as %s", inst.Status)
	}
	s.marked("saga_stuck, saga_stuck x")
	alerts, err := s.Alerts(t.Context(), unwind.AlertFilter{Firing: true})
	if err != nil || len(alerts.Items) != 1 || alerts.Items[0].SagaID != ids["two"] {
		t.Errorf("what fires is %+v, error %v", alerts.Items, err)
	}
}

// Alerts past their retention are deleted, but not what fires, nor what a sink has not
// been told of yet.
func TestRetentionDeletesAlertsThatAreOverAndTold(t *testing.T) {
	t.Parallel()
	s := newStage(t, placeOrder(), "ship:409 refund:422 release:409", func(cfg *engine.Config) { // two causes
		both(cfg, func(p *unwind.Participant) { p.Compensation.Concurrency = 1 })
	})
	if err := s.AlertSinks(t.Context(), []string{"pager"}); err != nil {
		t.Fatal(err)
	}
	s.dead("o-1")
	s.marked("dead_letter, dead_letter")
	list, err := s.DeadLetters(t.Context(), unwind.DeadLetterFilter{Service: "payments"})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("the dead letters are %+v, error %v", list.Items, err)
	}
	if _, err := s.Resolve(t.Context(), list.Items[0].ID, unwind.ResolveRequest{Reason: "r", Evidence: "e"}); err != nil {
		t.Fatal(err)
	}
	s.marked("dead_letter, dead_letter x")
	s.drop()
	s.cfg.Retention = unwind.Millisecond
	watch := s.watching()
	s.open()
	s.until("old alerts were deleted", func() bool { return watch.sweeps.Load() > 0 })
	s.marked("dead_letter, dead_letter x") // the pager has not heard of it
	pending, err := s.PendingAlerts(t.Context(), "pager", 100)
	if err != nil || len(pending) != 3 {
		t.Fatalf("the pager is to be told %+v, error %v", pending, err)
	}
	if err := s.AlertsDelivered(t.Context(), "pager", pending[2].Seq); err != nil {
		t.Fatal(err)
	}
	s.drop()
	before := watch.sweeps.Load()
	s.open()
	s.until("old alerts were deleted", func() bool { return watch.sweeps.Load() > before })
	left, err := s.Alerts(t.Context(), unwind.AlertFilter{})
	if err != nil || len(left.Items) != 1 || left.Items[0].ID != pending[1].ID && left.Items[0].ID != pending[0].ID || left.Items[0].ResolvedAt != nil {
		t.Errorf("what is left is %+v, error %v; it was %+v", left.Items, err, pending)
	}
}
