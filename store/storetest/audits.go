package storetest

import (
	"slices"

	"github.com/unwindhq/unwind/store"
)

func auditRowIsWrittenWithWhatItAudits(s *scene) {
	t := s.committed(s.anonymous())
	cancel := s.then(t)
	want := []store.Audit{
		{At: 1, Actor: "ada", Action: "cancel", Target: t.Saga.String(), Reason: "wrong address", Data: []byte(`{"from":"running"}`)},
		{At: 2, Actor: "bob", Action: "pause", Target: "payments"},
		{At: 3, Actor: "bob", Action: "limit", Target: "payments", Data: []byte(`{"rate":"10/s"}`)},
		{At: 4, Actor: "eve", Action: "put", Target: "place-order"},
	}
	cancel.Audit = &want[0]
	s.write(&store.Batch{Transitions: []store.Transition{cancel}, Audit: want[1:3]})
	s.is("whether the definition changed", must(s.PutDefinition(s.Context(), s.epoch, store.Definition{Name: "place-order", Version: "1"}, want[3]))(s), true)
	rows, next := mustPage(s.Audit(s.Context(), store.AuditFilter{}))(s)
	s.is("the cursor behind the last page", next, "")
	slices.Reverse(rows)
	var head store.AuditHead
	for i := range want {
		head = head.Append(&want[i])
	}
	s.is("the audit, oldest first", rows, want)
	s.is("its head", must(s.AuditHead(s.Context()))(s), head)
}

func auditIsPagedNewestFirst(s *scene) {
	var want []int64
	for i := range int64(17) {
		s.write(&store.Batch{Audit: []store.Audit{{At: i, Actor: "ada", Action: "pause"}}})
		want = append([]int64{i}, want...)
	}
	for _, size := range []int{1, 4, 16, 17, 18} {
		rows := pages(s, size, func(cursor string, limit int) ([]store.Audit, string, error) {
			return s.Audit(s.Context(), store.AuditFilter{Cursor: cursor, Limit: limit})
		})
		var got []int64
		for i := range rows {
			got = append(got, rows[i].At)
		}
		s.is("the audit page by page", got, want)
	}
}

// auditRows reads all that a filter selects, page by page, and their times.
func (s *scene) auditRows(f store.AuditFilter) (at []int64, pages int) {
	s.Helper()
	for pages = 1; ; pages++ {
		rows, next := mustPage(s.Audit(s.Context(), f))(s)
		for i := range rows {
			at = append(at, rows[i].At)
		}
		if f.Cursor = next; next == "" {
			return at, pages
		}
	}
}

func auditIsFiltered(s *scene) {
	s.write(&store.Batch{Audit: []store.Audit{
		{At: 1, Actor: "ada", Action: "pause", Target: "service payments"},
		{At: 2, Actor: "bob", Action: "pause", Target: "service payments"},
		{At: 3, Actor: "ada", Action: "resume", Target: "service payments"},
		{At: 5, Actor: "ada", Action: "pause", Target: "service payments (forward)"},
		{At: 4, Actor: "ada", Action: "Pause", Target: "service"}, // by a clock that was set back
	}})
	for _, c := range []struct {
		f    store.AuditFilter
		want []int64
	}{
		{store.AuditFilter{}, []int64{4, 5, 3, 2, 1}},
		{store.AuditFilter{Action: "pause"}, []int64{5, 2, 1}},
		{store.AuditFilter{Actor: "ada"}, []int64{4, 5, 3, 1}},
		{store.AuditFilter{Target: "service payments"}, []int64{3, 2, 1}},
		{store.AuditFilter{Since: 3}, []int64{4, 5, 3}},
		{store.AuditFilter{Since: 5}, []int64{5}},
		{store.AuditFilter{Action: "pause", Actor: "ada", Target: "service payments", Since: 1}, []int64{1}},
		{store.AuditFilter{Action: "paus"}, nil},
		{store.AuditFilter{Actor: "%"}, nil},
	} {
		for _, limit := range []int{1, 2, 5} {
			c.f.Limit = limit
			c.f.Cursor = ""
			newest, _ := s.auditRows(c.f)
			s.is("what is selected, newest first", newest, c.want)
			c.f.Cursor = store.AuditOldest
			oldest, _ := s.auditRows(c.f)
			slices.Reverse(oldest)
			s.is("what is selected, oldest first", oldest, c.want)
		}
	}
}

// What a filter leaves out costs as well: a page ends after so many rows, and the next
// one goes on, up to the rows that are selected.
func auditPageLooksAtSoManyRows(s *scene) {
	rows := make([]store.Audit, store.AuditLook+1)
	for i := range rows {
		rows[i] = store.Audit{At: int64(i), Actor: "ada", Action: "pause"}
	}
	rows[0].Actor, rows[store.AuditLook].Actor = "bob", "eve"
	s.write(&store.Batch{Audit: rows})
	for _, cursor := range []string{"", store.AuditOldest} {
		for actor, want := range map[string][]int64{"bob": {0}, "eve": {store.AuditLook}, "nobody": nil} {
			at, pages := s.auditRows(store.AuditFilter{Actor: actor, Cursor: cursor})
			s.is("the rows of "+actor, at, want)
			s.is("how many pages they are on", pages, 2)
		}
	}
}

func auditIsAChain(s *scene) {
	s.is("an empty audit's head", must(s.AuditHead(s.Context()))(s), store.AuditHead{})
	for i := range int64(17) {
		s.write(&store.Batch{Audit: []store.Audit{{At: i, Actor: "ada", Action: "pause"}, {At: i, Actor: "bob", Data: []byte("{}")}}})
	}
	head := must(s.AuditHead(s.Context()))(s)
	for _, size := range []int{1, 5, 33, 34, 35} {
		check := store.AuditCheck{Known: []store.AuditHead{head}}
		cursor := store.AuditOldest
		for cursor != "" {
			rows, next := mustPage(s.Audit(s.Context(), store.AuditFilter{Cursor: cursor, Limit: size}))(s)
			for i := range rows {
				s.is("what is wrong with a row", check.Next(&rows[i]), []store.AuditFault{})
			}
			cursor = next
		}
		s.is("what is missing at the end", check.End(), []store.AuditFault{})
		s.is("where it ends", check.Head, head)
	}
}
