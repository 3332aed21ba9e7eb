package flow

// Shift moves the times of a reservation by so many ns, for a caller whose clock
// was set since it was written.
func (r *Reservation) Shift(by int64) {
	if r.Until != 0 {
		r.Until += by
	}
	for i := range r.Window {
		r.Window[i].Until += by
	}
	if r.Target.GateUntil != 0 {
		r.Target.GateUntil += by
	}
	if b, err := ParseBreakerRecord(r.Target.Breaker); err == nil && (b.Until != 0 || b.Since != 0) {
		if b.Until != 0 {
			b.Until += by
		}
		if b.Since != 0 {
			b.Since += by
		}
		r.Target.Breaker = b.Append(nil)
	}
}
