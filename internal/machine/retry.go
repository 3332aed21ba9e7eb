package machine

import (
	"math"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/planted"
)

// backoff is the wait after the n-th answer in a row (n >= 1): exponential up
// to the policy's maximum, lengthened by up to a quarter, never shortened.
func backoff(r unwind.Retry, n uint32, rand uint64) Micros {
	base := float64(r.Initial) * math.Pow(r.Multiplier, float64(max(n, 1)-1))
	if !(base < float64(r.Max)) {
		base = float64(r.Max)
	}
	jitter := base / 4 * (float64(rand>>11) / (1 << 53))
	if planted.On(planted.ShortBackoff) {
		return Micros(base / 2000)
	}
	return Micros((base + jitter) / 1000)
}

// hinted is the wait that a Retry-After asks for. Most count whole seconds, so
// that all who were refused together are told the same: they come back spread
// over the second after it, not in one burst of which most is refused again.
func hinted(hint Micros, rand uint64) Micros {
	if hint <= 0 {
		return 0
	}
	return hint + Micros(float64(rand>>11)/(1<<53)*1e6)
}

// again orders the next attempt after an answer that was not final, or returns
// false where the policy or the key's lifetime allows none.
func (t *turn) again(step int, dir unwind.Direction, v verdict) (ordered bool, why unwind.Class) {
	side, call := t.State.Side(step, dir), t.plan.Call(step, dir)
	var wait Micros
	if v.counted {
		if side.Attempts >= side.Allowed && !(planted.On(planted.ExtraAttempt) && side.Attempts == side.Allowed) {
			return false, v.class
		}
		side.Waits = 0
		wait = max(backoff(call.Retry, side.Attempts, t.ev.Rand), t.ev.Answer.Hint)
	} else {
		side.Waits++
		wait = hinted(t.ev.Answer.Hint, t.ev.Rand)
		if wait <= 0 {
			wait = backoff(call.Retry, side.Waits, t.ev.Rand)
		}
	}
	if planted.On(planted.NewKeyOnRetry) {
		side.Generation++
	}
	at := t.ev.At + wait
	if keyExpired(side, call, at) {
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
func keyExpired(side *Side, call *PlanCall, at Micros) bool {
	ends := keyEnds(side, call)
	return ends > 0 && at >= ends
}

// keyEnds returns from when on an uncertain call may not be sent under its key;
// 0: never.
func keyEnds(side *Side, call *PlanCall) Micros {
	if call.KeyLifetime == 0 || !side.Uncertain || side.FirstSent == 0 {
		return 0
	}
	return side.FirstSent + call.KeyUse() + 1
}

// KeyUse is how long after its first send a key is used: what left later might
// come in when the participant has forgotten it.
func (c *PlanCall) KeyUse() Micros {
	if planted.On(planted.UseKeyToTheEnd) {
		return c.KeyLifetime
	}
	return c.KeyLifetime - min(c.Settle, c.KeyLifetime/2)
}
