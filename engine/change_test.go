package engine_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

func alertsOf(w *world) (kinds map[string]int, text string) {
	w.t.Helper()
	alerts, err := w.Alerts(w.t.Context(), unwind.AlertFilter{Page: unwind.Page{Limit: 1000}})
	if err != nil {
		w.t.Fatal(err)
	}
	kinds = map[string]int{}
	for _, a := range alerts.Items {
		kinds[a.Kind]++
		text += a.Message + "\n"
	}
	return kinds, text
}

// A saga runs on by the revision that it began with, whatever becomes of its definition.
func TestADefinitionThatChangesOrGoesLeavesRunningSagasAlone(t *testing.T) {
	for name, change := range map[string]func(*engine.Config){
		"changed": func(cfg *engine.Config) {
			def := placeOrder()
			def.Steps = slices.Delete(def.Steps, 1, 3)
			cfg.Definitions = []unwind.Definition{def}
		},
		"gone": func(cfg *engine.Config) { cfg.Definitions = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, placeOrder(), "charge:never", patient)
			id := s.begin("o-1")
			s.called("/charge", 1)
			s.drop()
			change(&s.cfg)
			s.script.On("/charge", answerOf("200"))
			s.open()
			if inst := s.rest(id); inst.Status != unwind.Completed || s.calls() != "reserve charge*2 ship" {
				t.Errorf("it rests as %s after %s", inst.Status, s.calls())
			}
			want := map[string]int{"changed": 1, "gone": 3}[name] // a new one, by the newest revision
			if inst := s.run("o-2"); len(inst.Steps) != want {
				t.Errorf("a new saga has %d steps, not %d", len(inst.Steps), want)
			}
		})
	}
}

// A service that is not declared any more: its calls wait and an alert says why;
// what others are to do goes on, and so do its calls once it is declared again.
func TestAServiceThatIsNotDeclaredAnyMoreHoldsItsOwnCallsOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t, placeOrder(), "ship:409", patient)
	if _, err := s.Control(t.Context(), refundLane(true, "r")); err != nil {
		t.Fatal(err)
	}
	undone := s.beginMany(300)
	s.until("they are not queued", func() bool {
		stats, err := s.Stats(t.Context())
		return err == nil && stats.Compensations == 300
	})
	s.script.On("/charge", answerOf("never"))
	forward := s.begin("forward")
	s.called("/charge", 301)
	s.drop()
	payments := s.cfg.Participants["payments"]
	delete(s.cfg.Participants, "payments")
	other := placeOrder()
	other.Name = "other"
	other.Steps = slices.Delete(other.Steps, 1, 2)
	s.cfg.Definitions = []unwind.Definition{other}
	s.open()
	s.alerted(unwind.AlertServiceFault)
	if _, text := alertsOf(s.world); !strings.Contains(text, `the service "payments" is not declared`) {
		t.Errorf("the alerts say %s", text)
	}
	if _, _, err := s.Start(t.Context(), unwind.StartRequest{Saga: "place-order"}); err == nil {
		t.Error("a saga was started that needs it")
	}
	inst, _, err := s.Start(t.Context(), unwind.StartRequest{Saga: "other", Wait: eventually})
	if err != nil || inst.Status != unwind.Compensated {
		t.Errorf("another saga: %+v, error %v", inst, err)
	}
	for _, id := range []string{undone[0], forward} {
		if inst, err := s.Get(t.Context(), id); err != nil || inst.Status.AtRest() {
			t.Errorf("it is %+v, error %v", inst, err)
		}
		s.history(id)
	}
	s.drop()
	s.cfg.Participants["payments"] = payments
	s.script.On("/charge", answerOf("200"))
	s.script.On("/ship", answerOf("200"))
	s.open()
	if _, err := s.Control(t.Context(), refundLane(false, "r")); err != nil {
		t.Fatal(err)
	}
	for _, id := range undone {
		if inst := s.rest(id); inst.Status != unwind.Compensated {
			t.Fatalf("it rests as %s", inst.Status)
		}
	}
	if inst := s.rest(forward); inst.Status != unwind.Completed || inst.Steps[1].Attempts != 1 {
		t.Errorf("it rests as %s: %s", inst.Status, steps(inst))
	}
}

