package sim

import (
	"slices"

	"github.com/unwindhq/unwind/sagatest/history"
)

// Shrink takes out of a schedule what it can, as long as the same guarantee is
// broken, in at most so many runs.
func Shrink(s *Schedule, broken history.Guarantee, runs int) *Schedule {
	best := s
	fails := func(try *Schedule) bool {
		if runs--; runs < 0 {
			return false
		}
		r := Run(try)
		return slices.ContainsFunc(r.Violations, func(v history.Violation) bool { return v.Guarantee == broken })
	}
	for smaller := true; smaller && runs > 0; {
		smaller = false
		for _, try := range reductions(best) {
			if fails(try) {
				best, smaller = try, true
				break
			}
		}
	}
	return best
}

// reductions are the schedules that have one thing less, the large things first.
func reductions(s *Schedule) (all []*Schedule) {
	less := func(change func(*Schedule)) {
		c := *s
		change(&c)
		all = append(all, &c)
	}
	for n := len(s.Sagas) / 2; n > 0; n /= 2 {
		for i := 0; i+n <= len(s.Sagas); i += n {
			less(func(c *Schedule) { c.Sagas = slices.Delete(slices.Clone(s.Sagas), i, i+n) })
		}
	}
	for f := range faults {
		if s.Swarm.Has(f) {
			less(func(c *Schedule) { c.Swarm = s.Swarm.Without(f) })
		}
	}
	for i := range s.Incidents {
		if s.Swarm.Has(s.Incidents[i].Fault) {
			less(func(c *Schedule) { c.Incidents = slices.Delete(slices.Clone(s.Incidents), i, i+1) })
		}
	}
	for i := range s.Outages {
		less(func(c *Schedule) { c.Outages = slices.Delete(slices.Clone(s.Outages), i, i+1) })
	}
	for i := range s.Acts {
		less(func(c *Schedule) { c.Acts = slices.Delete(slices.Clone(s.Acts), i, i+1) })
	}
	for i := range s.Sagas {
		o := &s.Sagas[i]
		if o.Wait || o.Again+o.Reuse+o.Cancel+o.Ask > 0 {
			less(func(c *Schedule) {
				c.Sagas = slices.Clone(s.Sagas)
				c.Sagas[i] = Order{Label: o.Label, At: o.At, Recipe: o.Recipe, Signals: o.Signals}
			})
		}
	}
	if s.Lazy > 0 {
		less(func(c *Schedule) { c.Lazy = 0 })
	}
	return all
}
