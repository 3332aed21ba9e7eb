package storetest

import (
	"errors"
	"math"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// A counted is a group in words that compare: its sum as text.
type counted struct {
	Group                               string
	Open, Replaying, Replayed, Resolved int64
	FailedAgain, Oldest, Newest         int64
	AtRisk                              string
	Odd                                 int64
	Sample                              store.DeadLetter
}

func countedOf(groups []store.DeadLetterGroup) []counted {
	var out []counted
	for i := range groups {
		g := &groups[i]
		out = append(out, counted{g.Group, g.Open, g.Replaying, g.Replayed, g.Resolved, g.FailedAgain, g.Oldest, g.Newest, g.AtRisk.String(), g.AtRisk.Odd, g.Sample})
	}
	return out
}

func (s *scene) groups() []counted {
	s.Helper()
	return countedOf(must(s.DeadLetterGroups(s.Context()))(s))
}

// move moves a dead letter with its saga's next transition.
func (s *scene) move(d store.DeadLetterID, state unwind.DeadLetterState, item store.ItemID) {
	s.Helper()
	s.change(d, store.DeadLetterChange{Move: &store.DeadLetterMove{DeadLetterID: d, State: state, At: s.now, Item: item}})
}

func groupsAreCountedExactly(s *scene) {
	s.is("the groups of none", s.groups(), []counted(nil))
	amount := func(group, amount string) store.DeadLetter {
		return s.died(func(d *store.DeadLetter) { d.Group, d.Amount = group, amount })
	}
	first := amount("g2", "0.10")
	again := amount("g2", "0.20")
	amount("g2", "1e2")
	resolved := amount("g2", "1000")
	replaying := amount("g2", "-3")
	done := amount("g1", "1")
	newest := amount("g2", "")
	s.move(again.DeadLetterID, unwind.DeadLetterReplaying, store.ItemID{})
	again.UpdatedAt, again.DeadAt = s.now, s.now
	s.change(again.DeadLetterID, store.DeadLetterChange{Open: &again})
	s.move(resolved.DeadLetterID, unwind.DeadLetterResolved, store.ItemID{})
	s.move(replaying.DeadLetterID, unwind.DeadLetterReplaying, store.ItemID{})
	s.move(done.DeadLetterID, unwind.DeadLetterReplaying, store.ItemID{})
	s.move(done.DeadLetterID, unwind.DeadLetterReplayed, store.ItemID{})
	again.Replays = 1
	_ = newest
	s.is("the groups", s.groups(), []counted{
		{Group: "g1", Replayed: 1, Newest: done.DeadAt, Sample: s.deadLetter(done.DeadLetterID)},
		{Group: "g2", Open: 4, Replaying: 1, Resolved: 1, FailedAgain: 1, Oldest: first.DeadAt, Newest: again.DeadAt, AtRisk: "97.30", Sample: again},
	})
}

func amountsAreAddedExactly(s *scene) {
	for _, amount := range []string{"9223372036854775807", "0.00000000000000000001", "9223372036854775807", "123456789012345678901234567890", "1e999999999", "1E-99", "0.000000000000000000001"} {
		s.died(func(d *store.DeadLetter) { d.Amount = amount })
	}
	g := s.groups()[0]
	s.is("the sum", g.AtRisk, "123456789030792422974944119504.00000000000000000001")
	s.is("how many can't be added", g.Odd, int64(3))
}

func noteIsKeptWithItsAuditRow(s *scene) {
	d := s.died(nil)
	audit := store.Audit{At: 1, Actor: "ada", Action: "note", Target: d.Name(), Reason: "looking"}
	notes := []store.Note{{At: 1, By: "ada", Text: "looking", Owner: "ada"}, {At: 2, By: "bob", Text: "the bank is asked"}}
	for _, n := range notes {
		if err := s.AddNote(s.Context(), s.epoch, d.DeadLetterID, n, audit); err != nil {
			s.Fatal(err)
		}
	}
	s.is("the notes, oldest first", must(s.Notes(s.Context(), d.DeadLetterID))(s), notes)
	s.is("the owner", s.deadLetter(d.DeadLetterID).Owner, "ada")
	rows, _ := mustPage(s.Audit(s.Context(), store.AuditFilter{}))(s)
	s.is("how many audit rows there are", len(rows), 2)
	again := d
	again.DeadAt = s.now
	s.change(d.DeadLetterID, store.DeadLetterChange{Open: &again})
	s.is("the owner once it has died again", s.deadLetter(d.DeadLetterID).Owner, "ada")
	other := d.DeadLetterID
	other.Step++
	if err := s.AddNote(s.Context(), s.epoch, other, notes[0], audit); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("a note on no dead letter: %v", err)
	}
	s.is("the notes on no dead letter", must(s.Notes(s.Context(), other))(s), []store.Note(nil))
	rows, _ = mustPage(s.Audit(s.Context(), store.AuditFilter{}))(s)
	s.is("how many audit rows there are", len(rows), 2)
}

func lastNotesAreRead(s *scene) {
	d := s.died(nil)
	for i := range int64(store.MaxNotes + 3) {
		if err := s.AddNote(s.Context(), s.epoch, d.DeadLetterID, store.Note{At: i, Text: "x"}, store.Audit{}); err != nil {
			s.Fatal(err)
		}
	}
	notes := must(s.Notes(s.Context(), d.DeadLetterID))(s)
	s.is("how many notes are read", len(notes), store.MaxNotes)
	s.is("the oldest of them", notes[0].At, int64(3))
}

func deadLettersArePagedOldestFirst(s *scene) {
	var want []store.DeadLetter
	for range 12 {
		want = append(want, s.died(nil))
	}
	early := s.died(func(d *store.DeadLetter) { d.DeadAt = math.MinInt64 })
	bound := s.died(nil).DeadAt
	want = append([]store.DeadLetter{early}, want...)
	for _, size := range []int{1, 5, 12, 13, 14} {
		s.is("the dead letters page by page", pages(s, size, func(cursor string, limit int) ([]store.DeadLetter, string, error) {
			return s.DeadLetters(s.Context(), store.DeadLetterFilter{Before: bound, OldestFirst: true, Cursor: cursor, Limit: limit})
		}), want)
	}
	_, next := mustPage(s.DeadLetters(s.Context(), store.DeadLetterFilter{Limit: 1}))(s)
	if _, _, err := s.DeadLetters(s.Context(), store.DeadLetterFilter{OldestFirst: true, Cursor: next}); unwind.CodeOf(err) != unwind.InvalidRequest {
		s.Errorf("a cursor of the other order: %v", err)
	}
}
