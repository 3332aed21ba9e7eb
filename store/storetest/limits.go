package storetest

import (
	"fmt"
	"math"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// crowd writes n rows of every kind; the sagas may be purged.
func (s *scene) crowd(n int) {
	b := &store.Batch{}
	for i := range n {
		t := s.anonymous()
		d := s.dead(t, 0, unwind.Compensation)
		d.State = unwind.DeadLetterResolved
		t.Phase = completed
		t.Tasks = []store.TaskChange{put(t, 1, payments, int64(i))}
		t.DeadLetters = []store.DeadLetterChange{{Open: &d}}
		b.Transitions = append(b.Transitions, t)
		b.Alerts = append(b.Alerts, store.Alert{At: t.At})
		b.Audit = append(b.Audit, store.Audit{At: t.At})
	}
	s.write(b)
}

func pagesHaveADefaultAndABound(s *scene) {
	s.crowd(1003)
	ctx := s.Context()
	op := s.operation("", make([]store.DeadLetter, 1003)...)
	reads := map[string]func(limit int) (rows int, err error){
		"ClaimDue": func(n int) (int, error) {
			r, err := s.ClaimDue(ctx, store.Active, id.ID{}, math.MaxInt64, n)
			return len(r), err
		},
		"List":  func(n int) (int, error) { r, _, err := s.List(ctx, store.Filter{Limit: n}); return len(r), err },
		"Tasks": func(n int) (int, error) { r, err := s.Tasks(ctx, payments, n); return len(r), err },
		"DeadLetters": func(n int) (int, error) {
			r, _, err := s.DeadLetters(ctx, store.DeadLetterFilter{Limit: n})
			return len(r), err
		},
		"Items":         func(n int) (int, error) { r, err := s.Items(ctx, op.ID, store.ItemQueued, 0, n); return len(r), err },
		"Journal":       func(n int) (int, error) { r, _, err := s.Journal(ctx, "", n); return len(r), err },
		"Alerts":        func(n int) (int, error) { r, _, err := s.Alerts(ctx, store.AlertFilter{Limit: n}); return len(r), err },
		"PendingAlerts": func(n int) (int, error) { r, err := s.PendingAlerts(ctx, "", n); return len(r), err },
		"Audit":         func(n int) (int, error) { r, _, err := s.Audit(ctx, store.AuditFilter{Limit: n}); return len(r), err },
	}
	for what, read := range reads {
		for _, limit := range []struct{ asked, want int }{{1, 1}, {0, 100}, {-1, 100}, {math.MinInt, 100}, {1000, 1000}, {1001, 1000}, {math.MaxInt, 1000}} {
			s.is(fmt.Sprintf("how many rows %s gives for a limit of %d", what, limit.asked), must(read(limit.asked))(s), limit.want)
		}
	}
	s.is("how many sagas one purge takes at most", s.purge(math.MaxInt64, math.MaxInt), 1000)
	s.is("how many the next one takes", s.purge(math.MaxInt64, 0), 3)
}

func wrongCursorsAreRefused(s *scene) {
	s.crowd(3)
	s.operation("")
	s.operation("")
	ctx := s.Context()
	lists := map[string]func(cursor string) (next string, err error){
		"List": func(c string) (string, error) {
			_, next, err := s.List(ctx, store.Filter{Cursor: c, Limit: 1})
			return next, err
		},
		"DeadLetters": func(c string) (string, error) {
			_, next, err := s.DeadLetters(ctx, store.DeadLetterFilter{Cursor: c, Limit: 1})
			return next, err
		},
		"Journal": func(c string) (string, error) { _, next, err := s.Journal(ctx, c, 1); return next, err },
		"Operations": func(c string) (string, error) {
			_, next, err := s.Operations(ctx, store.OperationFilter{Cursor: c, Limit: 1})
			return next, err
		},
		"DeadLetters, oldest first": func(c string) (string, error) {
			_, next, err := s.DeadLetters(ctx, store.DeadLetterFilter{OldestFirst: true, Cursor: c, Limit: 1})
			return next, err
		},
		"Alerts": func(c string) (string, error) {
			_, next, err := s.Alerts(ctx, store.AlertFilter{Cursor: c, Limit: 1})
			return next, err
		},
		"Audit": func(c string) (string, error) {
			_, next, err := s.Audit(ctx, store.AuditFilter{Cursor: c, Limit: 1})
			return next, err
		},
	}
	own := map[string]string{}
	for what, list := range lists {
		own[what] = must(list(""))(s)
	}
	for what, list := range lists {
		wrong := []string{
			"x", " ", "0", "-1", "next", "NOW", "null", "%", "\x00", "ÿ", "../..", "' OR 1=1 --", "999999999999999999999999",
			own[what] + "x", " " + own[what], own[what] + own[what], own[what][:len(own[what])-1] + "!",
		}
		for other, cursor := range own {
			if other != what {
				wrong = append(wrong, cursor)
			}
		}
		for _, cursor := range wrong {
			if next, err := list(cursor); unwind.CodeOf(err) != unwind.InvalidRequest {
				s.Errorf("%s with the cursor %q: next %q, error %v; want an error of %s", what, cursor, next, err, unwind.InvalidRequest)
			}
		}
		if _, err := list(own[what]); err != nil {
			s.Errorf("%s with its own cursor: %v", what, err)
		}
	}
	if _, _, err := s.List(ctx, store.Filter{Cursor: "now"}); unwind.CodeOf(err) != unwind.InvalidRequest {
		s.Errorf("List with the cursor now: %v; only the journal has it", err)
	}
}
