package history

import (
	"cmp"
	"fmt"
	"slices"
)

// A checker judges one history.
type checker struct {
	h          *History
	skew       Micros
	plans      map[[2]string]*plan
	sagas      []*saga // in the order in which they appear
	byID       map[string]*saga
	lost       []gap
	violations []Violation
	dropped    int
	late       int
	calls      map[string]*Line // by key
}

// Check judges a history and never changes it. The error says which line can't
// be understood; a history that breaks promises is no error.
func Check(h *History) (*Report, error) {
	c := &checker{
		h: h, skew: micros(h.Options.Skew),
		plans: make(map[[2]string]*plan, len(h.Sagas)), byID: make(map[string]*saga, 16),
		calls: make(map[string]*Line, len(h.Participants)/2),
	}
	if err := c.group(); err != nil {
		return nil, err
	}
	c.checkEpochs()
	for _, s := range c.sagas {
		if s.plan == nil {
			c.checkUnknown(s)
			continue
		}
		c.readJournal(s)
		c.readCalls(s)
		c.checkSuccesses(s)
		c.checkEnd(s)
		c.checkUndoOrder(s)
		c.checkAttempts(s)
		c.checkAudit(s)
		c.checkLiveness(s)
	}
	c.checkStarts()
	c.checkLanes()
	return c.result(), nil
}

// group sorts the lines by saga.
func (c *checker) group() error {
	for _, log := range []struct {
		name  string
		lines []Line
	}{{"client", c.h.Client}, {"participant", c.h.Participants}, {"engine", c.h.Engine}} {
		for i := range log.lines {
			l := &log.lines[i]
			if l.number == 0 { // lines from a file were checked when they were read
				if err := l.check(log.name); err != nil {
					return fmt.Errorf("%s:%d: %w", log.name, i+1, err)
				}
			}
			if l.Event == Cut {
				c.cut(log.name, log.lines[:i], l)
				continue
			}
			if l.Saga == "" {
				continue
			}
			s := c.byID[l.Saga]
			if s == nil {
				s = &saga{id: l.Saga}
				c.byID[l.Saga] = s
				c.sagas = append(c.sagas, s)
			}
			switch {
			case log.name == "client":
				s.client = append(s.client, l)
			case log.name == "participant":
				s.seen = append(s.seen, l)
			case l.Event == Journal:
				s.journal = append(s.journal, l)
			case l.Event == Audit:
				s.audits = append(s.audits, l)
			case l.Event == Alert:
				s.alerts = append(s.alerts, l)
			case l.Event == Invoke:
				s.sent = append(s.sent, l)
			}
		}
	}
	for _, s := range c.sagas {
		byTime(s.seen)
		byTime(s.sent)
		if err := c.orderJournal(s); err != nil {
			return err
		}
	}
	return nil
}

func byTime(lines []*Line) {
	compare := func(a, b *Line) int { return cmp.Compare(a.T, b.T) }
	if !slices.IsSortedFunc(lines, compare) {
		slices.SortStableFunc(lines, compare)
	}
}

// A gap is a time of which a writer's lines may be missing.
type gap struct {
	log, node string
	from, to  Micros
}

func (c *checker) cut(log string, before []Line, l *Line) {
	g := gap{log: log, node: cmp.Or(l.Service, l.Node), to: l.T}
	for i := len(before) - 1; i >= 0; i-- {
		if before[i].Node == l.Node && before[i].file == l.file {
			g.from = before[i].T
			break
		}
	}
	c.lost = append(c.lost, g)
}

// missing reports whether lines of a log may be missing between two times. An
// empty node means any.
func (c *checker) missing(log, node string, from, to Micros) bool {
	for _, g := range c.lost {
		if g.log == log && (node == "" || g.node == "" || g.node == node) && from <= g.to+c.skew && to >= g.from-c.skew {
			return true
		}
	}
	return false
}

// checkUnknown judges calls of a saga that the journal does not have.
func (c *checker) checkUnknown(s *saga) {
	if len(s.journal) > 0 {
		return // reported with the journal
	}
	for _, l := range slices.Concat(s.seen, s.sent) {
		if l.Event == Invoke && l.Op == "" && !c.missing("engine", "", 0, l.T) {
			c.saga(G7, s, []*Line{l}, "the %s of %s came in for a saga that no journal has", l.Direction, l.Step)
			return
		}
	}
}
