package history

import "github.com/unwindhq/unwind"

// orderAction judges the order of an action: not at rest (G2), not after the
// turn back (G6), in the order of the steps (G13), within its policy (G9).
func (c *checker) orderAction(s *saga, i int, l *Line) {
	sd := s.at(i, action)
	ask := l.data().Ask
	switch {
	case s.holed:
	case s.rest != nil:
		c.step(G2, s, i, action, []*Line{s.rest, l}, "the action of %s was ordered after the saga had come to rest as %s", l.Step, s.rest.data().Ended)
	case s.turned != nil && !ask:
		c.step(G6, s, i, action, []*Line{s.turned, l}, "the action of %s was ordered after the saga had turned back", l.Step)
	case s.steps[i].done != nil:
		c.illegal(s, l, "the action of "+l.Step+" was ordered again although it had succeeded")
	case sd.dead != nil:
		c.illegal(s, l, "the action of "+l.Step+" was ordered while it is a dead letter")
	default:
		for _, b := range s.plan.steps[i].before {
			if s.steps[b].done == nil {
				c.illegal(s, l, "the action of "+l.Step+" was ordered before "+s.plan.steps[b].name+" had succeeded")
			}
		}
	}
	c.order(s, i, action, l)
}

// orderUndo judges the order of a compensation: only of what was ordered (G4),
// not at rest (G2), after the turn back and once (G13), after the settle time of
// what may still be in flight (G6), after its descendants (G5), within its
// policy (G9).
func (c *checker) orderUndo(s *saga, i int, l *Line) {
	sd, act := s.at(i, undo), s.at(i, action)
	first := len(sd.orders) == 0
	switch {
	case s.holed:
	case act.last == nil:
		c.step(G4, s, i, undo, []*Line{l}, "the compensation of %s was ordered although its action never was", l.Step)
	case s.rest != nil:
		c.step(G2, s, i, undo, []*Line{s.rest, l}, "the compensation of %s was ordered after the saga had come to rest as %s", l.Step, s.rest.data().Ended)
	case s.turned == nil:
		c.illegal(s, l, "the compensation of "+l.Step+" was ordered although the saga had not turned back")
	case !s.plan.steps[i].side[undo].exists:
		c.illegal(s, l, "the compensation of "+l.Step+" was ordered although the definition has none")
	case sd.ok != nil || sd.resolved != nil:
		c.illegal(s, l, "the compensation of "+l.Step+" was ordered again although it was done")
	case sd.dead != nil:
		c.illegal(s, l, "the compensation of "+l.Step+" was ordered while it is a dead letter")
	case first:
		c.checkSettled(s, i, l)
		s.findEarly(i, l)
	}
	c.order(s, i, undo, l)
}

// checkSettled: an action that may still take effect is undone no sooner than
// its last order + settle.
func (c *checker) checkSettled(s *saga, i int, l *Line) {
	act := s.at(i, action)
	pending, sent := act.uncertain, act.sentBy
	if act.out && act.last != nil && !act.last.data().Ask {
		pending, sent = act.last, act.leaves[len(act.leaves)-1]
	}
	if pending == nil || s.steps[i].done != nil {
		return
	}
	if wait := s.plan.steps[i].side[action].settle; l.earliest()+c.skew < sent+wait {
		c.step(G6, s, i, undo, []*Line{pending, l}, "the compensation of %s was ordered %s after an action that may still take effect; it settles in %s",
			l.Step, span(l.earliest()-sent), span(wait))
	}
}

// findEarly notes the descendants of i that should have been undone before it.
func (s *saga) findEarly(i int, l *Line) {
	for j := range s.steps {
		if !s.plan.order.Descends(j, i) || !s.plan.steps[j].side[undo].exists {
			continue
		}
		act, sd := s.at(j, action), s.at(j, undo)
		if s.steps[j].done == nil && act.uncertain == nil && !act.out {
			continue
		}
		if sd.ok != nil || sd.resolved != nil || act.resolvedAs("refused") || sd.everDead != nil && !s.plan.block {
			continue
		}
		s.early = append(s.early, early{i: i, j: j, line: l})
	}
}

func (sd *side) resolvedAs(as string) bool {
	return sd.resolved != nil && sd.resolved.data().As == as
}

// order records an order and judges its number and its time (G9).
func (c *checker) order(s *saga, i, d int, l *Line) {
	sd := s.at(i, d)
	hastened := l.data().Actor != ""
	if hastened {
		s.acts, sd.hastened = append(s.acts, l), true
	}
	if sd.out && l.data().Ask && !sd.last.data().Ask {
		sd.takenBack = sd.last // it was not sent: the question takes its place
	}
	sd.last, sd.out, sd.awaiting = l, true, false
	if l.data().Ask {
		sd.asked = true
		return
	}
	var before *Line
	left, leaves := Micros(0), l.earliest()
	if n := len(sd.orders); n > 0 {
		if before, left = sd.orders[n-1], sd.leaves[n-1]; hastened { // or it left as it was ordered before
			leaves = min(left, leaves)
		}
	}
	sd.orders, sd.leaves = append(sd.orders, l), append(sd.leaves, leaves)
	sd.accepted = false
	if d == action && l.data().MayHaveExecuted {
		sd.uncertain, sd.sentBy = l, leaves
	}
	if !s.holed {
		c.checkNumber(s, i, d, before, l, left)
	}
	sd.operator, sd.answer = false, nil
}

// checkNumber judges an order after the one before it, which left no sooner than that.
func (c *checker) checkNumber(s *saga, i, d int, before, l *Line, left Micros) {
	sd, call := s.at(i, d), &s.plan.steps[i].side[d]
	switch {
	case l.Attempt > sd.allowed:
		c.step(G9, s, i, d, []*Line{before, l}, "attempt %d of the %s of %s was ordered; its policy allows %d", l.Attempt, directions[d], l.Step, sd.allowed)
		return
	case l.Attempt > sd.counted+1:
		c.step(G9, s, i, d, []*Line{sd.answer, l}, "attempt %d of the %s of %s was ordered after %d answers that count; only those raise the number", l.Attempt, directions[d], l.Step, sd.counted)
		return
	case l.Attempt <= sd.counted:
		c.step(G9, s, i, d, []*Line{sd.answer, l}, "attempt %d of the %s of %s was ordered again although its answer counted", l.Attempt, directions[d], l.Step)
		return
	}
	a := sd.answer
	if before == nil || a == nil || sd.operator {
		return
	}
	ad := a.data()
	failed := a.Kind == unwind.EntryActionFailed || a.Kind == unwind.EntryCompensationFailed
	if failed && !ad.Counted && (ad.Class == unwind.ClassUncertain || ad.Class == unwind.ClassNotSent) {
		c.step(G9, s, i, d, []*Line{a, l}, "attempt %d of the %s of %s was ordered again: an answer of class %s counts, this one was not counted", l.Attempt, directions[d], l.Step, ad.Class)
		return
	}
	if failed && ad.Counted {
		if wait := call.backoff(sd.fresh); l.earliest()+c.skew < left+wait {
			c.step(G9, s, i, d, []*Line{before, l}, "attempt %d of the %s of %s was to be sent %s after the one before it; the backoff is %s",
				l.Attempt, directions[d], l.Step, span(l.earliest()-left), span(wait))
		}
	}
}
