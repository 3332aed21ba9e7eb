package memory_test

import (
	"testing"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
	"github.com/unwindhq/unwind/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memory.New() })
}

func TestDamagedSagas(t *testing.T) {
	storetest.RunDamage(t, func(*testing.T) (store.Store, func(id.ID)) {
		s := memory.New()
		return s, s.Damage
	})
}

// A clone is what the next process finds, so it stands in for a folder.
func reopening() func(*testing.T, string) store.Store {
	folders := map[string]*memory.Store{}
	return func(_ *testing.T, dir string) store.Store {
		s := memory.New()
		if before := folders[dir]; before != nil {
			s = before.Clone()
		}
		folders[dir] = s
		return s
	}
}

func TestCloneIsWhatARestartFinds(t *testing.T) { storetest.RunReopen(t, reopening()) }

func TestDifferentialAgainstItself(t *testing.T) {
	storetest.Differential(t, func(*testing.T) store.Store { return memory.New() }, reopening())
}

// What is committed to a clone is not committed to its original, and the other
// way round.
func TestCloneIsAStoreOfItsOwn(t *testing.T) {
	ctx := t.Context()
	original := memory.New()
	epoch, err := original.Join(ctx, "node-a")
	if err != nil {
		t.Fatal(err)
	}
	ids := id.NewSource(nil, nil)
	start := store.Transition{
		Saga: ids.New(0), Version: 1, State: []byte("state 1"),
		Start:  &store.Start{Name: "place-order", Key: "ORD-1"},
		Tasks:  []store.TaskChange{{Task: store.Task{Step: 1, Queue: payments}}},
		Alerts: []store.Alert{{Kind: "deadline"}},
	}
	commit := func(s *memory.Store, state string, version uint64) store.Outcome {
		t.Helper()
		next := store.Transition{Saga: start.Saga, Version: version, State: []byte(state), Tasks: []store.TaskChange{{Task: store.Task{Step: 1}, Delete: true}}}
		results, err := s.Commit(ctx, &store.Batch{Epoch: epoch, Transitions: []store.Transition{next}})
		if err != nil {
			t.Fatal(err)
		}
		return results[0].Outcome
	}
	if _, err := original.Commit(ctx, &store.Batch{Epoch: epoch, Transitions: []store.Transition{start}}); err != nil {
		t.Fatal(err)
	}

	clone := original.Clone()
	if got := commit(clone, "STATE 2", 2); got != store.Committed {
		t.Fatalf("a transition of the clone: outcome %d", got)
	}
	if got := commit(clone, "state 3", 3); got != store.Committed {
		t.Fatalf("the clone's next transition: outcome %d", got)
	}
	if err := clone.AlertSinks(ctx, epoch, []string{"pager"}); err != nil {
		t.Fatal(err)
	}
	if err := clone.AlertsDelivered(ctx, epoch, "pager", 1); err != nil {
		t.Fatal(err)
	}
	saga, err := original.Load(ctx, start.Saga)
	if err != nil || saga.Version != 1 || string(saga.State) != "state 1" || len(saga.Journal) != 1 {
		t.Errorf("the original stands at version %d, state %q, with %d rows of journal (%v)", saga.Version, saga.State, len(saga.Journal), err)
	}
	if tasks, err := original.Tasks(ctx, payments, 0); err != nil || len(tasks) != 1 {
		t.Errorf("the original's queue holds %d tasks (%v)", len(tasks), err)
	}
	if pending, err := original.PendingAlerts(ctx, "pager", 0); err != nil || len(pending) != 1 {
		t.Errorf("%d alerts are pending in the original (%v)", len(pending), err)
	}
	if _, err := original.Join(ctx, "node-b"); err != nil {
		t.Fatal(err)
	}
	if got := commit(clone, "state 4", 4); got != store.Committed {
		t.Errorf("the clone's writer after a join of the original: outcome %d", got)
	}
}

func TestClosedStoreRefuses(t *testing.T) {
	s := memory.New()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Join(t.Context(), "node-a"); err == nil {
		t.Error("a closed store was joined")
	}
	if _, err := s.Stats(t.Context()); err == nil {
		t.Error("a closed store was read")
	}
	if _, err := s.Clone().Join(t.Context(), "node-a"); err != nil {
		t.Errorf("joining what a closed store held: %v", err)
	}
}
