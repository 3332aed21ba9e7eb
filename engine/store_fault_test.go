package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

// newFaultyWorld is a world on a store that can be told to fail.
func newFaultyWorld(t *testing.T, def unwind.Definition, words string) (*world, *faultyStore) {
	st := &faultyStore{Store: memory.New()}
	w := newWorld(t, def, words, func(cfg *engine.Config) {
		patient(cfg)
		cfg.Store = st
	})
	return w, st
}

func TestAStoreThatCanNotBeWrittenRefusesStartsAndLosesNothing(t *testing.T) {
	w, st := newFaultyWorld(t, placeOrder(), "")
	hold := make(chan struct{})
	answer := answerOf("200")
	answer.Until = hold
	w.script.On("/charge", answer)
	var ids []string
	for i := range 20 {
		ids = append(ids, w.begin(fmt.Sprint("before-", i)))
	}
	w.called("/charge", 20)
	st.set(func(f *faultyStore) { f.commit = errDisk })
	close(hold) // the answers can't be written down
	var refused []string
	for i := range 50 {
		key := fmt.Sprint("during-", i)
		_, _, err := w.Start(t.Context(), unwind.StartRequest{Saga: "place-order", Key: key, Input: json.RawMessage(`{}`)})
		if after, is := isCode(err, unwind.StoreUnavailable); !is || after <= 0 || !strings.Contains(err.Error(), errDisk.Error()) {
			t.Fatalf("start %d got %v", i, err)
		}
		refused = append(refused, key)
	}
	if n := len(w.script.Calls("/ship")); n != 0 {
		t.Errorf("%d calls of what is not durable", n)
	}
	if n := len(w.script.Calls("/reserve")); n != 20 {
		t.Errorf("%d sagas made a call, and 20 were acknowledged", n)
	}
	if inst, err := w.Get(t.Context(), ids[0]); err != nil || inst.Status != unwind.Running {
		t.Errorf("reading what is there got %+v, error %v", inst, err)
	}
	st.set(func(f *faultyStore) { f.commit = nil })
	for _, id := range ids {
		if inst := w.rest(id); inst.Status != unwind.Completed {
			t.Errorf("it rests as %s", inst.Status)
		}
	}
	if n := len(w.script.Calls("/charge")); n != 20 {
		t.Errorf("%d charges of 20 sagas", n)
	}
	for _, key := range refused { // what was refused never was
		if list, err := w.List(t.Context(), unwind.Filter{Key: key}); err != nil || len(list.Items) != 0 {
			t.Errorf("%s is %+v, error %v", key, list.Items, err)
		}
	}
	if inst := w.run(refused[0]); inst.Status != unwind.Completed {
		t.Errorf("a start after the fault rests as %s", inst.Status)
	}
}

func TestAStoreThatCanNotBeTrustedStopsTheEngine(t *testing.T) {
	for name, c := range map[string]struct {
		before, after error
	}{
		"fenced":                     {before: fmt.Errorf("committing: %w", store.ErrFenced)},
		"a failed fsync":             {before: fmt.Errorf("committing: %w", store.ErrFatal)},
		"a commit that may be there": {after: fmt.Errorf("committing: %w", store.ErrFatal)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, st := newFaultyWorld(t, withSignal(unwind.Hour), "")
			id := w.begin("o-1")
			w.until("nobody is waited for", func() bool { return w.step(id, "approve").Status == unwind.StepAwaiting })
			var wg sync.WaitGroup
			for range 5 { // they wait for the saga's end
				wg.Go(func() {
					_, _, err := w.Start(t.Context(), unwind.StartRequest{Saga: "place-order", Key: "o-1", Input: json.RawMessage(`{"order":1}`), Wait: 50 * unwind.Second})
					if err != nil && unwind.CodeOf(err) != unwind.StoreUnavailable {
						t.Errorf("who waited got %v", err)
					}
				})
			}
			if w.Err() != nil {
				t.Fatalf("it has stopped: %v", w.Err())
			}
			st.set(func(f *faultyStore) { f.commit, f.after = c.before, c.after })
			_, _, err := w.Start(t.Context(), unwind.StartRequest{Saga: "place-order", Key: "o-2"})
			if unwind.CodeOf(err) != unwind.StoreUnavailable || !strings.Contains(err.Error(), "restart") {
				t.Errorf("the start got %v", err)
			}
			<-w.Done()
			cause := errors.Join(c.before, c.after)
			if want := errors.Unwrap(c.before); want != nil && !errors.Is(w.Err(), want) {
				t.Errorf("it stopped for %v, not %v", w.Err(), cause)
			}
			wg.Wait()
			if _, err := w.Cancel(t.Context(), id, unwind.CancelRequest{}); unwind.CodeOf(err) != unwind.StoreUnavailable {
				t.Errorf("cancelling got %v", err)
			}
			if n := len(w.script.Calls("/reserve")); n != 1 {
				t.Errorf("%d sagas made a call", n)
			}
		})
	}
}