// A Go function that the new process does not have: its sagas are stuck, which is
// told and can be looked at; others go on, also those that queue behind them.
func TestAGoFunctionThatIsMissingHoldsItsOwnSagasOnly(t *testing.T) {
	first := local("place-order", refuse)
	s := newStage(t, first, "", func(cfg *engine.Config) { cfg.Participants = nil })
	hold := make(chan struct{})
	first.Steps[1].Compensation.Func = held(hold)
	s.drop()
	s.cfg.Definitions = []unwind.Definition{first}
	s.open()
	stuck := s.beginMany(400) // more than the heads
	s.until("they are not queued", func() bool {
		stats, err := s.Stats(t.Context())
		return err == nil && stats.Compensations == 400
	})
	s.drop()
	close(hold)
	second := local("place-order", refuse)
	second.Steps[1].Name = "pay" // there is no function for charge
	s.cfg.Definitions = []unwind.Definition{second}
	s.open()
	if inst := s.run("o-2"); inst.Status != unwind.Compensated {
		t.Errorf("a new saga rests as %s", inst.Status)
	}
	s.alerted(unwind.AlertStuck)
	s.until("not each is told", func() bool {
		kinds, text := alertsOf(s.world)
		return kinds[unwind.AlertStuck] == 400 && strings.Contains(text, "does not have")
	})
	inst, err := s.Get(t.Context(), stuck[0])
	if err != nil || inst.Status != unwind.Compensating || len(s.history(stuck[0])) == 0 {
		t.Errorf("it is %+v, error %v", inst, err)
	}
	if _, err := s.Cancel(t.Context(), stuck[0], unwind.CancelRequest{}); err == nil || !strings.Contains(err.Error(), "does not have") {
		t.Errorf("cancelling got %v", err)
	}
	s.drop()
	s.cfg.Definitions = []unwind.Definition{local("place-order", refuse)}
	s.open()
	for _, id := range stuck {
		if inst := s.rest(id); inst.Status != unwind.Compensated {
			t.Fatalf("it rests as %s", inst.Status)
		}
	}
}

// Only what is at rest in a good state is deleted, and only past its retention.
func TestRetentionDeletesOnlyWhatIsAtRest(t *testing.T) {
	t.Parallel()
	s := newStage(t, withSignal(unwind.Hour), "", nil)
	waits := s.begin("waits")
	done := s.begin("done")
	for _, id := range []string{done, waits} {
		s.until("nobody is waited for", func() bool { return s.step(id, "approve").Status == unwind.StepAwaiting })
	}
	signal := func(id string) {
		if _, err := s.Signal(t.Context(), id, unwind.SignalRequest{Name: "approve"}); err != nil {
			t.Fatal(err)
		}
	}
	signal(done)
	s.rest(done)
	s.script.On("/ship", answerOf("409"))
	s.script.On("/refund", answerOf("422"))
	dead := s.begin("dead")
	s.until("nobody is waited for", func() bool { return s.step(dead, "approve").Status == unwind.StepAwaiting })
	signal(dead)
	s.rest(dead)
	s.drop()
	s.cfg.Retention = unwind.Millisecond
	s.open()
	s.until("it is not deleted", func() bool {
		_, err := s.Get(t.Context(), done)
		return unwind.CodeOf(err) == unwind.NotFound
	})
	for _, id := range []string{waits, dead} {
		if _, err := s.Get(t.Context(), id); err != nil {
			t.Errorf("it is gone: %v", err)
		}
	}
	if inst := s.begin("done"); inst == done {
		t.Error("the key still begins what was deleted")
	}
}
