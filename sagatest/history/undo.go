package history

// checkUndoOrder: step i is compensated only after every step that descends
// from it is (G5), by the journal and by what the participants saw.
func (c *checker) checkUndoOrder(s *saga) {
	if s.turned == nil || s.holed {
		return
	}
	for _, e := range s.early {
		later := s.at(e.j, undo)
		if later.flagged&(1<<G3) != 0 {
			continue // it was never undone at all: that is the fault
		}
		c.step(G5, s, e.i, undo, []*Line{e.line, later.firstOrder()}, "%s was compensated before %s, which comes after it", s.plan.steps[e.i].name, s.plan.steps[e.j].name)
	}
	for i := range s.steps {
		sent := first(s.at(i, undo).invokes)
		if sent == nil || s.at(i, undo).flagged&(1<<G5|1<<G4|1<<G7) != 0 {
			continue
		}
		for j := range s.steps {
			if s.plan.order.Descends(j, i) {
				c.checkBefore(s, i, j, sent)
			}
		}
	}
}

// checkBefore: the compensation of j was over when that of i came in.
func (c *checker) checkBefore(s *saga, i, j int, sent *Line) {
	sd, call := s.at(j, undo), &s.plan.steps[j].side[undo]
	if !call.exists || call.unlogged || sd.flagged&(1<<G3|1<<G7) != 0 {
		return
	}
	acted, why := c.acted(s, j, sent.T)
	if !acted || c.answered(s, j, undo, sent.T) {
		return
	}
	if r := sd.resolved; r != nil && r.T <= sent.T+c.skew || s.at(j, action).resolvedAs("refused") {
		return
	}
	if dead := sd.everDead; dead != nil && dead.T <= sent.T+c.skew && !s.plan.block {
		return
	}
	if c.missing("participant", call.service, s.turned.T, sent.T) {
		return
	}
	c.step(G5, s, i, undo, []*Line{sent, why, first(sd.invokes)}, "the compensation of %s was sent before that of %s was acknowledged, which comes after it",
		s.plan.steps[i].name, s.plan.steps[j].name)
}

// checkAttempts judges attempts by what the participants saw (G9): the backoff
// lies between two that were answered, and what was throttled did not count.
func (c *checker) checkAttempts(s *saga) {
	if s.holed {
		return
	}
	for i := range s.steps {
		for d := range s.steps[i].side {
			if !s.plan.steps[i].side[d].unlogged {
				c.checkThrottled(s, i, d)
				c.checkGaps(s, i, d)
			}
		}
	}
}

// checkThrottled: where every answer the participant gave to an attempt was 429
// or 503, that attempt did not count, whatever the journal calls it.
func (c *checker) checkThrottled(s *saga, i, d int) {
	sd := s.at(i, d)
	for _, f := range sd.failures {
		if f.data().Status == 0 { // no answer reached the engine
			continue
		}
		var shown *Line
		for _, l := range sd.returns {
			if l.Op != "" || l.Attempt != f.Attempt {
				continue
			}
			if shown = l; l.Status != 429 && l.Status != 503 || l.Answer != "" {
				shown = nil
				break
			}
		}
		if shown != nil {
			c.step(G9, s, i, d, []*Line{shown, f}, "attempt %d of the %s of %s was throttled and counted", f.Attempt, directions[d], f.Step)
		}
	}
}

func (c *checker) checkGaps(s *saga, i, d int) {
	sd, call := s.at(i, d), &s.plan.steps[i].side[d]
	if len(sd.failures) == 0 || len(sd.invokes) < 2 || sd.everDead != nil || sd.asked || sd.hastened {
		return
	}
	for _, f := range sd.failures {
		before, after := firstAttempt(sd.invokes, f.Attempt), firstAttempt(sd.invokes, f.Attempt+1)
		if before == nil || after == nil || f.data().Status == 0 {
			continue
		}
		if wait := call.backoff(f.Attempt); after.T-before.T+2*c.skew < wait {
			c.step(G9, s, i, d, []*Line{before, after}, "attempts %d and %d of the %s of %s came in %s apart; the backoff is %s",
				f.Attempt, f.Attempt+1, directions[d], f.Step, span(after.T-before.T), span(wait))
		}
	}
}

func firstAttempt(lines []*Line, n int) *Line {
	for _, l := range lines {
		if l.Attempt == n {
			return l
		}
	}
	return nil
}
