package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// again starts what run("o-1") did, with the same amount or another.
func (w *world) again(amount string) (*unwind.Instance, bool, error) {
	w.t.Helper()
	return w.Start(w.t.Context(), unwind.StartRequest{Saga: "place-order", Key: "o-1", Input: json.RawMessage(`{"amount":` + amount + `,"order":"o-1"}`), Wait: eventually})
}

func (s *stage) deleted(id string) {
	s.t.Helper()
	s.until("it is not deleted", func() bool {
		_, err := s.Get(s.t.Context(), id)
		return unwind.CodeOf(err) == unwind.NotFound
	})
}

// G1: the key of a saga that is deleted is answered as before, over restarts, until
// its own retention is over.
func TestAKeyOutlivesItsSaga(t *testing.T) {
	t.Parallel()
	s := newStage(t, placeOrder(), "ship:409", nil)
	const amount = "12345678901234567890" // as run has it
	was := s.run("o-1")
	keyless := s.run("")
	s.drop()
	s.cfg.Retention, s.cfg.KeyRetention = unwind.Millisecond, unwind.Hour
	s.open()
	s.deleted(was.ID)
	s.deleted(keyless.ID)
	calls := s.calls()
	for range 2 {
		inst, created, err := s.again(amount)
		if err != nil || created || !inst.Purged || inst.ID != was.ID || inst.Version != was.Version || inst.Status != unwind.Compensated ||
			len(inst.Steps) != 0 || inst.CreatedAt != was.CreatedAt || inst.UpdatedAt != was.UpdatedAt {
			t.Fatalf("the same start again: %+v, created %v, %v; it was %+v", inst, created, err, was)
		}
		if _, _, err := s.again("1"); unwind.CodeOf(err) != unwind.KeyReused {
			t.Errorf("a start with another input: %v", err)
		}
		s.drop()
		s.open()
	}
	if got := s.calls(); got != calls {
		t.Errorf("the calls were %s, and then %s", calls, got)
	}
	s.drop()
	s.cfg.KeyRetention = 0 // as Retention
	s.open()
	s.until("the key is not free", func() bool {
		inst, created, err := s.again("1")
		return err == nil && created && !inst.Purged && inst.ID != was.ID
	})
}

// A key that becomes free between the answer of the store and the reading of its saga.
func TestAKeyThatHasJustBecomeFreeIsToBeTriedAgain(t *testing.T) {
	w, st := newFaultyWorld(t, placeOrder(), "")
	w.run("o-1")
	st.set(func(f *faultyStore) { f.read = store.ErrNotFound })
	_, _, err := w.again("12345678901234567890")
	if after, is := isCode(err, unwind.Overloaded); !is || after <= 0 {
		t.Errorf("got %v", err)
	}
}
