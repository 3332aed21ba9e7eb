package flow

import "math"

// limit applies limits, at start and live.
func (t *target) limit(l Limits, now int64) {
	t.bound(l, now)
	t.adaptive.limited(l.Adaptive, l.Rate.micros())
	t.slots.configure(l.Adaptive, t.concurrency)
	t.crowd()
	t.breaker.configure(l.Breaker)
	t.repace(now)
}

// repace sets the pace to the least of what bounds it. A pace that was found is
// kept without bursts.
func (t *target) repace(now int64) {
	every, burst := t.effective.Rate.interval(), int64(t.effective.Burst)
	if t.adaptive.on {
		every, burst = max(every, t.adaptive.interval()), 1
	}
	if r := t.breaker.interval(); r > 0 {
		every, burst = max(every, r), 1
	}
	t.scope.repace(every, burst, now)
}

// crowd sets the concurrency to what was found.
func (t *target) crowd() {
	if t.adaptive.on {
		t.concurrency = t.slots.limit
	}
}

// ending reports whether a drain is about to end: little is left, and nothing has
// come for a while. A forward lane has no end.
func (t *target) ending(now int64) bool {
	return t.lane == Compensation && t.left == 0 && now-t.came > endingStill && int64(t.ready+t.delayed)*interval(t.adaptive.rate) < endingTime
}

// lastGood returns the rate that the service bore before it failed, in
// millionths of a call per second: the best second of the last minute, else what
// is configured.
func (t *target) lastGood(now int64) int64 {
	limit := t.effective.Rate.micros()
	if best := t.meter.best(now); best > 0 {
		return min(best*perCall, limit)
	}
	if limit == fastest {
		return firstRate
	}
	return limit
}

// measures fills in what was measured of the target.
func (t *target) measures(snap *Snapshot, now int64) {
	if t.quota.until > now {
		snap.Rate = min(snap.Rate, perSecond(t.quota.interval))
	}
	b := &t.breaker
	snap.Breaker, snap.BreakerMode, snap.Probing = b.state(now), b.mode, t.probing
	snap.BreakerSince = b.since
	if b.mode == BreakerAuto && b.open {
		snap.BreakerUntil = b.until
	}
	if b.interval() > 0 {
		snap.Ramp = b.step
	}
	if t.adaptive.on {
		snap.Adaptive, snap.Slots = float64(t.adaptive.rate)/float64(perCall), t.slots.limit
	}
	if c := t.meter.sum(now); c.ok+c.throttled+c.failed > 0 {
		all := float64(c.ok + c.throttled + c.failed)
		snap.Answers = int(c.ok + c.throttled + c.failed)
		snap.Throttled, snap.Failed = float64(c.throttled)/all, float64(c.failed)/all
	}
}

// Drain returns how long the target takes, in ns, for so many tasks at the rate
// and under the windows that hold now, from when its gate opens, with as many of the calls in vain as in
// the last minute; Never when that can't be told. Later gates are not foreseen.
func (s *Snapshot) Drain(tasks int, now int64) int64 {
	if tasks <= 0 {
		return 0
	}
	bound := s.Rate
	if s.Most > 0 {
		bound = min(bound, s.Most)
	}
	rate := bound * (1 - s.Throttled - s.Failed)
	if s.Paused || s.Breaker != BreakerShut || !(rate > 0) || bound > float64(longest) {
		return Never
	}
	return int64(min(float64(tasks)/rate*float64(second)+float64(max(0, s.GateUntil-now)), float64(longest)))
}

// going returns the calls per second at which the scope lets go, as configured
// where nothing else bounds them: an interval is rounded.
func (s *scope) going() float64 {
	if s.pace.interval == s.effective.Rate.interval() {
		return s.effective.Rate.Float()
	}
	return perSecond(s.pace.interval)
}

// perSecond returns the calls per second of an interval in ns.
func perSecond(interval int64) float64 {
	if interval == 0 {
		return math.Inf(1)
	}
	return float64(second) / float64(interval)
}

// brokenUntil explains an open breaker.
func (t *target) brokenUntil(now int64) Explanation {
	e := Explanation{Scope: t.name, Why: Broken, Until: max(now, t.breaker.until, t.gate.until)}
	if t.breaker.mode == BreakerOpen {
		e.Detail, e.Until = "held by an operator", Never
	}
	if t.probing {
		e.Detail, e.Until = "a probe is out", Never
	}
	return e
}

// pacedBy names what sets a target's pace, where that is not its limit.
func (t *target) pacedBy() string {
	switch every := t.pace.interval; {
	case every == t.breaker.interval() && every > 0:
		return "ramp"
	case t.adaptive.on && every == t.adaptive.interval():
		return "adaptive"
	}
	return ""
}
