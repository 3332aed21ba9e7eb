package history

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/unwindhq/unwind"
)

// orderJournal puts a saga's journal into its order, judges the numbers (G13)
// and finds the saga's plan.
func (c *checker) orderJournal(s *saga) error {
	rising := true
	for i, l := range s.journal {
		if l.Seq != int64(i+1) {
			rising = false
		}
		if l.Kind == unwind.EntrySagaStarted && s.plan == nil {
			p, err := c.plan(l.Name, l.Version)
			if err != nil {
				return fmt.Errorf("%s:%d: %w", c.proof(l).Log, c.proof(l).Number, err)
			}
			s.begin(p)
		}
	}
	if !rising {
		c.repairJournal(s)
	}
	if n := len(s.journal); n > 0 && len(c.lost) > 0 {
		s.cutOff = c.missing("engine", "", s.journal[n-1].T, math.MaxInt64-c.skew)
	}
	if s.plan == nil && len(s.journal) > 0 {
		if !s.holed {
			c.saga(G13, s, s.journal[:1], "the journal has no saga_started")
		}
	}
	return nil
}

// repairJournal takes repeats out, sorts, and reports what is out of order,
// written twice or missing.
func (c *checker) repairJournal(s *saga) {
	kept := make([]*Line, 0, len(s.journal))
	bySeq := make(map[int64]*Line, len(s.journal))
	top := map[string]*Line{}
	for _, l := range s.journal {
		if first := bySeq[l.Seq]; first != nil {
			if !sameEntry(first, l) {
				c.saga(G13, s, []*Line{first, l}, "two different entries have the number %d", l.Seq)
			}
			continue
		}
		if t := top[l.Node]; t != nil && l.Seq < t.Seq {
			c.saga(G13, s, []*Line{t, l}, "entry %d was written after entry %d", l.Seq, t.Seq)
		} else {
			top[l.Node] = l
		}
		bySeq[l.Seq] = l
		kept = append(kept, l)
	}
	slices.SortFunc(kept, func(a, b *Line) int { return cmp.Compare(a.Seq, b.Seq) })
	for i, l := range kept {
		before, from := int64(0), Micros(0)
		if i > 0 {
			before, from = kept[i-1].Seq, kept[i-1].T
		}
		if l.Seq == before+1 {
			continue
		}
		s.holed = true
		if !c.missing("engine", "", from, l.T) {
			c.saga(G13, s, []*Line{l}, "the journal goes from entry %d to entry %d", before, l.Seq)
		}
	}
	s.journal = kept
}

// sameEntry reports whether one line repeats another: a delivery again.
func sameEntry(a, b *Line) bool {
	x, y := *a, *b
	x.file, x.number, y.file, y.number = "", 0, "", 0
	x.Data, y.Data = nil, nil
	return x == y && reflect.DeepEqual(a.data(), b.data())
}

// readJournal follows the journal and judges every entry by those before it.
func (c *checker) readJournal(s *saga) {
	for i, l := range s.journal {
		if i == 0 && l.Kind != unwind.EntrySagaStarted && !s.holed {
			c.saga(G13, s, []*Line{l}, "the journal begins with %s", l.Kind)
		}
		c.entry(s, l)
	}
	if s.rest != nil {
		s.rests = append(s.rests, rest{from: s.rest})
	}
}

func (c *checker) entry(s *saga, l *Line) {
	switch l.Kind {
	case unwind.EntrySagaStarted:
		if s.started != nil {
			c.illegal(s, l, "the saga was started twice")
			return
		}
		s.started = l
	case unwind.EntrySagaCompensating:
		c.turnBack(s, l)
	case unwind.EntrySagaEnded:
		c.end(s, l)
	case unwind.EntryCancelRequested:
		s.acts = append(s.acts, l)
	case unwind.EntryTimerFired:
		if l.Step == "" { // the deadline
			s.acts = append(s.acts, l)
		}
	case unwind.EntryLateAnswer, unwind.EntrySignalReceived:
	default:
		i := s.plan.step(l.Step)
		if i < 0 {
			c.illegal(s, l, fmt.Sprintf("%s names the step %q, which the definition does not have", l.Kind, l.Step))
			return
		}
		c.stepEntry(s, i, l)
	}
}

// illegal reports a transition that no saga makes.
func (c *checker) illegal(s *saga, l *Line, what string) {
	if !s.holed {
		c.saga(G13, s, []*Line{l}, "%s", what)
	}
}

func (c *checker) stepEntry(s *saga, i int, l *Line) {
	switch l.Kind {
	case unwind.EntryActionOrdered:
		c.orderAction(s, i, l)
	case unwind.EntryCompensationOrdered:
		c.orderUndo(s, i, l)
	case unwind.EntryActionSucceeded:
		c.answer(s, i, action, l)
	case unwind.EntryCompensationSucceeded:
		c.answer(s, i, undo, l)
	case unwind.EntryActionFailed, unwind.EntryActionThrottled, unwind.EntryActionAwaiting:
		c.answer(s, i, action, l)
	case unwind.EntryCompensationFailed, unwind.EntryCompensationThrottled, unwind.EntryCompensationAwaiting:
		c.answer(s, i, undo, l)
	default:
		c.operatorEntry(s, i, sideOf(l.Direction), l)
	}
}

func (c *checker) turnBack(s *saga, l *Line) {
	switch {
	case s.rest != nil:
		if !s.holed {
			c.saga(G2, s, []*Line{s.rest, l}, "the saga turned back after it had come to rest as %s", s.rest.data().Ended)
		}
	case s.turned != nil:
		c.illegal(s, l, "the saga turned back twice")
	}
	for i := range s.steps {
		if s.plan.steps[i].pivot && s.steps[i].done != nil {
			c.illegal(s, l, fmt.Sprintf("the saga turned back although its pivot %s had succeeded", s.plan.steps[i].name))
		}
	}
	if s.turned == nil {
		s.turned = l
	}
	for i := range s.steps { // what was accepted or asked about is not awaited any more
		act := s.at(i, action)
		act.awaiting = false
		act.out = act.out && !act.last.data().Ask
	}
	s.acts = append(s.acts, l)
}
