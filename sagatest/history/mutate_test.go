package history_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/sagatest/history"
)

type G = history.Guarantee

// A mutation breaks a promise in a good history. It returns false where the
// history has nothing to break it with.
type mutation struct {
	name  string
	found []G // one of them must be reported
	apply func(h *history.History, pick func(n int) int) bool
}

// where picks one of the lines that match.
func where(lines []history.Line, pick func(n int) int, match func(l *history.Line) bool) int {
	var at []int
	for i := range lines {
		if match(&lines[i]) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return -1
	}
	return at[pick(len(at))]
}

func kind(kinds ...string) func(l *history.Line) bool {
	return func(l *history.Line) bool { return slices.Contains(kinds, l.Kind) }
}

func undoReturn(l *history.Line) bool {
	return l.Event == history.Return && l.Direction == unwind.Compensation && l.Outcome == history.OK
}

func retry(l *history.Line) bool { return l.Event == history.Invoke && l.Attempt > 1 }

func same(a, b *history.Line) bool {
	return a.Saga == b.Saga && a.Step == b.Step && a.Direction == b.Direction
}

// engine changes one journal line.
func engine(match func(l *history.Line) bool, change func(h *history.History, i int)) func(*history.History, func(int) int) bool {
	return func(h *history.History, pick func(int) int) bool {
		i := where(h.Engine, pick, match)
		if i >= 0 {
			change(h, i)
		}
		return i >= 0
	}
}

// seen changes one participant's line.
func seen(match func(l *history.Line) bool, change func(h *history.History, l *history.Line)) func(*history.History, func(int) int) bool {
	return func(h *history.History, pick func(int) int) bool {
		i := where(h.Participants, pick, match)
		if i >= 0 {
			change(h, &h.Participants[i])
		}
		return i >= 0
	}
}

// cutJournal takes an entry out and closes the gap.
func cutJournal(h *history.History, i int) {
	saga := h.Engine[i].Saga
	h.Engine = slices.Delete(h.Engine, i, i+1)
	for k := i; k < len(h.Engine); k++ {
		if h.Engine[k].Saga == saga && h.Engine[k].Event == history.Journal {
			h.Engine[k].Seq--
		}
	}
}

func dropReturns(h *history.History, of *history.Line) {
	gone := *of
	h.Participants = slices.DeleteFunc(h.Participants, func(l history.Line) bool { return undoReturn(&l) && same(&l, &gone) })
}

var mutations = []mutation{
	{"drop the return of a compensation", []G{history.G7, history.G3}, seen(undoReturn, dropReturns)},
	{"drop a compensation's calls", []G{history.G7, history.G3}, seen(undoReturn, func(h *history.History, l *history.Line) {
		gone := *l
		h.Participants = slices.DeleteFunc(h.Participants, func(l history.Line) bool { return same(&l, &gone) })
	})},
	{"drop an action's calls", []G{history.G7, history.G3}, seen(func(l *history.Line) bool { return l.Direction == unwind.Action && l.Outcome == history.OK }, func(h *history.History, l *history.Line) {
		gone := *l
		h.Participants = slices.DeleteFunc(h.Participants, func(l history.Line) bool { return same(&l, &gone) })
	})},
	{"change a retry's body", []G{history.G8}, seen(retry, func(_ *history.History, l *history.Line) { l.BodySHA = "other" })},
	{"change a retry's key", []G{history.G8}, seen(retry, func(_ *history.History, l *history.Line) { l.Key += "x" })},
	{"raise an attempt's number", []G{history.G7}, seen(retry, func(_ *history.History, l *history.Line) { l.Attempt++ })},
	{"hasten a retry", []G{history.G9}, seen(func(l *history.Line) bool { return retry(l) && l.T%2 >= 0 && l.Direction == unwind.Action }, func(_ *history.History, l *history.Line) { l.T -= 3_000_000 })},
	{"send before the order", []G{history.G7, history.G4}, seen(func(l *history.Line) bool { return l.Event == history.Invoke }, func(_ *history.History, l *history.Line) { l.T -= 100_000_000_000 })},
	{"send after the end", []G{history.G2}, seen(func(l *history.Line) bool { return l.Event == history.Invoke }, func(_ *history.History, l *history.Line) { l.T += 1_000_000_000_000 })},
	{"end twice", []G{history.G2}, engine(kind(unwind.EntrySagaEnded), func(h *history.History, i int) {
		l := h.Engine[i]
		for k := range h.Engine {
			if h.Engine[k].Saga == l.Saga && h.Engine[k].Seq > l.Seq {
				h.Engine[k].Seq++
			}
		}
		l.Seq++
		h.Engine = slices.Insert(h.Engine, i+1, l)
	})},
	{"end as something else", []G{history.G13}, engine(kind(unwind.EntrySagaEnded), func(h *history.History, i int) {
		other := map[unwind.Status]unwind.Status{unwind.Completed: unwind.Compensated, unwind.Compensated: unwind.Completed, unwind.DeadLettered: unwind.Compensated}
		h.Engine[i].Data = &history.Data{Ended: other[h.Engine[i].Data.Ended]}
	})},
	{"lose an entry", []G{history.G13}, engine(func(l *history.Line) bool {
		return l.Event == history.Journal && l.Kind != unwind.EntrySagaEnded
	}, func(h *history.History, i int) { h.Engine = slices.Delete(h.Engine, i, i+1) })},
	{"never write an action's order", []G{history.G7, history.G4, history.G13}, engine(kind(unwind.EntryActionOrdered), cutJournal)},
	{"never write a compensation's order", []G{history.G7, history.G13}, engine(kind(unwind.EntryCompensationOrdered), cutJournal)},
	{"never write the turn", []G{history.G13}, engine(kind(unwind.EntrySagaCompensating), cutJournal)},
	{"never write an end", []G{history.Liveness, history.G2}, engine(kind(unwind.EntrySagaEnded), cutJournal)},
	{"write an order late", []G{history.G7, history.G4}, engine(kind(unwind.EntryActionOrdered, unwind.EntryCompensationOrdered), func(h *history.History, i int) {
		order := h.Engine[i]
		for k := range h.Engine {
			if l := &h.Engine[k]; l.Kind == order.Kind && same(l, &order) && l.Attempt == order.Attempt {
				l.T += 50_000_000_000
			}
		}
	})},
	{"count a throttle", []G{history.G9}, engine(kind(unwind.EntryActionThrottled, unwind.EntryCompensationThrottled), func(h *history.History, i int) {
		d := *h.Engine[i].Data
		d.Counted = true
		h.Engine[i].Data = &d
	})},
	{"do not count a failure", []G{history.G9}, engine(func(l *history.Line) bool {
		return l.Data != nil && l.Data.Class == unwind.ClassUncertain
	}, func(h *history.History, i int) {
		d := *h.Engine[i].Data
		d.Counted = false
		h.Engine[i].Data = &d
	})},
	{"write under an old epoch", []G{history.G12}, engine(func(l *history.Line) bool { return l.Event == history.Journal && l.Seq > 1 }, func(h *history.History, i int) { h.Engine[i].Epoch-- })},
	{"drop an audit row", []G{history.G14}, engine(func(l *history.Line) bool { return l.Event == history.Audit }, func(h *history.History, i int) { h.Engine = slices.Delete(h.Engine, i, i+1) })},
	{"drop an alert", []G{history.Liveness}, engine(func(l *history.Line) bool { return l.Event == history.Alert }, func(h *history.History, i int) { h.Engine = slices.Delete(h.Engine, i, i+1) })},
	{"lose a saga", []G{history.G1}, engine(kind(unwind.EntrySagaStarted), func(h *history.History, i int) {
		saga := h.Engine[i].Saga
		h.Engine = slices.DeleteFunc(h.Engine, func(l history.Line) bool { return l.Saga == saga })
	})},
	{"begin another saga under a key", []G{history.G1}, func(h *history.History, _ func(int) int) bool {
		for _, l := range h.Engine {
			if l.Saga == h.Engine[0].Saga {
				l.Saga = "copy"
				h.Engine = append(h.Engine, l)
			}
		}
		return true
	}},
	{"swap two compensations", []G{history.G5}, swapUndo},
	{"refuse a start that runs", []G{history.G1}, func(h *history.History, pick func(int) int) bool {
		i := where(h.Client, pick, func(l *history.Line) bool { return l.Op == history.OpStart && l.Event == history.Return })
		h.Client[i].Outcome, h.Client[i].Saga = history.Fail, ""
		return true
	}},
	{"tell an end too early", []G{history.G2}, func(h *history.History, pick func(int) int) bool {
		i := where(h.Client, pick, func(l *history.Line) bool { return l.Op == history.OpStart && l.Event == history.Return })
		h.Client[i].SagaStatus = unwind.Completed
		return true
	}},
}