// Whatever has to be read to go on is read again until it can be.
func TestReadsThatFailAreMadeAgain(t *testing.T) {
	heal := func(w *world, st *faultyStore) {
		pause(w.t.Context(), 300*time.Millisecond) // some reads fail
		st.set(func(f *faultyStore) { f.read = nil })
	}
	fail := func(st *faultyStore) { st.set(func(f *faultyStore) { f.read = errDisk }) }
	t.Run("of sagas and definitions after a crash", func(t *testing.T) {
		t.Parallel()
		var st *faultyStore
		s := newStage(t, placeOrder(), "charge:never", patient)
		id := s.begin("o-1")
		s.called("/charge", 1)
		s.drop()
		s.wrap = func(inner store.Store) store.Store {
			st = &faultyStore{Store: inner, read: errDisk}
			return st
		}
		s.cfg.Definitions = nil // they are in the store
		s.script.On("/charge", answerOf("200"))
		s.open()
		heal(s.world, st)
		if inst := s.rest(id); inst.Status != unwind.Completed || s.calls() != "reserve charge*2 ship" {
			t.Errorf("it rests as %s after %s", inst.Status, s.calls())
		}
	})
	t.Run("of definitions alone after a crash", func(t *testing.T) {
		t.Parallel()
		var st *definitionsFail
		s := newStage(t, placeOrder(), "charge:never", patient)
		id := s.begin("o-1")
		s.called("/charge", 1)
		s.drop()
		s.wrap = func(inner store.Store) store.Store {
			st = &definitionsFail{faultyStore{Store: inner, read: errDisk}}
			return st
		}
		s.cfg.Definitions = nil
		s.script.On("/charge", answerOf("200"))
		s.open()
		heal(s.world, &st.faultyStore)
		if inst := s.rest(id); inst.Status != unwind.Completed || s.calls() != "reserve charge*2 ship" {
			t.Errorf("it rests as %s after %s", inst.Status, s.calls())
		}
		if alerts, err := s.Alerts(t.Context(), unwind.AlertFilter{}); err != nil || len(alerts.Items) != 0 {
			t.Errorf("the alerts are %+v, error %v", alerts.Items, err)
		}
	})
	t.Run("of queued compensations", func(t *testing.T) {
		t.Parallel()
		w, st := newFaultyWorld(t, placeOrder(), "ship:409")
		if _, err := w.Control(t.Context(), refundLane(true, "r")); err != nil {
			t.Fatal(err)
		}
		ids := w.beginMany(600) // more than the heads
		w.until("they are not queued", func() bool {
			stats, err := w.Stats(t.Context())
			return err == nil && stats.Compensations == 600
		})
		fail(st)
		if _, err := w.Control(t.Context(), refundLane(false, "r")); err != nil {
			t.Fatal(err)
		}
		heal(w, st)
		for _, id := range ids {
			if inst := w.rest(id); inst.Status != unwind.Compensated {
				t.Fatalf("it rests as %s", inst.Status)
			}
		}
	})
	t.Run("of a saga that an operator turns back", func(t *testing.T) {
		t.Parallel()
		w, st := newFaultyWorld(t, withSignal(24*unwind.Hour), "")
		id := w.begin("o-1")
		w.until("nobody is waited for", func() bool {
			stats, err := w.Stats(t.Context())
			return err == nil && stats.ActiveSagas == 0 && w.step(id, "approve").Status == unwind.StepAwaiting
		})
		fail(st)
		if _, err := w.Cancel(t.Context(), id, unwind.CancelRequest{}); unwind.CodeOf(err) != unwind.StoreUnavailable {
			t.Errorf("cancelling got %v", err)
		}
		heal(w, st)
		if _, err := w.Cancel(t.Context(), id, unwind.CancelRequest{}); err != nil {
			t.Errorf("cancelling got %v", err)
		}
		if inst := w.rest(id); inst.Status != unwind.Compensated {
			t.Errorf("it rests as %s", inst.Status)
		}
	})
}

// definitionsFail fails the reads of definitions only.
type definitionsFail struct{ faultyStore }

func (d *definitionsFail) Load(ctx context.Context, saga id.ID) (store.Saga, error) {
	return d.Store.Load(ctx, saga)
}

func (d *definitionsFail) ClaimDue(ctx context.Context, afterDue int64, after id.ID, until int64, limit int) ([]store.Saga, error) {
	return d.Store.ClaimDue(ctx, afterDue, after, until, limit)
}

func (d *definitionsFail) Tasks(ctx context.Context, q store.Queue, limit int) ([]store.Task, error) {
	return d.Store.Tasks(ctx, q, limit)
}
