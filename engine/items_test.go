package engine

import (
	"context"
	"testing"

	"github.com/unwindhq/unwind/store"
)

type countedItems struct {
	store.Store
	counts int
}

func (s *countedItems) CountItems(context.Context, int64, int64) ([]store.ItemCount, error) {
	s.counts++
	return []store.ItemCount{{Outcome: store.ItemQueued, Items: 7}}, nil
}

// Who watches an operation does not have its items counted each time; one that has come to
// rest is told as it is.
func TestTheItemsOfARunningOperationAreCountedForAllWhoWatch(t *testing.T) {
	counted := &countedItems{}
	e := &Engine{store: counted}
	for state, want := range map[store.OperationState]int{store.OperationRunning: 1, store.OperationFinished: 3} {
		counted.counts = 0
		for range 3 {
			rows, err := e.recentItems(t.Context(), &store.Operation{ID: 1, State: state})
			if err != nil || len(rows) != 1 || rows[0].Items != 7 {
				t.Fatalf("%v, %v", rows, err)
			}
		}
		if counted.counts != want {
			t.Errorf("%s: counted %d times, want %d", state, counted.counts, want)
		}
	}
	for id := range int64(3 * mostTallies) {
		if _, err := e.recentItems(t.Context(), &store.Operation{ID: id, State: store.OperationRunning}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(e.items.running); n > mostTallies {
		t.Errorf("%d operations are remembered, %d at most", n, mostTallies)
	}
}
