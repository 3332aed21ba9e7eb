package flow

import "github.com/unwindhq/unwind/internal/planted"

// target is one lane of one service: its scope, its gate, its queues.
type target struct {
	scope
	id     int32
	lane   Lane
	byRank [classes]class
	gate   gate
	fault  fault
	guard  guard

	ready   int // tasks that are due
	delayed int // tasks that are not yet

	// Among targets that may go, the one that has been able to for longest
	// goes first, and among equals the one served least recently.
	since int64
	turn  uint64
}

// class holds the queues of one priority.
type class struct {
	queues []*queue
	open   heap // queues with a due task whose branch is not parked, by order of the head
	passed int  // grants that went to others while this class waited
}

// passedMost is how often a lower class is passed over before it goes first.
// When both lower classes are owed at once, one waits a single grant more: each
// has at least one grant in twenty, 5%.
const passedMost = 18

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
		return max(t.pace.eligible(), t.fault.until)
	}
	return max(t.pace.eligible(), t.gate.until, t.fault.until)
}

// choose returns the queue whose head goes next, nil when none is open.
func (t *target) choose() *queue {
	best, owed := -1, passedMost-1
	for i := range t.byRank {
		c := &t.byRank[i]
		if c.open.len() == 0 {
			continue
		}
		if best < 0 {
			best = i
		}
		if i > 0 && c.passed > owed {
			best, owed = i, c.passed
		}
	}
	if best < 0 {
		return nil
	}
	c := &t.byRank[best]
	return c.queues[c.open.top().id]
}

// served keeps the account of who was passed over.
func (t *target) served(rank int) {
	for i := range t.byRank {
		if c := &t.byRank[i]; i == rank {
			c.passed = 0
		} else if c.open.len() > 0 {
			c.passed++
		}
	}
}
