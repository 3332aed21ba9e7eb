package flow

import "github.com/unwindhq/unwind/internal/planted"

// beCareful begins again far below what was taken until now, where slow start was refused
// early and at once again. The service is slow, or others leave little of it: where they
// empty the bucket first, what was taken was won from them, and is more than what is left.
func (a *adaptive) beCareful(now int64) {
	if planted.On(planted.Careless) {
		return
	}
	share := max(carefulLeast, a.count*100/carefulPart)
	rate := scale(a.count*perCall, second, max(1, now-a.times[0])) * share / 100
	if rate < a.rate {
		a.rate, a.peak = rate, rate*100/keep
	}
	a.careful, a.seek = true, true
}
