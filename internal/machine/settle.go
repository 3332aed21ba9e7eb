package machine

import "github.com/unwindhq/unwind"

// Settles is from when an order may be sent, whoever is in a hurry; 0: at once. Until
// then what was sent before it may take effect: a compensation must not overtake its
// action, and "not done" is not to be said of a call that is still on its way.
func Settles(p *Plan, s *State, step int, dir unwind.Direction) Micros {
	switch side := s.Side(step, dir); {
	case side.Asking && !s.awaiting(step, dir):
		return side.LastSent + p.Call(step, dir).Settle
	case dir == unwind.Compensation:
		return s.actionSettles(p, step)
	}
	return 0
}

// actionSettles is from when a step's action takes effect no more that has not; 0: it
// is not known to be under way.
func (s *State) actionSettles(p *Plan, step int) Micros {
	if !s.MayHaveExecuted(step) {
		return 0
	}
	return s.Steps[step].Action.LastSent + p.Steps[step].Action.Settle
}