// swapUndo makes two compensations of one saga change places, in every log.
func swapUndo(h *history.History, pick func(int) int) bool {
	i := where(h.Participants, pick, undoReturn)
	if i < 0 {
		return false
	}
	a := h.Participants[i]
	j := where(h.Participants, pick, func(l *history.Line) bool { return undoReturn(l) && l.Saga == a.Saga && l.Step != a.Step })
	if j < 0 {
		return false
	}
	b := h.Participants[j]
	swap := func(l *history.Line) {
		if l.Saga != a.Saga || l.Direction != unwind.Compensation {
			return
		}
		switch l.Step {
		case a.Step:
			l.Step, l.Node, l.Key = b.Step, b.Node, strings.Replace(l.Key, a.Step, b.Step, 1)
		case b.Step:
			l.Step, l.Node, l.Key = a.Step, a.Node, strings.Replace(l.Key, b.Step, a.Step, 1)
		}
	}
	for k := range h.Participants {
		swap(&h.Participants[k])
	}
	for k := range h.Engine {
		if h.Engine[k].Event == history.Journal {
			swapped := h.Engine[k]
			swap(&swapped)
			h.Engine[k].Step = swapped.Step
		}
	}
	return true
}

func goodHistory(t *rapid.T) *history.History {
	w := newWriter(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") })
	for n := range rapid.IntRange(1, 4).Draw(t, "sagas") {
		fails := rapid.IntRange(1, len(stepNames)).Draw(t, "fails")
		w.run(n, fails, rapid.IntRange(0, 2).Draw(t, "dead") == 0)
	}
	return &w.h
}

func TestAGoodHistoryHasNoViolation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := history.Check(goodHistory(t))
		if err != nil {
			t.Fatal(err)
		}
		if !r.OK() {
			t.Fatalf("%+v", r.Violations)
		}
	})
}

func TestEveryMutationIsFound(t *testing.T) {
	for _, m := range mutations {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			applied := 0
			rapid.Check(t, func(t *rapid.T) {
				h := goodHistory(t)
				if !m.apply(h, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") }) {
					return
				}
				applied++
				r, err := history.Check(h)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.ContainsFunc(r.Violations, func(v history.Violation) bool { return slices.Contains(m.found, v.Guarantee) }) {
					t.Fatalf("none of %v among %+v", m.found, r.Violations)
				}
			})
			floor := 10 // of a hundred
			if testing.Short() {
				floor = 2 // of twenty
			}
			if applied < floor {
				t.Errorf("applied %d times; the histories have too little to break", applied)
			}
		})
	}
}
