package flow

import "math"

// limit applies limits, at start and live.
func (t *target) limit(l Limits, now int64) {
	t.bound(l, now)
	t.adaptive.limited(l.Adaptive, l.Rate.micros())
	t.repace(now)
}

// repace sets the pace to the least of what bounds it. A pace that was found is
// kept without bursts.
func (t *target) repace(now int64) {
	every, burst := t.effective.Rate.interval(), int64(t.effective.Burst)
	if t.adaptive.on {
		every, burst = max(every, t.adaptive.interval()), 1
	}
	t.scope.repace(every, burst, now)
}

// measures fills in what was measured of the target.
func (t *target) measures(snap *Snapshot, now int64) {
	snap.Rate = perSecond(t.pace.interval)
	if t.adaptive.on {
		snap.Adaptive = float64(t.adaptive.rate) / float64(perCall)
	}
	if c := t.meter.sum(now); c.ok+c.throttled+c.failed > 0 {
		all := float64(c.ok + c.throttled + c.failed)
		snap.Throttled, snap.Failed = float64(c.throttled)/all, float64(c.failed)/all
	}
}

// Drain returns how long the target takes, in ns, for so many tasks at the rate
// that holds now; Never when that can't be told.
func (s *Snapshot) Drain(tasks int) int64 {
	if tasks <= 0 {
		return 0
	}
	if s.Paused || !(s.Rate > 0) || s.Rate > float64(longest) {
		return Never
	}
	return int64(min(float64(tasks)/s.Rate*float64(second), float64(longest)))
}

// perSecond returns the calls per second of an interval in ns.
func perSecond(interval int64) float64 {
	if interval == 0 {
		return math.Inf(1)
	}
	return float64(second) / float64(interval)
}
