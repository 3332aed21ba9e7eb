package flow

// GuardRun is how many distinct sagas in a row, dead-lettered with one
// fingerprint, pause their lane: a bad deployment makes five dead letters, not
// ten thousand.
const GuardRun = 5

// guard watches for one fault that dead-letters saga after saga.
type guard struct {
	fingerprint string
	sagas       [GuardRun][16]byte
	n           int
}

func (g *guard) reset() { *g = guard{} }

// add counts a dead letter and reports whether the run is complete. The fingerprint is
// of what the target said, not of the saga type: types take turns at a lane. A saga
// counts once; another fingerprint begins another run.
func (g *guard) add(saga [16]byte, fingerprint string) bool {
	if g.n > 0 && g.fingerprint != fingerprint {
		g.reset()
	}
	for _, s := range g.sagas[:g.n] {
		if s == saga {
			return false
		}
	}
	g.fingerprint = fingerprint
	g.sagas[g.n] = saga
	g.n++
	return g.n == GuardRun
}

// DeadLettered counts a dead letter of the target. When it completes a run of
// GuardRun distinct sagas in a row with one fingerprint, with no success on
// the target in between, the lane pauses itself and paused is true: the caller
// makes the pause durable and alerts. A lane that is paused already counts
// nothing.
func (s *Scheduler) DeadLettered(target Target, saga [16]byte, fingerprint string, now int64) (paused bool) {
	t := s.target(target, now)
	if t.paused || !t.guard.add(saga, fingerprint) {
		return false
	}
	t.guard.reset()
	t.pause("lane guard: "+fingerprint, Never)
	s.refresh(t, now)
	return true
}
