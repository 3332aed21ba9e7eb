package sim

import (
	"cmp"
	"slices"
	"strings"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// A rule is a change of a scope that an operator asked for, as the operator
// remembers it. Nobody knows whether one without an answer holds.
type rule struct {
	reason  string // names it in the store
	limits  unwind.LimitsChange
	breaker unwind.BreakerMode
	reset   bool
	until   machine.Micros // by its process' clock; 0: for good
	sure    bool           // it was acknowledged, and its end is not durable
	ended   bool           // its end is durable
}

func (r *rule) over(now machine.Micros) bool { return r.until > 0 && r.until <= now }

// A scope is what the world knows of a scope of flow control: what may hold there,
// and what it was charged with (meter.go).
type scope struct {
	unwind.Scope
	configured node.Limits
	rules      []*rule
	paused     bool  // a pause was acknowledged, and nobody has asked for a resume since
	resumes    int   // asked for
	leave      int64 // when the pause of an operator is to end
	meter
}

func (w *world) scope(name unwind.Scope) *scope {
	s := w.scopes[name]
	if s == nil {
		s = &scope{Scope: name}
		s.configured.Limits = unwind.Limits{}
		w.scopes[name] = s
		w.named = append(w.named, s)
	}
	return s
}

// mayHold calls see with each rule that may hold at a time, the latest first, until
// one surely does; then with nil, which stands for what is configured.
func (s *scope) mayHold(now machine.Micros, says func(*rule) bool, see func(*rule)) {
	for i := len(s.rules) - 1; i >= 0; i-- {
		r := s.rules[i]
		if !says(r) {
			continue
		}
		see(r)
		if r.sure && !r.over(now) {
			return
		}
	}
	see(nil)
}

// Each of these returns the loosest that may hold; 0: no bound.

func (s *scope) rate(now machine.Micros) (per float64) {
	bounded := true
	s.mayHold(now, func(r *rule) bool { return r.limits.Rate != nil || r.reset }, func(r *rule) {
		l := s.configured.Rate
		if r != nil && r.limits.Rate != nil {
			l = *r.limits.Rate
		}
		if bounded = bounded && !l.IsZero(); bounded {
			per = max(per, l.CallsPerSecond())
		}
	})
	if !bounded {
		return 0
	}
	return per
}

func (s *scope) burst(now machine.Micros) (most float64) {
	s.mayHold(now, func(r *rule) bool { return r.limits.Burst != nil || r.reset }, func(r *rule) {
		b := s.configured.Burst
		if r != nil && r.limits.Burst != nil {
			b = *r.limits.Burst
		}
		most = max(most, float64(cmp.Or(b, unwind.DefaultBurst)))
	})
	return most
}

func (s *scope) concurrency(now machine.Micros) (most int) {
	bounded := true
	s.mayHold(now, func(r *rule) bool { return r.limits.Concurrency != nil || r.reset }, func(r *rule) {
		n := s.configured.Concurrency
		if r != nil && r.limits.Concurrency != nil {
			n = *r.limits.Concurrency
		}
		bounded = bounded && n > 0
		most = max(most, n)
	})
	if !bounded {
		return 0
	}
	return most
}

// windows returns all that may hold; none: there may be no bound.
func (s *scope) windows(now machine.Micros) (all []unwind.Rate) {
	bounded := true
	s.mayHold(now, func(r *rule) bool { return r.limits.Window != nil || r.reset }, func(r *rule) {
		l := s.configured.Window
		if r != nil && r.limits.Window != nil {
			l = *r.limits.Window
		}
		bounded = bounded && !l.IsZero()
		all = append(all, l)
	})
	if !bounded {
		return nil
	}
	return all
}

// heldOpen reports whether an operator surely holds the breaker open.
func (s *scope) heldOpen(now machine.Micros) bool {
	open := true
	s.mayHold(now, func(r *rule) bool { return r.breaker != "" }, func(r *rule) { open = open && r != nil && r.breaker == unwind.BreakerOpen })
	return open
}

// acknowledged: the rule holds. A reset takes the limits back that were set before.
func (s *scope) acknowledged(r *rule) {
	r.sure = true
	if !r.reset || !slices.Contains(s.rules, r) { // a process that took over knows better
		return
	}
	r.reset = false
	for _, before := range s.rules {
		if before == r {
			return
		}
		before.limits = unwind.LimitsChange{}
	}
}

// withdraw takes back what was refused.
func (s *scope) withdraw(r *rule) {
	s.rules = slices.DeleteFunc(s.rules, func(o *rule) bool { return o == r })
}

func (r *rule) in(c *store.Control) bool {
	return strings.Contains(string(c.Settings), `"`+r.reason+`"`)
}

// durable takes in what a control row says that was written: what was over then, and is
// not in it, has ended.
func (s *scope) durable(c *store.Control, now machine.Micros) {
	for _, r := range s.rules {
		if r.sure && r.over(now) && !r.in(c) {
			r.sure, r.ended = false, true
		}
	}
}

// stored takes in what a control row says that has come into force.
func (s *scope) stored(c *store.Control) {
	s.rules = slices.DeleteFunc(s.rules, func(r *rule) bool { return r.ended && !r.in(c) })
}

// settle says, for a process that begins, which changes without an answer hold.
func (s *scope) settle(c *store.Control, now machine.Micros) {
	kept := s.rules[:0]
	for _, r := range s.rules {
		is := r.in(c)
		if is && !r.sure {
			s.acknowledged(r)
		}
		if is || r.sure && !r.over(now) {
			kept = append(kept, r)
		}
	}
	s.rules = kept
}
