package history

import (
	"math"

	"github.com/unwindhq/unwind"
)

// A fate is what the participant's log says of one direction of a step.
type fate uint8

const (
	// untouched: it never came in, or every answer proves that it did nothing.
	untouched fate = iota
	// maybe: it came in, and nothing proves that it did nothing.
	maybe
	// acknowledged: the participant says that it is done.
	acknowledged
)

// fate judges the calls that came in up to a time, by the answers up to another.
// An action is maybe from the moment it comes in until an answer proves that it
// had no effect; one such answer proves it for one call, except that of the
// status path or of a completion, which speaks for all calls before it. What an
// operator brought evidence on, to have it called under a new key, is settled.
func (sd *side) fate(came, until Micros) (fate, *Line) {
	settled := Micros(math.MinInt64) // what came in up to then did nothing
	for _, l := range sd.returns {
		if l.T > until || l.generation() < sd.raised {
			continue
		}
		if l.Outcome == OK && sd.cameBy(came) {
			return acknowledged, l
		}
		if l.Outcome == Fail && l.Op != "" {
			settled = max(settled, l.T)
		}
	}
	var last, open *Line
	calls, none := 0, 0
	for _, l := range sd.invokes {
		if l.T <= came && l.T > settled && l.generation() >= sd.raised {
			calls++
			last = l
		}
	}
	if calls == 0 {
		return untouched, nil
	}
	for _, l := range sd.returns {
		if l.T > until || l.T <= settled || l.Op != "" || l.generation() < sd.raised {
			continue
		}
		if l.Outcome == Fail {
			none++
		} else {
			open = l
		}
	}
	switch {
	case open != nil:
		return maybe, open
	case calls > none:
		return maybe, last
	}
	return untouched, nil
}

// cameBy reports whether a call came in up to a time.
func (sd *side) cameBy(t Micros) bool { return len(sd.invokes) > 0 && sd.invokes[0].T <= t }

// checkSuccesses: every success that the journal records was answered by the
// participant (G7).
func (c *checker) checkSuccesses(s *saga) {
	for i := range s.steps {
		for d := range s.steps[i].side {
			sd, call := s.at(i, d), &s.plan.steps[i].side[d]
			if sd.ok == nil || call.unlogged || s.plan.steps[i].side[d].exists && c.answered(s, i, d, sd.ok.T) {
				continue
			}
			from := sd.ok.T
			if o := sd.firstOrder(); o != nil {
				from = o.T
			}
			if c.missing("participant", call.service, from, sd.ok.T) {
				continue
			}
			c.step(G7, s, i, d, []*Line{sd.ok}, "the journal records that the %s of %s succeeded; its participant never answered that", directions[d], s.plan.steps[i].name)
		}
	}
}

// answered reports whether a participant acknowledged a call by a time: by its
// answer, by a completion, or where only its status path was asked, by nothing
// that speaks against it.
func (c *checker) answered(s *saga, i, d int, by Micros) bool {
	sd := s.at(i, d)
	f, _ := sd.fate(by+c.skew, by+c.skew)
	if f == acknowledged {
		return true
	}
	if s.completion(i, d, by+c.skew) == "done" {
		return true
	}
	return f == maybe && sd.ok != nil && sd.last != nil && sd.last.data().Ask
}

// completion is what a client said that an asynchronous call came to, or "".
func (s *saga) completion(i, d int, by Micros) string {
	for _, l := range s.client {
		if l.Op == OpComplete && l.Event == Invoke && l.Step == s.plan.steps[i].name && sideOf(l.Direction) == d && l.T <= by {
			return l.Answer
		}
	}
	return ""
}

// acted reports whether the action of a step, having come in beyond doubt before
// a time, may have had an effect, and the line that shows it.
func (c *checker) acted(s *saga, i int, by Micros) (bool, *Line) {
	sd := s.at(i, action)
	if s.plan.steps[i].side[action].unlogged {
		if s.steps[i].done != nil {
			return true, s.steps[i].done
		}
		return sd.uncertain != nil, sd.uncertain
	}
	f, l := sd.fate(by-c.skew, by+c.skew)
	if f == maybe && s.completion(i, action, by+c.skew) == "refused" {
		return false, nil
	}
	return f != untouched, l
}

