package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// dueAt starts a saga that is due then.
func (s *scene) dueAt(due int64) store.Transition {
	t := s.anonymous()
	t.Due = due
	return s.committed(t)
}

func (s *scene) claim(afterDue int64, after id.ID, until int64, limit int) []store.Saga {
	s.Helper()
	return must(s.ClaimDue(s.Context(), afterDue, after, until, limit))(s)
}

func sagasAreClaimedInTheOrderOfDue(s *scene) {
	late, active, soon, alsoActive := s.dueAt(30), s.dueAt(store.Active), s.dueAt(10), s.dueAt(store.Active)
	s.dueAt(store.AtRest)
	s.is("all that is due", sagaIDs(s.claim(store.Active, id.ID{}, math.MaxInt64, 0)), idsOf([]store.Transition{active, alsoActive, soon, late}))
	s.is("what is due by 10", sagaIDs(s.claim(store.Active, id.ID{}, 10, 0)), idsOf([]store.Transition{active, alsoActive, soon}))
	s.is("what is due by 9", sagaIDs(s.claim(store.Active, id.ID{}, 9, 0)), idsOf([]store.Transition{active, alsoActive}))
	s.is("what comes after the first", sagaIDs(s.claim(store.Active, active.Saga, 10, 0)), idsOf([]store.Transition{alsoActive, soon}))
	s.is("what comes after all that is active", sagaIDs(s.claim(store.Active, id.Last, math.MaxInt64, 0)), idsOf([]store.Transition{soon, late}))
	s.is("the first two", sagaIDs(s.claim(store.Active, id.ID{}, math.MaxInt64, 2)), idsOf([]store.Transition{active, alsoActive}))
}

// A page of large inputs has fewer sagas than its limit, and none is missed.
func pagesOfClaimsAreBoundInBytes(s *scene) {
	const size = store.ClaimBytes / 8
	input := `"` + strings.Repeat("x", size-2) + `"`
	var want []id.ID
	for i := range 11 {
		t := s.start("place-order", "acme", fmt.Sprintf("ORD-%d", i), input)
		t.Due = int64(i)
		want = append(want, s.committed(t).Saga)
	}
	s.is("how many large sagas one page has", len(s.claim(store.Active, id.ID{}, math.MaxInt64, 1000)), 8)
	s.is("what is claimed page by page", sagaIDs(must(claimAll(s.Context(), s.Store, 1000))(s)), want)
}

func sagaAtRestIsNeverClaimed(s *scene) {
	t := s.dueAt(20)
	rest := s.then(t)
	rest.Phase, rest.Due, rest.SetDue = deadLettered, store.AtRest, true
	s.committed(rest)
	s.is("what is due", s.claim(store.Active, id.ID{}, math.MaxInt64, 0), []store.Saga{})
	s.is("what is due after rest", s.claim(math.MinInt64, id.ID{}, math.MaxInt64, 0), []store.Saga{})
	woken := s.then(rest)
	woken.Phase, woken.Due, woken.SetDue = compensating, store.Active, true
	s.committed(woken)
	s.is("what is due once it is replayed", sagaIDs(s.claim(store.Active, id.ID{}, 0, 0)), []id.ID{t.Saga})
}

func claimedSagasAreWholeButForTheirJournal(s *scene) {
	t := s.committed(s.start("place-order", "acme", "ORD-1", `{"total":1}`))
	s.committed(s.then(t))
	want := s.load(t.Saga)
	want.Journal = nil
	s.is("the claimed saga", s.claim(store.Active, id.ID{}, 0, 0)[0], want)
}

func pagesOfManyEqualDuesMissNothing(s *scene) {
	var want []id.ID
	for _, due := range []int64{store.Active, 500, 501} {
		for range 40 {
			want = append(want, s.dueAt(due).Saga)
		}
	}
	for _, size := range []int{1, 7, 40, 119, 120, 121} {
		s.is("what is claimed page by page", sagaIDs(must(claimAll(s.Context(), s.Store, size))(s)), want)
	}
}

// A node takes over page by page while the sagas it took move on.
func pagesStayRightWhileSagasMove(s *scene) {
	byID := map[id.ID]store.Transition{}
	var want, got []id.ID
	for range 30 {
		t := s.dueAt(100)
		byID[t.Saga] = t
		want = append(want, t.Saga)
	}
	due, after := store.Active, id.ID{}
	for {
		page := s.claim(due, after, 100, 4)
		if len(page) == 0 {
			break
		}
		for _, saga := range page {
			moved := s.then(byID[saga.ID])
			moved.Due, moved.SetDue = []int64{store.AtRest, store.Active, 200}[len(got)%3], true
			s.committed(moved)
			got = append(got, saga.ID)
		}
		due, after = page[len(page)-1].Due, page[len(page)-1].ID
		s.dueAt(50) // behind the position: the next round's
	}
	s.is("what was claimed", got, want)
	s.is("what a new round finds first", slices.Contains(want, s.claim(store.Active, id.ID{}, 0, 1)[0].ID), true)
}
