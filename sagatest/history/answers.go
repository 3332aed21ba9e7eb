package history

import (
	"fmt"
	"time"

	"github.com/unwindhq/unwind"
)

func span(m Micros) string { return (time.Duration(m) * time.Microsecond).String() }

// answer follows the entry of an answer: something must be out (G13), and only
// some classes count (G9).
func (c *checker) answer(s *saga, i, d int, l *Line) {
	sd, call := s.at(i, d), &s.plan.steps[i]
	if !call.calls { // a delay or a signal: nobody was called
		if l.Kind == unwind.EntryActionSucceeded {
			s.steps[i].done = l
		}
		return
	}
	switch {
	case s.holed:
	case s.rest != nil:
		c.step(G2, s, i, d, []*Line{s.rest, l}, "%s of %s was committed after the saga had come to rest as %s", l.Kind, l.Step, s.rest.data().Ended)
	case !sd.out && !sd.awaiting:
		c.illegal(s, l, fmt.Sprintf("%s of %s answers a call that is not out", l.Kind, l.Step))
	}
	asked := sd.last != nil && sd.last.data().Ask
	// A completion has no status; it speaks for every attempt.
	completed := sd.awaiting && !sd.out || call.side[d].async && l.data().Status == 0
	sd.out, sd.awaiting = false, false
	switch l.Kind {
	case unwind.EntryActionSucceeded:
		s.steps[i].done, sd.ok, sd.uncertain = l, l, nil
		return
	case unwind.EntryCompensationSucceeded:
		sd.ok = l
		return
	case unwind.EntryActionAwaiting, unwind.EntryCompensationAwaiting:
		sd.awaiting = d == undo || s.turned == nil // on the way back nobody awaits an action
		sd.accepted = sd.accepted || !asked && l.data().Class == ""
	}
	if !asked { // an answer of the status path is not one to the order before
		sd.answer = l
	}
	c.count(s, i, d, l)
	sd.markUncertain(l, asked || completed)
}

// markUncertain: from here on the call may have executed, or, after a definite
// word of the status path or of a completion, it has not.
func (sd *side) markUncertain(l *Line, definite bool) {
	switch {
	case l.data().MayHaveExecuted && len(sd.orders) > 0:
		last := len(sd.orders) - 1
		if last > 0 && sd.orders[last] == sd.takenBack {
			last--
		}
		sd.uncertain = sd.orders[last]
		if sd.sentBy = sd.leaves[last]; l.T < sd.sentBy || l.Epoch != sd.uncertain.Epoch {
			// Given up before its time, or by somebody who does not know when: what
			// was sent may be an attempt before it.
			sd.sentBy = sd.uncertain.T
		}
	case definite && l.data().Class == unwind.ClassRefused:
		sd.uncertain = nil
	}
}

// count follows the attempts that are used up. What an answer means is the
// contract's, not the engine's word.
func (c *checker) count(s *saga, i, d int, l *Line) {
	sd, data := s.at(i, d), l.data()
	if sd.accepted && data.Class == unwind.ClassRefused && !data.Counted {
		// The status path says that an accepted call came to nothing: that was an attempt.
		sd.accepted = false
		sd.counted++
		sd.fresh++
	}
	if !data.Counted {
		return
	}
	if why := neverCounts(data.Class, data.Status); why != "" && !s.holed {
		c.step(G9, s, i, d, []*Line{l}, "the answer to attempt %d of the %s of %s was counted; %s never counts", l.Attempt, directions[d], l.Step, why)
	}
	sd.counted++
	sd.fresh++
	sd.failures = append(sd.failures, l)
}

// neverCounts says why an answer does not use up an attempt, or "".
func neverCounts(class unwind.Class, status int) string {
	switch class {
	case unwind.ClassThrottled, unwind.ClassServiceFault, unwind.ClassInProgress, unwind.ClassLocal:
		return "class " + string(class)
	case unwind.ClassRefused: // by the participant's own word, whatever the status
		return ""
	}
	switch {
	case status == 429, status == 503, status == 425, status == 401, status == 403, status == 405, status == 407, status >= 300 && status < 400:
		return fmt.Sprintf("status %d", status)
	}
	return ""
}

// operatorEntry follows dead letters and what operators do with them.
func (c *checker) operatorEntry(s *saga, i, d int, l *Line) {
	sd := s.at(i, d)
	name := string(directions[d]) + " of " + l.Step
	if l.Kind == unwind.EntryDeadLettered {
		switch {
		case sd.dead != nil:
			c.illegal(s, l, "the "+name+" became a dead letter twice")
		case s.rest != nil:
			c.illegal(s, l, "the "+name+" became a dead letter while the saga was at rest")
		case d == undo && len(sd.orders) == 0:
			c.illegal(s, l, "the "+name+" became a dead letter without ever being ordered")
		}
		sd.dead, sd.out, sd.awaiting, sd.accepted = l, false, false, false
		if sd.everDead == nil {
			sd.everDead = l
		}
		return
	}
	if s.rest != nil {
		s.rests = append(s.rests, rest{from: s.rest, to: l})
		s.rest = nil
	}
	s.acts = append(s.acts, l)
	if l.Kind == unwind.EntryReopened {
		if sd.resolved == nil {
			c.illegal(s, l, "the "+name+" was reopened although it was not resolved")
		}
		sd.dead, sd.resolved = l, nil
		return
	}
	if sd.dead == nil {
		c.illegal(s, l, "the "+name+" was "+l.Kind+" although it was no open dead letter")
	}
	sd.dead = nil
	if l.Kind == unwind.EntryReplayed {
		sd.allowed = sd.counted + s.plan.steps[i].side[d].retry.Attempts
		sd.fresh, sd.operator = 0, true
		if l.data().NewKey {
			sd.raised++
			sd.uncertain = nil
		}
		return
	}
	sd.resolved = l
	if d == action && l.data().As == "done" {
		s.steps[i].done = l
	}
}

// end follows saga_ended: once (G2), and only where nothing is left (G13).
func (c *checker) end(s *saga, l *Line) {
	how := l.data().Ended
	switch {
	case s.holed:
	case s.rest != nil:
		c.saga(G2, s, []*Line{s.rest, l}, "the saga ended twice: as %s and as %s", s.rest.data().Ended, how)
	case how == unwind.Completed && s.turned != nil:
		c.illegal(s, l, "the saga ended as completed although it had turned back")
	case how == unwind.Compensated && s.turned == nil:
		c.illegal(s, l, "the saga ended as compensated although it never turned back")
	case how == unwind.DeadLettered && s.openDead() == nil:
		c.illegal(s, l, "the saga ended as dead_lettered without a dead letter")
	case how != unwind.DeadLettered && s.openDead() != nil:
		c.illegal(s, l, fmt.Sprintf("the saga ended as %s with an open dead letter", how))
	case s.busy():
		c.illegal(s, l, fmt.Sprintf("the saga ended as %s while a call was out", how))
	}
	s.rest, s.lastEnd = l, l
}
