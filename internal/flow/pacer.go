package flow

import (
	"math"
	"math/bits"

	"github.com/unwindhq/unwind/internal/planted"
)

// pacer spaces calls by the generic cell rate algorithm in its virtual
// scheduling form (ITU-T I.371, annex A), in integer nanoseconds: a call
// conforms at now when now >= tat - (burst-1)*interval, and moves tat to
// max(tat, now) + interval. So any n grants span at least (n-burst)*interval.
//
// It starts EMPTY: the first call goes one interval later. A bucket can't be
// emptier than that after any history of grants, so a restart that forgets
// everything keeps the bound above across the restart.
//
// The zero value paces nothing.
type pacer struct {
	interval int64 // ns from call to call; 0: no limit
	burst    int64
	tat      int64 // theoretical arrival time of the next call, ns
}

// eligible returns the time from which the next call conforms.
func (p *pacer) eligible() int64 {
	if p.interval == 0 {
		return math.MinInt64
	}
	return p.tat - (p.burst-1)*p.interval
}

// take charges one call.
func (p *pacer) take(now int64) {
	if p.interval != 0 && !planted.On(planted.IgnoreRate) {
		p.tat = max(p.tat, now) + p.interval
	}
}

// set changes rate and burst. The part of a call that has been saved up is
// kept, in units of calls, so that frequent changes neither starve the scope
// nor earn it anything; but never more than one call, so that no burst follows
// a change. From no limit it starts empty.
func (p *pacer) set(interval, burst, now int64) {
	if interval != 0 {
		interval = min(interval, longest)
		burst = max(1, min(burst, longest/interval))
	}
	if interval == p.interval && burst == p.burst {
		return
	}
	wait := interval
	if p.interval != 0 {
		wait = scale(max(0, p.eligible()-now), interval, p.interval)
	}
	if planted.On(planted.FullBucket) && p.interval == 0 {
		wait = -(burst - 1) * interval
	}
	p.interval, p.burst = interval, burst
	p.tat = now + wait + (burst-1)*interval
}

// calm takes away what was saved up beyond one call.
func (p *pacer) calm(now int64) {
	if p.interval != 0 {
		p.tat = max(p.tat, now+(p.burst-1)*p.interval)
	}
}

// scale returns n*num/den rounded up, at most longest; den > 0, others >= 0.
func scale(n, num, den int64) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(num))
	lo, carry := bits.Add64(lo, uint64(den-1), 0)
	hi += carry
	if hi >= uint64(den) {
		return longest
	}
	q, _ := bits.Div64(hi, lo, uint64(den))
	return int64(min(q, uint64(longest)))
}
