package history

import "github.com/unwindhq/unwind"

type startKey struct{ tenant, name, key string }

// A request is everything under one request key.
type request struct {
	sagas []*saga
	lines []*Line
}

// checkStarts judges what clients were told (G1, G2, G14).
func (c *checker) checkStarts() {
	var keys []startKey
	requests := make(map[startKey]*request, len(c.sagas))
	get := func(k startKey) *request {
		r := requests[k]
		if r == nil {
			r = &request{}
			requests[k] = r
			keys = append(keys, k)
		}
		return r
	}
	for _, s := range c.sagas {
		if s.started != nil && s.started.data().Key != "" {
			r := get(startKey{s.started.data().Tenant, s.started.Name, s.started.data().Key})
			r.sagas = append(r.sagas, s)
		}
	}
	for i := range c.h.Client {
		l := &c.h.Client[i]
		if l.Event == Cut {
			continue
		}
		if l.Op == OpStart && l.RequestKey != "" {
			r := get(startKey{l.Tenant, l.Name, l.RequestKey})
			r.lines = append(r.lines, l)
		}
		if l.Event == Return && l.Saga != "" {
			c.checkTold(c.byID[l.Saga], l)
		}
	}
	for _, k := range keys {
		c.checkRequest(k, requests[k])
	}
}

// checkTold judges one answer about one saga.
func (c *checker) checkTold(s *saga, l *Line) {
	if s.started == nil && (l.Outcome == OK || l.Op != OpStart) {
		if l.Outcome == OK && !s.holed && !c.missing("engine", "", 0, l.T) {
			c.saga(G1, s, []*Line{l}, "the saga was acknowledged and the journal does not have it")
		}
		return
	}
	switch {
	case l.Op == OpStart && l.Outcome == OK:
		c.checkAcknowledged(s, l)
	case l.Op == OpGet && l.Outcome == Fail && l.Status == 404 && s.started.T <= l.T && s.lastEnd == nil:
		c.saga(G1, s, []*Line{s.started, l}, "the saga was begun and then not found")
	case l.Outcome == OK:
		c.checkOperated(s, l)
	}
	if l.Outcome == OK && l.SagaStatus.AtRest() && !s.holed && !s.cutOff && !s.restedAs(l.SagaStatus, l.T+c.skew) {
		c.saga(G2, s, []*Line{l, s.lastEnd}, "a client was told that the saga is %s; the journal had not ended it so", l.SagaStatus)
	}
}

func (s *saga) restedAs(status unwind.Status, by Micros) bool {
	for _, l := range s.journal {
		if l.Kind == unwind.EntrySagaEnded && l.data().Ended == status && l.T <= by {
			return true
		}
	}
	return false
}

func (c *checker) checkAcknowledged(s *saga, l *Line) {
	d := s.started.data()
	switch {
	case s.started.T > l.T+c.skew:
		c.saga(G1, s, []*Line{l, s.started}, "the start was acknowledged %s before it was durable", span(s.started.T-l.T))
	case l.InputSHA != "" && d.InputSHA != "" && l.InputSHA != d.InputSHA:
		c.saga(G1, s, []*Line{s.started, l}, "a start with another input was answered with this saga; the key was to be refused")
	case l.RequestKey != "" && d.Key != "" && l.RequestKey != d.Key:
		c.saga(G1, s, []*Line{s.started, l}, "a start with the key %q was answered with the saga of the key %q", l.RequestKey, d.Key)
	}
}

// checkOperated: an acknowledged act of an operator is in the journal.
func (c *checker) checkOperated(s *saga, l *Line) {
	if s.holed || s.cutOff {
		return
	}
	want, ok := actOps[l.Op]
	if !ok {
		return
	}
	for _, a := range s.acts {
		if opOf(a) == l.Op || l.Op == OpCancel && turns(a) {
			if l.Step == "" || a.Step == "" || a.Step == l.Step {
				return
			}
		}
	}
	c.saga(G14, s, []*Line{l}, "a %s was acknowledged and the journal has no %s", l.Op, want)
}

// turns reports whether an entry turns the saga back, or has it turn back as soon
// as that is possible: an acknowledged cancel may add nothing to it.
func turns(l *Line) bool {
	return l.Kind == unwind.EntrySagaCompensating || l.Kind == unwind.EntryCancelRequested || l.Kind == unwind.EntryTimerFired
}

// checkRequest: one saga per key, and none that was refused.
func (c *checker) checkRequest(k startKey, r *request) {
	retention := micros(c.h.Options.KeyRetention)
	for n, s := range r.sagas {
		for _, o := range r.sagas[:n] {
			apart := max(s.started.T-o.started.T, o.started.T-s.started.T)
			if retention == 0 || apart+c.skew < retention {
				c.saga(G1, s, []*Line{o.started, s.started}, "the key %q of %s names two sagas, %s and %s", k.key, k.name, o.id, s.id)
				break
			}
		}
		c.checkRefused(s, r.lines)
	}
}

// checkRefused: a saga whose every start was refused does not exist.
func (c *checker) checkRefused(s *saga, lines []*Line) {
	calls, refused := 0, 0
	var proof *Line
	for _, l := range lines {
		if in := s.started.data().InputSHA; in != "" && l.InputSHA != "" && in != l.InputSHA {
			continue
		}
		switch {
		case l.Event == Invoke && l.T <= s.started.T+c.skew:
			calls++
		case l.Event == Return && l.Outcome == Fail:
			refused++
			proof = l
		case l.Event == Return:
			return
		}
	}
	if calls > 0 && refused >= calls {
		c.saga(G1, s, []*Line{proof, s.started}, "the start was refused and the saga exists")
	}
}
