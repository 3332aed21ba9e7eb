package storetest

import (
	"fmt"

	"github.com/unwindhq/unwind/store"
)

// row is a transition's row as Journal gives it.
func (s *scene) row(start, t store.Transition) store.JournalRow {
	return store.JournalRow{
		Saga: t.Saga, Name: start.Start.Name, Version: start.Start.Version,
		Epoch: s.epoch, Node: "node-a", At: t.At, Body: t.Journal,
	}
}

func journalIsInTheOrderOfCommits(s *scene) {
	a, b := s.start("place-order", "", "", `{}`), s.start("refund", "", "", `{}`)
	s.committed(b) // the younger id first
	s.committed(a)
	b2, a2 := s.then(b), s.then(a)
	b3 := s.then(b2)
	lost := s.then(a2)
	lost.Version = 9
	s.commit(b2, a2, lost, b3)
	rows, _ := mustPage(s.Journal(s.Context(), "", 0))(s)
	s.is("the journal", rows, []store.JournalRow{s.row(b, b), s.row(a, a), s.row(b, b2), s.row(a, a2), s.row(b, b3)})
}

func everyTransitionHasOneRow(s *scene) {
	t := s.anonymous()
	t.Journal = nil
	s.committed(t)
	rows, _ := mustPage(s.Journal(s.Context(), "", 0))(s)
	s.is("the journal of a transition without entries", rows, []store.JournalRow{s.row(t, t)})
}

func journalOfASagaIsOldestFirst(s *scene) {
	one, two := s.committed(s.anonymous()), s.committed(s.anonymous())
	a, b := one, two
	for range 12 {
		a, b = s.then(a), s.then(b)
		s.commit(b, a)
	}
	saga := s.load(one.Saga)
	s.is("how many rows there are", len(saga.Journal), 13)
	for i, row := range saga.Journal[1:] {
		s.is("the row", string(row.Body), fmt.Sprintf(`[{"k":"step","n":%d}]`, i+2))
		s.is("its saga", row.Saga, one.Saga)
	}
	s.is("the first row", saga.Journal[0].Body, one.Journal)
}

func journalResumesWhereItEnded(s *scene) {
	var want []store.JournalRow
	resume := map[int]string{}
	for i := range 40 {
		t := s.committed(s.anonymous())
		want = append(want, s.row(t, t))
		_, resume[i+1] = mustPage(s.Journal(s.Context(), "now", 0))(s)
	}
	for _, size := range []int{1, 3, 39, 40, 41} {
		s.is("the journal page by page", must(journalFrom(s.Context(), s.Store, "", size))(s), want)
	}
	for n, cursor := range resume {
		s.is(fmt.Sprintf("the journal past row %d", n), must(journalFrom(s.Context(), s.Store, cursor, 7))(s), want[n:])
	}
	_, end := mustPage(s.Journal(s.Context(), resume[35], 0))(s)
	rows, same := mustPage(s.Journal(s.Context(), end, 0))(s)
	s.is("what lies past the end", rows, []store.JournalRow{})
	last := s.committed(s.anonymous())
	for _, cursor := range []string{end, same} {
		s.is("what came after the end was read", must(journalFrom(s.Context(), s.Store, cursor, 7))(s), []store.JournalRow{s.row(last, last)})
	}
}

func nowIsTheJournalsEnd(s *scene) {
	s.committed(s.anonymous())
	rows, next := mustPage(s.Journal(s.Context(), "now", 10))(s)
	s.is("the rows past now", rows, []store.JournalRow{})
	later := s.committed(s.anonymous())
	s.is("what came after now", must(journalFrom(s.Context(), s.Store, next, 10))(s), []store.JournalRow{s.row(later, later)})
}

func emptyJournalGivesACursorThatResumes(s *scene) {
	_, first := mustPage(s.Journal(s.Context(), "", 10))(s)
	_, now := mustPage(s.Journal(s.Context(), "now", 10))(s)
	t := s.committed(s.anonymous())
	for _, cursor := range []string{first, now} {
		if cursor == "" {
			s.Fatal("the journal's next cursor is empty; it resumes where the rows end")
		}
		s.is("what came after nothing", must(journalFrom(s.Context(), s.Store, cursor, 10))(s), []store.JournalRow{s.row(t, t)})
	}
}

// A sink reads slowly while sagas are purged around its cursor.
func journalCursorSurvivesAPurge(s *scene) {
	var kept []store.JournalRow
	var cursors []string
	for i := range 12 {
		t := s.anonymous()
		if i%3 != 0 {
			t.Phase, t.Due = completed, store.AtRest
		}
		s.committed(t)
		if i%3 == 0 && i >= 6 {
			kept = append(kept, s.row(t, t))
		}
		if i == 5 || i == 4 {
			_, next := mustPage(s.Journal(s.Context(), "now", 0))(s)
			cursors = append(cursors, next)
		}
	}
	s.is("how many were purged", s.purge(s.now+second, 0), 8)
	for _, cursor := range cursors {
		s.is("what lies past the cursor", must(journalFrom(s.Context(), s.Store, cursor, 2))(s), kept)
	}
	t := s.committed(s.anonymous())
	s.is("what lies past the cursor later", must(journalFrom(s.Context(), s.Store, cursors[0], 2))(s), append(kept, s.row(t, t)))
}

// The last rows are purged; those that come after them must not be taken for them.
func journalNumbersAreNotGivenTwice(s *scene) {
	s.committed(s.anonymous())
	t := s.anonymous()
	t.Phase, t.Due = completed, store.AtRest
	s.committed(t)
	_, cursor := mustPage(s.Journal(s.Context(), "", 0))(s)
	s.is("how many were purged", s.purge(s.now+second, 0), 1)
	later := s.committed(s.anonymous())
	s.is("what lies past the cursor", must(journalFrom(s.Context(), s.Store, cursor, 2))(s), []store.JournalRow{s.row(later, later)})
}
