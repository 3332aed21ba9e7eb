package history

// readCalls judges every call that came in by the journal: it was ordered (G7,
// G4), under one key and body (G8), not at rest (G2), not after the turn (G6).
func (c *checker) readCalls(s *saga) {
	for _, l := range s.journal {
		if l.Step == "" || l.Key == "" && l.BodySHA == "" {
			continue
		}
		if i, d := s.place(l); i >= 0 {
			c.checkBody(s, i, d, l)
		}
	}
	for _, l := range s.seen {
		i, d := s.place(l)
		if i < 0 {
			c.saga(G7, s, []*Line{l}, "the step %s was called; the definition has no such step", l.Step)
			continue
		}
		sd := s.at(i, d)
		if l.Event == Return {
			sd.returns = append(sd.returns, l)
			continue
		}
		if l.Op != "" {
			continue
		}
		sd.invokes = append(sd.invokes, l)
		c.checkCall(s, i, d, l)
	}
	for _, l := range s.sent {
		if i, d := s.place(l); i >= 0 && l.Op == "" {
			c.checkCall(s, i, d, l)
		}
	}
}

func (c *checker) checkCall(s *saga, i, d int, l *Line) {
	c.checkBody(s, i, d, l)
	if s.holed || s.cutOff {
		return
	}
	sd := s.at(i, d)
	ordered, leaves, raised := Micros(-1), Micros(-1), true
	var first *Line
	for _, o := range sd.orders {
		if l.Attempt != 0 && o.Attempt != l.Attempt {
			continue
		}
		if o.generation() != l.generation() {
			continue
		}
		raised = false
		if first == nil {
			first, ordered, leaves = o, o.T, o.earliest()
		}
		ordered, leaves = min(ordered, o.T), min(leaves, o.earliest())
	}
	acted := s.at(i, action).firstOrder()
	switch {
	case d == undo && (acted == nil || l.T+c.skew < acted.T):
		c.step(G4, s, i, d, []*Line{acted, l}, "the compensation of %s was sent although its action was not ordered", l.Step)
	case first == nil && raised && sd.hasAttempt(l.Attempt):
		c.step(G8, s, i, d, []*Line{sd.firstOrder(), l}, "the %s of %s was sent under key generation %d, which was never ordered", directions[d], l.Step, l.generation())
	case first == nil:
		c.step(G7, s, i, d, []*Line{l}, "attempt %d of the %s of %s came in; no journal line orders it", l.Attempt, directions[d], l.Step)
	case l.T+c.skew < ordered:
		c.step(G7, s, i, d, []*Line{l, first}, "attempt %d of the %s of %s came in %s before its order was durable", l.Attempt, directions[d], l.Step, span(ordered-l.T))
	case l.T+c.skew < leaves:
		g, why := G9, "the time it was ordered for"
		if d == undo && l.Attempt <= 1 {
			g, why = G6, "its action had settled"
		}
		c.step(g, s, i, d, []*Line{first, l}, "attempt %d of the %s of %s came in %s before %s", l.Attempt, directions[d], l.Step, span(leaves-l.T), why)
	default:
		c.checkTime(s, i, d, l, first, leaves)
	}
}

// checkTime: a call may come in for a while after it was sent, but no longer.
func (c *checker) checkTime(s *saga, i, d int, l, order *Line, leaves Micros) {
	late := s.plan.steps[i].side[d].inFlight + c.skew
	for _, r := range s.rests {
		if l.T > r.from.T+late && (r.to == nil || l.T+c.skew < r.to.T) {
			c.step(G2, s, i, d, []*Line{r.from, l}, "the %s of %s came in %s after the saga had come to rest as %s", directions[d], l.Step, span(l.T-r.from.T), r.from.data().Ended)
			return
		}
	}
	if d != action || s.turned == nil {
		return
	}
	// A process that was paused and replaced does not know of the turn: where that
	// is declared, its calls are in flight.
	paused := order.Epoch != s.turned.Epoch && c.h.Options.InFlight > 0
	switch {
	case leaves > s.turned.T+c.skew && !paused:
		c.step(G6, s, i, d, []*Line{order, s.turned, l}, "attempt %d of the action of %s was sent: it was ordered for a time after the turn back", l.Attempt, l.Step)
	case l.T > s.turned.T+late:
		c.step(G6, s, i, d, []*Line{s.turned, l}, "the action of %s came in %s after the saga had turned back; a call is in flight for %s at most", l.Step, span(l.T-s.turned.T), span(late))
	}
}

func (sd *side) firstOrder() *Line {
	if len(sd.orders) == 0 {
		return nil
	}
	return sd.orders[0]
}

func (sd *side) hasAttempt(n int) bool {
	for _, o := range sd.orders {
		if o.Attempt == n {
			return true
		}
	}
	return false
}

// checkBody: one key and one body per generation (G8), a new generation only by
// an operator, and no key for two calls.
func (c *checker) checkBody(s *saga, i, d int, l *Line) {
	sd, g := s.at(i, d), l.generation()
	var b *body
	for k := range sd.bodies {
		if sd.bodies[k].generation == g {
			b = &sd.bodies[k]
		}
	}
	if b == nil {
		sd.bodies = append(sd.bodies, body{generation: g})
		b = &sd.bodies[len(sd.bodies)-1]
		if g > sd.raised && !s.holed {
			c.step(G8, s, i, d, []*Line{l}, "the %s of %s has key generation %d; operators raised it %d times", directions[d], l.Step, g, sd.raised)
		}
	}
	if l.Key != "" {
		if b.key == nil {
			b.key = l
			c.claimKey(s, i, d, l)
		} else if b.key.Key != l.Key {
			c.step(G8, s, i, d, []*Line{b.key, l}, "the %s of %s was sent under two keys, %q and %q", directions[d], l.Step, b.key.Key, l.Key)
		}
	}
	if l.BodySHA != "" {
		if b.sha == nil {
			b.sha = l
		} else if b.sha.BodySHA != l.BodySHA {
			c.step(G8, s, i, d, []*Line{b.sha, l}, "the %s of %s was sent with two bodies under one key", directions[d], l.Step)
		}
	}
}

func (c *checker) claimKey(s *saga, i, d int, l *Line) {
	first, taken := c.calls[l.Key]
	if !taken {
		c.calls[l.Key] = l
		return
	}
	c.step(G8, s, i, d, []*Line{first, l}, "the %s of %s uses the key of the %s of %s in saga %s", directions[d], l.Step, first.Direction, first.Step, first.Saga)
}
