package flow

import "math"

// Never is the time of something that no clock brings about.
const Never = math.MaxInt64

// Lane is a direction of calls to a service. The zero value is Forward. It is
// two bytes wide so that a TaskKey has no padding and hashes as one block.
type Lane uint16

const (
	// Forward carries actions.
	Forward Lane = iota
	// Compensation carries what undoes them.
	Compensation

	lanes = 2
)

func (l Lane) String() string {
	if l == Compensation {
		return "compensation"
	}
	return "forward"
}

// Target is one lane of one service: what is paced, gated and paused as one.
type Target struct {
	Service string
	Lane    Lane
}

// Scope returns the scope that limits the target alone.
func (t Target) Scope() Scope {
	if t.Lane == Compensation {
		return Scope{Kind: ScopeCompensation, Name: t.Service}
	}
	return Scope{Kind: ScopeForward, Name: t.Service}
}

// Class is the priority of a task among the tasks of its target. A higher
// class goes first; a lower one that waits keeps at least 5% of the grants.
// The zero value is Normal.
type Class uint8

const (
	// Normal is for what is neither Money nor Low.
	Normal Class = iota
	// Money goes first: somebody is out of pocket until it is done.
	Money
	// Low goes last.
	Low

	classes = 3
)

func (c Class) String() string {
	switch c {
	case Money:
		return "money"
	case Low:
		return "low"
	}
	return "normal"
}

// rank orders the classes, 0 first. A value that is no class counts as Low.
func (c Class) rank() int {
	switch c {
	case Money:
		return 0
	case Normal:
		return 1
	}
	return 2
}

// TaskKey names a task: one direction of one step of one saga.
type TaskKey struct {
	Saga [16]byte
	Step uint16
	Lane Lane
}

// Task is one call that wants to be made.
type Task struct {
	Key      TaskKey
	Target   Target
	SagaType string // the definition's name; selects the saga-type scope
	Tenant   string // selects the tenant's scope; not kept on a forward lane
	Class    Class
	Due      int64 // ns; not granted before. Zero is due at once.
}

// Queue names the tasks that keep first in, first out among themselves.
type Queue struct {
	Target   Target
	SagaType string
	Tenant   string
	Class    Class
}

// Queue returns the queue that the task waits in. All of a forward lane wait in one
// line, first in, first out. A class that is none is Low.
func (t Task) Queue() Queue {
	q := Queue{Target: t.Target, SagaType: t.SagaType, Class: min(t.Class, Low)}
	if t.Target.Lane == Compensation {
		q.Tenant = t.Tenant
	}
	return q
}
