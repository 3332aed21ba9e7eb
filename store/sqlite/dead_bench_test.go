package sqlite

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

const (
	manyDead   = 100_000
	deadWithin = 300 * time.Millisecond
)

// With 100,000 dead letters a page of them and their groups are there at a glance: what
// they cost is time of a processor, so that is judged, whoever else wants it.
func TestFigureManyDeadLettersAreReadAtAGlance(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes 100,000 dead letters, some 2 s; make figures runs it")
	}
	s := opened(t, t.TempDir())
	defer closed(t, s)
	writeDead(t, s)
	reads := map[string]func() error{
		"the groups": func() error {
			groups, err := s.DeadLetterGroups(t.Context())
			if n := int64(0); err == nil {
				for i := range groups {
					n += groups[i].Open + groups[i].Resolved
				}
				if len(groups) != 40 || n != manyDead {
					t.Errorf("%d dead letters in %d groups", n, len(groups))
				}
			}
			return err
		},
	}
	for what, f := range map[string]store.DeadLetterFilter{
		"the newest": {}, "the open": {State: unwind.DeadLetterOpen}, "a group's open": {State: unwind.DeadLetterOpen, Group: "group-07"},
		"a service's": {State: unwind.DeadLetterOpen, Service: "service-3"}, "a saga's resolved": {State: unwind.DeadLetterResolved, SagaType: "saga-3"},
		"those of a service that has none": {State: unwind.DeadLetterOpen, Service: "none"}, "the oldest": {OldestFirst: true, State: unwind.DeadLetterOpen},
	} {
		reads["a page: "+what] = func() error {
			_, _, err := s.DeadLetters(t.Context(), f)
			return err
		}
	}
	for what, read := range reads {
		var took []time.Duration
		for range 5 {
			before := cpuTime()
			if err := read(); err != nil {
				t.Fatal(err)
			}
			took = append(took, cpuTime()-before)
		}
		slices.Sort(took)
		t.Logf("%-45s %v (median of %d, at most %v)", what, took[2].Round(100*time.Microsecond), len(took), took[4].Round(100*time.Microsecond))
		if took[2] > deadWithin {
			t.Errorf("%s took %v; the most is %v", what, took[2], deadWithin)
		}
	}
}

// writeDead writes the dead letters of as many sagas, in 40 groups; one in ten is resolved.
func writeDead(t *testing.T, s *Store) {
	t.Helper()
	epoch, err := s.Join(t.Context(), "node-a")
	if err != nil {
		t.Fatal(err)
	}
	at := int64(0)
	ids := id.NewSource(func() time.Time { return time.UnixMicro(at) }, nil)
	for n := 0; n < manyDead; {
		b := store.Batch{Epoch: epoch, Node: "node-a"}
		for range 1000 {
			at += 1000
			saga := ids.New(0)
			d := store.DeadLetter{
				DeadLetterID: store.DeadLetterID{Saga: saga, Step: 1, Direction: unwind.Compensation}, SagaType: fmt.Sprint("saga-", n%8),
				StepName: "charge", Service: fmt.Sprint("service-", n%5), Key: saga.String() + "/charge/compensation", Attempts: 30, FirstAt: at, DeadAt: at,
				Error: unwind.CallError{Status: 500, Class: unwind.ClassUncertain, Message: "the ledger is being closed for the night; try again in the morning"},
				Group: fmt.Sprintf("group-%02d", n%40), State: unwind.DeadLetterOpen, Amount: fmt.Sprintf("%d.%02d", n%1000, n%100), UpdatedAt: at,
			}
			if n%10 == 9 {
				d.State = unwind.DeadLetterResolved
			}
			b.Transitions = append(b.Transitions, store.Transition{
				Saga: saga, Version: 1, Start: &store.Start{Name: d.SagaType}, Due: store.AtRest, SetDue: true, At: at, Phase: 4,
				DeadLetters: []store.DeadLetterChange{{Open: &d}},
			})
			n++
		}
		if _, err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
}
