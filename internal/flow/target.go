package flow

import "github.com/unwindhq/unwind/internal/planted"

// target is one lane of one service: its scope, its gate, its queues.
type target struct {
	scope
	id       int32
	lane     Lane
	byRank   [classes]class
	branches map[string]*branch // by saga type
	gate     gate
	fault    fault
	guard    guard

	breaker  breaker
	quota    quota
	adaptive adaptive
	slots    slots
	meter    meter
	probing  bool // a probe of the fault, the breaker or both is out
	hushed   bool // what is saved up is forgotten by the next grant

	queues  int // in memory
	ready   int // tasks that are due
	delayed int // tasks that are not yet
	left    int // queues that have left tasks in the store

	// Among targets that may go, the one that has been able to for longest
	// goes first, and among equals the one served least recently.
	since int64
	turn  uint64
	came  int64 // when a task was pushed that was due
}

// runnable reports whether the target waits for time alone.
func (t *target) runnable() bool {
	if !t.open() || t.probing || t.breaker.holds() {
		return false
	}
	return t.byRank[0].open.len()+t.byRank[1].open.len()+t.byRank[2].open.len() > 0
}

// eligible returns the time from which pace, gate and probe allow a call.
func (t *target) eligible() int64 {
	at := max(t.scope.eligible(), t.fault.until, t.breaker.eligible(), t.quota.eligible())
	switch {
	case planted.On(planted.IgnoreGate):
		return at
	case planted.On(planted.GateOneFlow) && t.ready > 1:
		return at
	}
	return max(at, t.gate.until)
}

// suspect reports whether the next call is a probe.
func (t *target) suspect() bool { return t.fault.open || t.breaker.probes() }

// hush forgets, before a grant, what was saved up while a gate was closed or a
// breaker open.
func (t *target) hush(now int64) {
	if t.hushed {
		t.pace.calm(now)
		t.hushed = false
	}
}

// took notes a grant where the scope doesn't.
func (t *target) took(now int64) {
	t.quota.take(now)
	t.probing = t.suspect() && !planted.On(planted.TwoProbes)
}
