package storetest

import (
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

func (s *scene) list(f store.Filter) []id.ID {
	s.Helper()
	sagas, next := mustPage(s.List(s.Context(), f))(s)
	s.is("the cursor behind the last page", next, "")
	return sagaIDs(sagas)
}

func sagasAreListedNewestFirst(s *scene) {
	first := s.committed(s.start("place-order", "acme", "ORD-1", `{"total":1}`))
	second := s.committed(s.anonymous())
	s.committed(s.then(first)) // what moves last does not count
	listed, _ := mustPage(s.List(s.Context(), store.Filter{}))(s)
	s.is("the order", sagaIDs(listed), []id.ID{second.Saga, first.Saga})
	want := s.load(first.Saga)
	want.Journal = want.Journal[:1]
	s.is("a listed saga, with the first row of its journal", listed[1], want)
}

// The ids of one millisecond differ in their counter only, and their slots
// would put them in another order.
func sagasOfOneMillisecondKeepTheirOrder(s *scene) {
	var want []id.ID
	for range 50 {
		t := s.anonymous()
		s.now -= second
		t.Saga = s.ids.New(len(want) * 379 % id.Slots)
		s.committed(t)
		want = append(want, t.Saga)
	}
	s.is("what is due", sagaIDs(s.claim(store.Active, id.ID{}, 0, 0)), want)
	slices.Reverse(want)
	s.is("the list", s.list(store.Filter{}), want)
}

func everyFilterSelects(s *scene) {
	order := s.committed(s.start("place-order", "acme", "ORD-1", `{}`))
	other := s.committed(s.start("place-order", "globex", "ORD-1", `{}`))
	refund := s.committed(s.start("refund", "acme", "R-1", `{}`))
	none := s.committed(s.start("refund", "", "", `{}`))
	end := s.then(order)
	end.Phase, end.Due, end.SetDue = compensated, store.AtRest, true
	s.committed(end)
	phase := func(p uint8) *uint8 { return &p }
	for _, c := range []struct {
		what   string
		filter store.Filter
		want   []store.Transition
	}{
		{"all", store.Filter{}, []store.Transition{none, refund, other, order}},
		{"phase running", store.Filter{Phase: phase(running)}, []store.Transition{none, refund, other}},
		{"phase compensated", store.Filter{Phase: phase(compensated)}, []store.Transition{order}},
		{"phase completed", store.Filter{Phase: phase(completed)}, nil},
		{"name", store.Filter{Name: "refund"}, []store.Transition{none, refund}},
		{"tenant", store.Filter{Tenant: "acme"}, []store.Transition{refund, order}},
		{"key", store.Filter{Key: "ORD-1"}, []store.Transition{other, order}},
		{"since", store.Filter{Since: refund.At}, []store.Transition{none, refund}},
		{"since a moment later", store.Filter{Since: refund.At + 1}, []store.Transition{none}},
		{"tenant and key", store.Filter{Tenant: "acme", Key: "ORD-1"}, []store.Transition{order}},
		{"everything at once", store.Filter{Phase: phase(running), Name: "refund", Tenant: "acme", Key: "R-1", Since: begin}, []store.Transition{refund}},
		{"a name that does not exist", store.Filter{Name: "place"}, nil},
	} {
		s.is(c.what, s.list(c.filter), idsOf(c.want))
	}
}

func pagesOfAListAreItsParts(s *scene) {
	var want []id.ID
	for i := range 25 {
		t := s.start([]string{"place-order", "refund"}[i%2], "", "", `{}`)
		s.committed(t)
		want = append(want, t.Saga)
	}
	slices.Reverse(want)
	var refunds []id.ID
	for i := 1; i < len(want); i += 2 {
		refunds = append(refunds, want[i])
	}
	for _, size := range []int{1, 5, 12, 24, 25, 26} {
		s.is("the list page by page", sagaIDs(pages(s, size, func(cursor string, limit int) ([]store.Saga, string, error) {
			return s.List(s.Context(), store.Filter{Cursor: cursor, Limit: limit})
		})), want)
		s.is("the filtered list page by page", sagaIDs(pages(s, size, func(cursor string, limit int) ([]store.Saga, string, error) {
			return s.List(s.Context(), store.Filter{Name: "refund", Cursor: cursor, Limit: limit})
		})), refunds)
	}
}

func pagesStayRightWhileSagasStart(s *scene) {
	var want, got []id.ID
	for range 20 {
		want = append(want, s.committed(s.anonymous()).Saga)
	}
	slices.Reverse(want)
	for cursor := ""; ; {
		page, next := mustPage(s.List(s.Context(), store.Filter{Cursor: cursor, Limit: 3}))(s)
		got = append(got, sagaIDs(page)...)
		if cursor = next; next == "" {
			break
		}
		s.committed(s.anonymous())
	}
	s.is("what was listed", got, want)
}

func statsCountWhatIsStored(s *scene) {
	s.is("the stats of an empty store", must(s.Stats(s.Context()))(s), unwind.Stats{})
	for _, phase := range []uint8{running, running, compensating, completed, compensated, compensated, compensated, deadLettered} {
		t := s.anonymous()
		t.Phase = phase
		s.committed(t)
	}
	busy := s.full(s.anonymous())
	busy.Tasks = append(busy.Tasks, put(busy, 2, stock, 1), put(busy, 3, stock, 1))
	resolved := s.dead(busy, 1, unwind.Compensation)
	resolved.State = unwind.DeadLetterResolved
	busy.DeadLetters = append(busy.DeadLetters, store.DeadLetterChange{Open: &resolved})
	s.committed(busy)
	stats := must(s.Stats(s.Context()))(s)
	s.is("the stats", stats, unwind.Stats{
		Sagas:           map[unwind.Status]int64{unwind.Running: 3, unwind.Compensating: 1, unwind.Completed: 1, unwind.Compensated: 3, unwind.DeadLettered: 1},
		DeadLettersOpen: 1, Compensations: 3, AlertsPending: 1,
	})
}
