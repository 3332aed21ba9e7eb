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

	adaptive adaptive
	meter    meter

	ready   int // tasks that are due
	delayed int // tasks that are not yet

	// Among targets that may go, the one that has been able to for longest
	// goes first, and among equals the one served least recently.
	since int64
	turn  uint64
}

// runnable reports whether the target waits for time alone.
func (t *target) runnable() bool {
	if !t.open() || t.fault.probing {
		return false
	}
	return t.byRank[0].open.len()+t.byRank[1].open.len()+t.byRank[2].open.len() > 0
}

// eligible returns the time from which pace, gate and probe allow a call.
func (t *target) eligible() int64 {
	if planted.On(planted.IgnoreGate) {
		return max(t.scope.eligible(), t.fault.until)
	}
	return max(t.scope.eligible(), t.gate.until, t.fault.until)
}
