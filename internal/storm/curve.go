package storm

import (
	"sort"
	"time"
)

// A curve is a drain over time, for pictures and for goals about reactions.
type curve struct {
	first        time.Time
	length       time.Duration
	borne, calls []time.Duration // arrivals since first; calls has the rejected ones too
	refunds      []time.Duration
	owed         int
	capacity     func(time.Duration) float64
}

func draw(e *evidence, first, last time.Time) curve {
	c := curve{first: first, length: last.Sub(first), capacity: e.capacity}
	for _, n := range e.owed {
		c.owed += n
	}
	for i := range e.arrivals {
		a := &e.arrivals[i]
		if !a.Compensation {
			continue
		}
		c.calls = append(c.calls, a.At.Sub(first))
		if a.Borne {
			c.borne = append(c.borne, a.At.Sub(first))
		}
	}
	seen := map[charge]bool{}
	for i := range e.refunds {
		r := charge{e.refunds[i].saga, e.refunds[i].step}
		if !seen[r] {
			seen[r] = true
			c.refunds = append(c.refunds, e.refunds[i].at.Sub(first))
		}
	}
	return c
}

// within counts the moments in a span; they are in order.
func within(at []time.Duration, from, to time.Duration) int {
	return sort.Search(len(at), func(i int) bool { return at[i] >= to }) - sort.Search(len(at), func(i int) bool { return at[i] >= from })
}

// lastAbove is the last moment between from and to at which the calls of the
// second before it were more than most; from, where there is none.
func (c *curve) lastAbove(from, to time.Duration, most float64) time.Duration {
	last := from
	for _, at := range c.calls {
		if at > from && at < to && float64(within(c.calls, at-time.Second, at+1)) > most {
			last = at
		}
	}
	return last
}

// firstBorne is the first moment from a second after from on at which at least
// so many calls were borne in the second before it.
func (c *curve) firstBorne(from time.Duration, least float64) (time.Duration, bool) {
	for _, at := range c.borne {
		if at >= from && float64(within(c.borne, max(at-time.Second, from), at+1)) >= least {
			return at, true
		}
	}
	return 0, false
}
