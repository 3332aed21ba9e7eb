package storm

import "time"

// depth is what is owed over time.
func (c *curve) depth() []point {
	points := []point{{0, float64(c.owed)}}
	for i, at := range c.refunds {
		points = append(points, point{at, float64(c.owed - i - 1)})
	}
	return append(points, point{c.length, float64(c.owed - len(c.refunds))})
}

// idealDepth is what would be owed by a caller that knows everything.
func idealDepth(v *Verdict, span float64) []point {
	c := &v.Ours.curve
	points, owed := []point{{0, float64(c.owed)}}, float64(c.owed)-float64(max(v.Spec.Burst, 1))
	const step = 100 * time.Millisecond
	for at := time.Duration(0); at.Seconds() <= span && owed > 0; at += step {
		points = append(points, point{at, owed})
		owed -= c.capacity(at) * step.Seconds()
	}
	return append(points, point{v.Ideal.Std(), 0})
}

// rejected are the calls that were not borne.
func (c *curve) rejected() []time.Duration {
	var list []time.Duration
	i := 0
	for _, at := range c.calls {
		if i < len(c.borne) && c.borne[i] == at {
			i++
			continue
		}
		list = append(list, at)
	}
	return list
}

// bucketOf is over how long calls are counted for a rate.
func bucketOf(span float64) time.Duration {
	if span <= 5 {
		return 200 * time.Millisecond
	}
	return time.Second
}

// rates counts moments per second.
func rates(at []time.Duration, span float64) []point {
	var points []point
	b := bucketOf(span)
	for from := time.Duration(0); from.Seconds() < span; from += b {
		points = append(points, point{from, float64(within(at, from, from+b)) / b.Seconds()})
	}
	return append(points, point{at: time.Duration(span * float64(time.Second))})
}

func (c *curve) peak(at []time.Duration, span float64) float64 {
	most := 1.0
	for _, p := range rates(at, span) {
		most = max(most, p.value)
	}
	return most
}

func capacities(capacity func(time.Duration) float64, span float64) []point {
	var points []point
	for at := time.Duration(0); at.Seconds() <= span; at += 100 * time.Millisecond {
		if v := capacity(at); len(points) == 0 || points[len(points)-1].value != v {
			points = append(points, point{at, v})
		}
	}
	return append(points, point{time.Duration(span * float64(time.Second)), capacity(time.Duration(span * float64(time.Second)))})
}
