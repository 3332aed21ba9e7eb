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
	rows, next := mustPage(s.Audit(s.Context(), "", 0))(s)
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
			return s.Audit(s.Context(), cursor, limit)
		})
		var got []int64
		for i := range rows {
			got = append(got, rows[i].At)
		}
		s.is("the audit page by page", got, want)
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
			rows, next := mustPage(s.Audit(s.Context(), cursor, size))(s)
			for i := range rows {
				s.is("what is wrong with a row", check.Next(&rows[i]), []store.AuditFault{})
			}
			cursor = next
		}
		s.is("what is missing at the end", check.End(), []store.AuditFault{})
		s.is("where it ends", check.Head, head)
	}
}