// checkEnd judges how the saga rests by the participants' logs (G3).
func (c *checker) checkEnd(s *saga) {
	if s.rest == nil || s.holed {
		return
	}
	switch s.rest.data().Ended {
	case unwind.Completed:
		c.checkCompleted(s)
	case unwind.Compensated:
		c.checkUndone(s, false)
	case unwind.DeadLettered:
		if s.turned != nil {
			c.checkUndone(s, true)
		}
	}
}

// checkCompleted: every action is done, and nothing was undone.
func (c *checker) checkCompleted(s *saga) {
	for i := range s.steps {
		st, ps := &s.steps[i], &s.plan.steps[i]
		if l := first(s.at(i, undo).invokes); l != nil {
			c.step(G3, s, i, undo, []*Line{s.rest, l}, "the saga is completed, and the compensation of %s was called", ps.name)
		}
		sd := s.at(i, action)
		if sd.flagged&(1<<G7) != 0 || sd.resolvedAs("done") {
			continue
		}
		if st.done == nil {
			c.step(G3, s, i, action, []*Line{s.rest}, "the saga is completed, and %s never succeeded", ps.name)
			continue
		}
		if !ps.calls || ps.side[action].unlogged || c.answered(s, i, action, s.rest.T) || c.missing("participant", ps.side[action].service, s.began(), s.rest.T) {
			continue
		}
		c.step(G3, s, i, action, []*Line{s.rest, first(sd.returns)}, "the saga is completed, and no participant acknowledged the action of %s", ps.name)
	}
}

func first(lines []*Line) *Line {
	if len(lines) == 0 {
		return nil
	}
	return lines[0]
}

// checkUndone: every action that may have executed has an acknowledged
// compensation, an audited resolution or a declared none; of a dead-lettered
// saga also an open dead letter, its own or, under block, a later step's.
func (c *checker) checkUndone(s *saga, dead bool) {
	for i := range s.steps {
		ps, sd := &s.plan.steps[i], s.at(i, undo)
		if !ps.calls || ps.side[undo].none || sd.resolved != nil || s.at(i, action).resolvedAs("refused") || sd.flagged&(1<<G7) != 0 {
			continue
		}
		acted, why := c.acted(s, i, s.rest.T)
		if !acted || dead && s.held(i) {
			continue
		}
		if ps.side[undo].unlogged && sd.ok != nil || c.answered(s, i, undo, s.rest.T) || c.missing("participant", ps.side[undo].service, s.began(), s.rest.T) {
			c.noteLate(s, i)
			continue
		}
		what := "its compensation was never called"
		switch {
		case !ps.side[undo].exists:
			what = "it has none to undo it: there was only forward"
		case len(sd.invokes) > 0:
			what = "its compensation was never acknowledged"
		}
		c.step(G3, s, i, undo, []*Line{s.rest, why, first(sd.invokes)}, "the saga is %s; the action of %s may have executed and %s", s.rest.data().Ended, ps.name, what)
	}
}

// held reports whether a dead letter holds the compensation of step i.
func (s *saga) held(i int) bool {
	if s.at(i, undo).dead != nil {
		return true
	}
	for j := range s.steps {
		if s.plan.block && s.plan.order.Descends(j, i) && s.at(j, undo).dead != nil {
			return true
		}
	}
	return false
}

// noteLate counts actions that took effect after their compensation: the window
// that a participant closes with a barrier.
func (c *checker) noteLate(s *saga, i int) {
	undone := Micros(-1)
	for _, l := range s.at(i, undo).returns {
		if l.Outcome == OK {
			undone = l.T
		}
	}
	for _, l := range s.at(i, action).returns {
		if undone >= 0 && l.Outcome == OK && l.T > undone+c.skew {
			c.late++
			return
		}
	}
}
