package sim

import (
	"context"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/sagatest/history"
)

// A meter counts what left under a scope, and what came in.
type meter struct {
	tokens float64 // that a bucket would hold which is filled by the loosest that may hold
	at     int64
	calls  []metered
}

// A metered call has those windows that may have held when it left.
type metered struct {
	f       *flight
	windows []unwind.Rate
}

// fill moves the bucket on to now, before anything changes about what may hold.
func (s *scope) fill(now int64, clock machine.Micros) {
	per, most := s.rate(clock), s.burst(clock)
	if per == 0 {
		s.tokens = most
	} else {
		s.tokens = min(s.tokens+per*float64(now-s.at)/float64(second), most)
	}
	s.at = now
}

// scopes are those that a call is charged in.
func (p *process) scopes(f *flight) (all [4]*scope) {
	if f.kind.name != "" {
		all[0] = p.w.scope(unwind.Scope{Kind: unwind.ScopeKind(laneNames[f.place.dir]), Name: f.kind.name})
	}
	if f.place.dir == 1 {
		name, tenant := f.Plan.Name, p.w.sagas[f.Saga].tenant
		all[1] = p.w.scope(unwind.Scope{Kind: unwind.ScopeGlobal})
		all[2] = p.w.scope(unwind.Scope{Kind: unwind.ScopeSagaType, Name: name})
		all[3] = p.w.scope(unwind.Scope{Kind: unwind.ScopeTenant, Name: name, Tenant: tenant})
	}
	return all
}

// meter judges a call that leaves by every scope that it is charged in. One that an
// operator sends now goes past pauses, breakers and rates, and is charged all the same.
func (p *process) meter(f *flight) {
	w := p.w
	clock := p.moment0()
	for _, s := range p.scopes(f) {
		if s == nil {
			continue
		}
		if p.paused[s.Scope] && !f.now {
			w.fail(history.G10, f.Saga.String(), "%s was sent while %s is paused", f.Key, s.Scope)
		}
		if !f.now && len(s.rules) > 0 && s.heldOpen(clock) {
			w.fail(history.G10, f.Saga.String(), "%s was sent while an operator holds the breaker of %s open", f.Key, s.Scope)
		}
		s.fill(w.now, clock)
		if s.tokens--; s.tokens < -1e-6 && !f.now && s.rate(clock) > 0 && !w.shared() {
			w.fail(history.G10, f.Saga.String(), "%s was sent %.1fms before the rate of %s, %g/s with burst %g, let it go", f.Key, -s.tokens*1000/s.rate(clock), s.Scope, s.rate(clock), s.burst(clock))
		}
		p.out[s.Scope]++
		if most := s.concurrency(clock); most > 0 && p.out[s.Scope] > most {
			w.fail(history.G10, f.Saga.String(), "%s was sent as the %dth call that is out under %s, whose concurrency is %d", f.Key, p.out[s.Scope], s.Scope, most)
		}
		if windows := s.windows(clock); len(windows) > 0 || len(s.calls) > 0 {
			s.calls = append(s.calls, metered{f, windows})
		}
	}
}

// unmeter gives back what a call took of a concurrency.
func (p *process) unmeter(f *flight) {
	for _, s := range p.scopes(f) {
		if s != nil {
			p.out[s.Scope]--
		}
	}
}

// shared: two processes call at once, which share no limits.
func (w *world) shared() bool { return w.plan.Swarm.Has(TakeOver) }

// checkWindows judges what receivers counted. At whatever time a call of a window was
// granted, all that came in within a span of it held an entry.
func (w *world) checkWindows() {
	if w.shared() {
		return
	}
	for _, s := range w.named {
		for i := range s.calls {
			if c := &s.calls[i]; len(c.windows) > 0 && c.f.came > 0 {
				w.checkWindow(s, i)
			}
		}
	}
}

func (w *world) checkWindow(s *scope, i int) {
	c := &s.calls[i]
	worst := ""
	for _, win := range c.windows {
		per := int64(win.Per) / 1000
		var at []int64
		for k := range i + 1 {
			if t := s.calls[k].f.came; t > 0 && t > c.f.came-per && t < c.f.came+per {
				at = append(at, t)
			}
		}
		slices.Sort(at)
		most := 0
		for from, to := 0, 0; to < len(at); to++ {
			for at[to]-at[from] >= per {
				from++
			}
			most = max(most, to-from+1)
		}
		if most <= int(win.Calls) {
			return
		}
		worst = win.String()
	}
	w.fail(history.G10, c.f.Saga.String(), "%s came in at %dms as one more than the window of %s, %s, admits", c.f.Key, c.f.came/millis, s.Scope, worst)
}

// checkRules: what holds at a node is what operators have set, and ends when it is over.
func (w *world) checkRules() {
	p := w.current
	if p == nil || p.frozen {
		return
	}
	clock := p.moment0()
	for _, s := range w.named {
		if len(s.rules) == 0 {
			continue
		}
		rate, fits := p.node.Limits(s.Scope).Rate, false
		s.mayHold(clock, func(r *rule) bool { return r.limits.Rate != nil || r.reset }, func(r *rule) {
			l := s.configured.Rate
			if r != nil && r.limits.Rate != nil {
				l = *r.limits.Rate
			}
			fits = fits || l == rate
		})
		if !fits {
			w.fail(history.G10, "", "the rate of %s is %s at process %s, and no operator has set it so", s.Scope, rate, p.name)
		}
	}
	w.checkEnds(clock)
}

// checkEnds: what was set for a while ends.
func (w *world) checkEnds(clock machine.Micros) {
	if !w.calm || w.now < w.plan.Calm+patientEnd {
		return
	}
	rows, err := w.store.Controls(context.Background())
	if err != nil {
		panic(err)
	}
	for i := range rows {
		set, err := node.DecodeSettings(rows[i].Settings)
		if at := set.Next(); err != nil || at > 0 && at < clock-machine.Micros(patientEnd) {
			w.fail(history.Liveness, "", "what was set at %s for a while was to end %.1fs ago: %v", rows[i].Scope, float64(clock-at)/1e6, err)
		}
	}
}

// patientEnd is how long after its time, and after the trouble, a change may hold.
const patientEnd = 5 * second
