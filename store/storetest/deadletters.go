package storetest

import (
	"errors"
	"math"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// dead returns a dead letter that died now.
func (s *scene) dead(t store.Transition, step int, d unwind.Direction) store.DeadLetter {
	return store.DeadLetter{
		DeadLetterID: store.DeadLetterID{Saga: t.Saga, Step: step, Direction: d},
		SagaType:     "place-order", Tenant: "acme", StepName: "charge", Service: "payments",
		Key: t.Saga.String() + "/charge/" + string(d), Attempts: 30, Throttled: 4, FirstAt: s.now - 9*second, DeadAt: s.now,
		Error: unwind.CallError{Status: 500, Class: unwind.ClassUncertain, Message: "boom"},
		Group: "g1", State: unwind.DeadLetterOpen, Amount: "12.50", UpdatedAt: s.now,
	}
}

// died starts a saga with the dead letter.
func (s *scene) died(change func(*store.DeadLetter)) store.DeadLetter {
	t := s.anonymous()
	d := s.dead(t, 1, unwind.Compensation)
	if change != nil {
		change(&d)
	}
	t.Phase, t.Due = deadLettered, store.AtRest
	t.DeadLetters = []store.DeadLetterChange{{Open: &d}}
	s.committed(t)
	return d
}

// change writes a dead letter's change with its saga's next transition.
func (s *scene) change(d store.DeadLetterID, changes ...store.DeadLetterChange) {
	s.Helper()
	saga := s.load(d.Saga)
	s.committed(store.Transition{
		Saga: saga.ID, Version: saga.Version + 1, Phase: saga.Phase, At: s.tick(), DeadLetters: changes,
	})
}

func (s *scene) deadLetter(d store.DeadLetterID) store.DeadLetter {
	s.Helper()
	return must(s.DeadLetter(s.Context(), d))(s)
}

func (s *scene) deadLetters(f store.DeadLetterFilter) []store.DeadLetter {
	s.Helper()
	letters, next := mustPage(s.DeadLetters(s.Context(), f))(s)
	s.is("the cursor behind the last page", next, "")
	return letters
}

func deadLetterIsReadBackAsItWasOpened(s *scene) {
	d := s.died(func(d *store.DeadLetter) { d.By, d.Reason, d.Evidence = "ada", "why", "ticket 7" })
	s.is("the dead letter", s.deadLetter(d.DeadLetterID), d)
	s.is("the list", s.deadLetters(store.DeadLetterFilter{}), []store.DeadLetter{d})
	other := d.DeadLetterID
	other.Direction = unwind.Action
	if _, err := s.DeadLetter(s.Context(), other); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("finding the other direction's dead letter: %v", err)
	}
	other = d.DeadLetterID
	other.Step++
	if _, err := s.DeadLetter(s.Context(), other); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("finding the next step's dead letter: %v", err)
	}
}

func moveChangesTheStateAndWhoDidIt(s *scene) {
	d := s.died(func(d *store.DeadLetter) { d.Evidence = "ticket 7" })
	s.change(d.DeadLetterID, store.DeadLetterChange{Move: &store.DeadLetterMove{
		DeadLetterID: d.DeadLetterID, State: unwind.DeadLetterReplaying, By: "ada", Reason: "fixed", At: s.now,
	}})
	d.State, d.By, d.Reason, d.UpdatedAt, d.Replays = unwind.DeadLetterReplaying, "ada", "fixed", s.now-second, 1
	s.is("the replaying dead letter", s.deadLetter(d.DeadLetterID), d)
	s.change(d.DeadLetterID, store.DeadLetterChange{Move: &store.DeadLetterMove{
		DeadLetterID: d.DeadLetterID, State: unwind.DeadLetterReplayed, At: s.now,
	}})
	d.State, d.UpdatedAt = unwind.DeadLetterReplayed, s.now-second
	s.is("the replayed dead letter", s.deadLetter(d.DeadLetterID), d)
}

func moveOfNoneChangesNothing(s *scene) {
	t := s.committed(s.anonymous())
	none := s.dead(t, 1, unwind.Action).DeadLetterID
	s.change(none, store.DeadLetterChange{Move: &store.DeadLetterMove{DeadLetterID: none, State: unwind.DeadLetterResolved, At: 1}})
	s.is("the dead letters", s.deadLetters(store.DeadLetterFilter{}), []store.DeadLetter{})
	s.is("the saga's version", s.load(t.Saga).Version, uint64(2))
}

func deadLetterOpensAnew(s *scene) {
	d := s.died(func(d *store.DeadLetter) { d.By, d.Reason, d.Evidence = "ada", "fixed", "ticket 7" })
	younger := s.died(nil)
	s.change(d.DeadLetterID, store.DeadLetterChange{Move: &store.DeadLetterMove{
		DeadLetterID: d.DeadLetterID, State: unwind.DeadLetterReplaying, By: "bob", At: s.now,
	}})
	again := d
	again.DeadAt, again.UpdatedAt, again.Attempts, again.By, again.Reason, again.Evidence = s.now, s.now, 60, "", "", ""
	s.change(d.DeadLetterID, store.DeadLetterChange{Open: &again})
	again.Replays = 1
	s.is("the dead letter", s.deadLetter(d.DeadLetterID), again)
	s.is("the list", s.deadLetters(store.DeadLetterFilter{}), []store.DeadLetter{again, younger})
	s.is("how many are open", must(s.Stats(s.Context()))(s).DeadLettersOpen, int64(2))
}

