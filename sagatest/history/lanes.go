package history

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/unwindhq/unwind"
)

// checkLanes judges the declared limits of every lane by the times at which
// calls came in (G10).
func (c *checker) checkLanes() {
	type laneName struct {
		service string
		side    int
	}
	var lanes map[laneName]*lane
	for _, name := range slices.Sorted(maps.Keys(c.h.Services)) {
		for d, limits := range [2]unwind.Limits{c.h.Services[name].Forward, c.h.Services[name].Compensation} {
			if limits.Rate.IsZero() && limits.Window.IsZero() && limits.Concurrency == 0 {
				continue
			}
			if lanes == nil {
				lanes = map[laneName]*lane{}
			}
			lanes[laneName{name, d}] = &lane{service: name, side: d, limits: limits}
		}
	}
	if lanes == nil {
		return
	}
	for _, s := range c.sagas {
		for i := range s.steps {
			for d := range s.steps[i].side {
				if l := lanes[laneName{s.plan.steps[i].side[d].service, d}]; l != nil {
					l.add(s.at(i, d), s.plan.steps[i].side[d].timeout)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.h.Services)) {
		for d := range directions {
			if l := lanes[laneName{name, d}]; l != nil {
				c.checkLane(l)
			}
		}
	}
}

// A lane has the calls that came in over one lane of a service.
type lane struct {
	service string
	side    int
	limits  unwind.Limits
	calls   []stay
}

// A stay is how long a call was worked on, as far as the engine waits for it.
type stay struct {
	line     *Line
	from, to Micros
}

// add adds the calls of one side. The next return of its attempt ends a call,
// and so does the engine's patience.
func (l *lane) add(sd *side, timeout Micros) {
	for _, in := range sd.invokes {
		to := in.T + timeout
		for _, r := range sd.returns {
			if r.Op == "" && r.Attempt == in.Attempt && r.T >= in.T {
				to = min(to, r.T)
				break
			}
		}
		l.calls = append(l.calls, stay{in, in.T, to})
	}
}

func (c *checker) checkLane(l *lane) {
	slices.SortStableFunc(l.calls, func(a, b stay) int { return cmp.Compare(a.from, b.from) })
	name := fmt.Sprintf("%s lane of %s", [2]string{"forward", "compensation"}[l.side], l.service)
	slack := micros(c.h.Options.Slack)
	report := func(from, at *Line, format string, args ...any) {
		c.report(Violation{Guarantee: G10, Service: l.service, Direction: directions[l.side], Message: "the " + name + " " + fmt.Sprintf(format, args...), form: format}, from, at)
	}
	l.checkRate(slack, report)
	l.checkWindow(slack, report)
	l.checkConcurrency(slack, report)
}

type reporter func(from, at *Line, format string, args ...any)

// checkRate: over any interval no more than burst + rate × interval. The
// virtual scheduling form of the generic cell rate algorithm (ITU-T I.371) holds
// that for all intervals at once.
func (l *lane) checkRate(slack Micros, report reporter) {
	r := l.limits.Rate
	if r.IsZero() {
		return
	}
	burst := int64(cmp.Or(l.limits.Burst, unwind.DefaultBurst))
	every := int64(r.Per) / r.Calls // ns, rounded down: in the lane's favour
	allowance := (burst-1)*every + int64(slack)*1000
	due, start, n := int64(0), 0, 0
	for i, call := range l.calls {
		t := int64(call.from) * 1000
		if i == 0 || t >= due {
			due, start, n = t, i, 0
		}
		if n++; t < due-allowance {
			report(l.calls[start].line, call.line, "took %d calls in %s; its rate is %s with burst %d", n, span(call.from-l.calls[start].from), r, burst)
			return
		}
		due += every
	}
}

func (l *lane) checkWindow(slack Micros, report reporter) {
	w := l.limits.Window
	if w.IsZero() {
		return
	}
	n := int(w.Calls)
	for i := n; i < len(l.calls); i++ {
		if first := l.calls[i-n]; l.calls[i].from-first.from+slack < micros(w.Per) {
			report(first.line, l.calls[i].line, "took %d calls in %s; its window is %s", n+1, span(l.calls[i].from-first.from), w)
			return
		}
	}
}

func (l *lane) checkConcurrency(slack Micros, report reporter) {
	if l.limits.Concurrency == 0 {
		return
	}
	var open []stay
	for _, call := range l.calls {
		open = slices.DeleteFunc(open, func(o stay) bool { return o.to <= call.from+slack })
		if open = append(open, call); len(open) > l.limits.Concurrency {
			report(open[0].line, call.line, "had %d calls at once; its concurrency is %d", len(open), l.limits.Concurrency)
			return
		}
	}
}
