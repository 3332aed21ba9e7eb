package machine

import (
	"math"

	"github.com/unwindhq/unwind"
)

// backoff is the wait after the n-th answer in a row (n >= 1): exponential up
// to the policy's maximum, lengthened by up to a quarter, never shortened.
func backoff(r unwind.Retry, n uint32, rand uint64) Micros {
	base := float64(r.Initial) * math.Pow(r.Multiplier, float64(max(n, 1)-1))
	if !(base < float64(r.Max)) {
		base = float64(r.Max)
	}
	jitter := base / 4 * (float64(rand>>11) / (1 << 53))
	return Micros((base + jitter) / 1000)
}

// again orders the next attempt after an answer that was not final, or returns
// false where the policy or the key's lifetime allows none.
func (t *turn) again(step int, dir unwind.Direction, v verdict) (ordered bool, why unwind.Class) {
	side, call := t.State.Side(step, dir), t.plan.Call(step, dir)
	var wait Micros
	if v.counted {
		if side.Attempts >= side.Allowed {
			return false, v.class
		}
		side.Waits = 0
		wait = max(backoff(call.Retry, side.Attempts, t.ev.Rand), t.ev.Answer.Hint)
	} else {
		side.Waits++
		wait = t.ev.Answer.Hint
		if wait <= 0 {
			wait = backoff(call.Retry, side.Waits, t.ev.Rand)
		}
	}
	at := t.ev.At + wait
	if t.keyExpired(side, call, at) {
		if !call.HasStatus {
			return false, unwind.ClassKeyExpired
		}
		t.order(step, dir, at, true)
		return true, ""
	}
	t.order(step, dir, at, false)
	return true, ""
}

// keyExpired: the participant may have forgotten the key by then, and it may
// have executed under it.
func (t *turn) keyExpired(side *Side, call *PlanCall, at Micros) bool {
	return call.KeyLifetime > 0 && side.Uncertain && side.FirstSent > 0 && at > side.FirstSent+call.KeyLifetime
}
