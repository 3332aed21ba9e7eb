package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

func TestReadinessIsTheNodesOwnState(t *testing.T) {
	w, st := newFaultyWorld(t, placeOrder(), "charge:never")
	if err := w.Writable(t.Context()); err != nil || w.Running() != nil {
		t.Fatalf("well, it says %v and %v", err, w.Running())
	}
	st.set(func(f *faultyStore) { f.commit = errDisk })
	if _, _, err := w.Start(t.Context(), unwind.StartRequest{Saga: "place-order"}); err == nil {
		t.Fatal("a start was taken")
	}
	if err := w.Writable(t.Context()); err == nil || !strings.Contains(err.Error(), errDisk.Error()) || w.Running() != nil {
		t.Errorf("on a full disk it says %v and %v", err, w.Running())
	}
	st.set(func(f *faultyStore) { f.commit = nil })
	w.until("it starts nothing", func() bool {
		_, _, err := w.Start(t.Context(), unwind.StartRequest{Saga: "place-order"})
		return err == nil
	})
	if err := w.Writable(t.Context()); err != nil {
		t.Errorf("well again, it says %v", err)
	}
	st.set(func(f *faultyStore) { f.commit = fmt.Errorf("committing: %w", store.ErrFenced) })
	_, _, _ = w.Start(t.Context(), unwind.StartRequest{Saga: "place-order"})
	<-w.Done()
	for _, err := range []error{w.Running(), w.Writable(t.Context())} {
		if unwind.CodeOf(err) != unwind.StoreUnavailable || !strings.Contains(err.Error(), "another process has taken over") {
			t.Errorf("fenced, it says %v", err)
		}
	}
}

// Nothing is asked of an idle engine: readiness tries the store itself.
func TestReadinessTriesTheStoreOfAnIdleEngine(t *testing.T) {
	w, st := newFaultyWorld(t, placeOrder(), "")
	st.set(func(f *faultyStore) { f.commit = errDisk })
	if err := w.Writable(t.Context()); unwind.CodeOf(err) != unwind.StoreUnavailable || !strings.Contains(err.Error(), errDisk.Error()) {
		t.Errorf("on a full disk it says %v", err)
	}
	st.set(func(f *faultyStore) { f.commit = nil })
	if err := w.Writable(t.Context()); err != nil {
		t.Errorf("well again, it says %v", err)
	}
}

func TestAnEngineThatIsBeingClosedIsNotReady(t *testing.T) {
	w, _ := newFaultyWorld(t, placeOrder(), "")
	stop(t, w.Engine)
	if err := w.Running(); unwind.CodeOf(err) != unwind.StoreUnavailable {
		t.Errorf("it says %v", err)
	}
}

// A start that was cut off may be there all the same: its error says so, and that
// the same key makes it safe.
func TestAStartOfUnknownOutcomeSaysThatItMayExist(t *testing.T) {
	inner := memory.New()
	st := &faultyStore{Store: inner}
	w := newWorld(t, placeOrder(), "", func(cfg *engine.Config) { cfg.Store = st })
	st.set(func(f *faultyStore) { f.after = store.ErrFatal })
	req := unwind.StartRequest{Saga: "place-order", Key: "o-1"}
	_, _, err := w.Start(t.Context(), req)
	after, is := isCode(err, unwind.StoreUnavailable)
	if !is || after <= 0 || !strings.Contains(err.Error(), "may exist") || !strings.Contains(err.Error(), "the same key") {
		t.Errorf("the start got %v, to be made again after %s", err, after)
	}
	found := inner.Clone()
	next := newWorld(t, placeOrder(), "", func(cfg *engine.Config) { cfg.Store = found })
	if _, created, err := next.Start(t.Context(), req); err != nil || created {
		t.Errorf("made again, it began another one: %v, error %v", created, err)
	}
	if _, _, err := w.Start(t.Context(), req); unwind.CodeOf(err) != unwind.StoreUnavailable || !strings.Contains(err.Error(), "nothing was begun") {
		t.Errorf("a start after the stop got %v", err)
	}
}