func changesOfOneDeadLetterApplyInTheirOrder(s *scene) {
	t := s.committed(s.anonymous())
	d := s.dead(t, 1, unwind.Compensation)
	s.change(d.DeadLetterID,
		store.DeadLetterChange{Move: &store.DeadLetterMove{DeadLetterID: d.DeadLetterID, State: unwind.DeadLetterResolved, At: 1}},
		store.DeadLetterChange{Open: &d},
		store.DeadLetterChange{Move: &store.DeadLetterMove{DeadLetterID: d.DeadLetterID, State: unwind.DeadLetterResolved, By: "ada", At: 2}},
	)
	d.State, d.By, d.UpdatedAt = unwind.DeadLetterResolved, "ada", 2
	s.is("the dead letter", s.deadLetter(d.DeadLetterID), d)
}

func everyDeadLetterFilterSelects(s *scene) {
	a := s.died(nil)
	b := s.died(func(d *store.DeadLetter) { d.SagaType = "refund" })
	c := s.died(func(d *store.DeadLetter) { d.Service = "shipping" })
	d := s.died(func(d *store.DeadLetter) { d.Group = "g2" })
	e := s.died(nil)
	move := store.DeadLetterMove{DeadLetterID: e.DeadLetterID, State: unwind.DeadLetterResolved, By: "ada", At: s.now}
	s.change(e.DeadLetterID, store.DeadLetterChange{Move: &move})
	e.State, e.By, e.UpdatedAt = unwind.DeadLetterResolved, "ada", move.At
	for _, c := range []struct {
		what   string
		filter store.DeadLetterFilter
		want   []store.DeadLetter
	}{
		{"all", store.DeadLetterFilter{}, []store.DeadLetter{e, d, c, b, a}},
		{"saga type", store.DeadLetterFilter{SagaType: "refund"}, []store.DeadLetter{b}},
		{"service", store.DeadLetterFilter{Service: "shipping"}, []store.DeadLetter{c}},
		{"group", store.DeadLetterFilter{Group: "g2"}, []store.DeadLetter{d}},
		{"state open", store.DeadLetterFilter{State: unwind.DeadLetterOpen}, []store.DeadLetter{d, c, b, a}},
		{"state resolved", store.DeadLetterFilter{State: unwind.DeadLetterResolved}, []store.DeadLetter{e}},
		{"state replayed", store.DeadLetterFilter{State: unwind.DeadLetterReplayed}, nil},
		{"everything at once", store.DeadLetterFilter{SagaType: "place-order", Service: "payments", Group: "g1", State: unwind.DeadLetterOpen}, []store.DeadLetter{a}},
	} {
		s.is(c.what, s.deadLetters(c.filter), c.want)
	}
}

func deadLettersArePagedNewestFirst(s *scene) {
	t := s.anonymous()
	var want []store.DeadLetter
	for i := range 30 { // all of one moment: step and direction decide
		d := s.dead(t, i/2, []unwind.Direction{unwind.Action, unwind.Compensation}[i%2])
		want = append(want, d)
		t.DeadLetters = append(t.DeadLetters, store.DeadLetterChange{Open: &d})
	}
	slices.Reverse(t.DeadLetters)
	s.committed(t)
	for range 10 { // of another moment each
		want = append(want, s.died(nil))
	}
	far := s.died(func(d *store.DeadLetter) { d.DeadAt = math.MaxInt64 })
	want = append(want, far)
	slices.Reverse(want)
	for _, size := range []int{1, 7, 40, 41, 42} {
		s.is("the dead letters page by page", pages(s, size, func(cursor string, limit int) ([]store.DeadLetter, string, error) {
			return s.DeadLetters(s.Context(), store.DeadLetterFilter{Group: "g1", Cursor: cursor, Limit: limit})
		}), want)
	}
}

func deadLetterPagesStayRightWhileOthersDie(s *scene) {
	var want, got []store.DeadLetter
	for range 12 {
		want = append(want, s.died(nil))
	}
	slices.Reverse(want)
	for cursor := ""; ; {
		page, next := mustPage(s.DeadLetters(s.Context(), store.DeadLetterFilter{State: unwind.DeadLetterOpen, Cursor: cursor, Limit: 5}))(s)
		got = append(got, page...)
		if cursor = next; next == "" {
			break
		}
		s.died(nil)
		// The last of the page is settled; its cursor still leads on.
		last := page[len(page)-1].DeadLetterID
		s.change(last, store.DeadLetterChange{Move: &store.DeadLetterMove{DeadLetterID: last, State: unwind.DeadLetterResolved, At: s.now}})
	}
	s.is("what was listed", got, want)
}
