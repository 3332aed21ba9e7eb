package machine

import "github.com/unwindhq/unwind"

// A State is where one saga stands. It is a value: [Next] never changes the one
// it is given. Outputs are not part of it; the journal holds them.
type State struct {
	Version    uint64 // transitions applied so far
	Phase      Phase
	CreatedAt  Micros
	UpdatedAt  Micros
	DeadlineAt Micros
	// DeadlinePassed: the deadline has been acted on.
	DeadlinePassed bool
	// Cancelling: a cancel waits for the answer of the pivot that is running.
	Cancelling bool
	Steps      []Step
}

// A Phase is a saga's status as the machine keeps it.
type Phase uint8

// The phases; a saga rests in the last three.
const (
	Running Phase = iota
	Compensating
	Completed
	Compensated
	DeadLettered
)

// AtRest reports whether the saga makes no call until an operator acts.
func (p Phase) AtRest() bool { return p >= Completed }

var phaseNames = [...]unwind.Status{unwind.Running, unwind.Compensating, unwind.Completed, unwind.Compensated, unwind.DeadLettered}

// Status returns the phase as users see it.
func (p Phase) Status() unwind.Status { return phaseNames[p] }

// String returns the status' text.
func (p Phase) String() string { return string(phaseNames[p]) }

// A Step is where one step stands.
type Step struct {
	Status    StepStatus
	Comp      CompStatus
	Dead      bool // a forward dead letter
	StartedAt Micros
	EndedAt   Micros
	Action    Side
	Undo      Side
}

// A Side is one direction of a step.
type Side struct {
	// Ordered: a call is out, or waits to be sent, under the attempt Attempts+1.
	Ordered bool
	// Asking: what is ordered is a question to the status path, not the call.
	Asking bool
	// Uncertain: some attempt may have executed without our knowing.
	Uncertain bool
	// Replayed: an operator has the dead letter of this side called again.
	Replayed   bool
	Attempts   uint32 // counted attempts
	Throttled  uint32 // attempts that did not count
	Waits      uint32 // uncounted answers in a row; the exponent of their backoff
	Misses     uint32 // questions in a row that the status path did not answer
	Allowed    uint32 // how many counted attempts may be made
	Generation uint32 // of the key
	NotBefore  Micros // when what is ordered may leave, or a wait ends
	Since      Micros // from when give_up_after counts
	FirstSent  Micros // no send that may have executed under this key lies before this
	LastSent   Micros // no send lies after this
}

// A StepStatus is where an action stands.
type StepStatus uint8

// The states of an action.
const (
	StepPending StepStatus = iota
	StepRunning
	StepAwaiting
	StepSucceeded
	StepFailed
	StepSkipped
)

var stepNames = [...]unwind.StepStatus{unwind.StepPending, unwind.StepRunning, unwind.StepAwaiting, unwind.StepSucceeded, unwind.StepFailed, unwind.StepSkipped}

// Status returns the state as users see it.
func (s StepStatus) Status() unwind.StepStatus { return stepNames[s] }

// A CompStatus is where a compensation stands.
type CompStatus uint8

// The states of a compensation.
const (
	CompNone CompStatus = iota
	CompPending
	CompQueued
	CompAwaiting
	CompDone
	CompDead
	CompResolved
)

var compNames = [...]unwind.CompensationStatus{unwind.CompensationNone, unwind.CompensationPending, unwind.CompensationQueued, unwind.CompensationAwaiting,
	unwind.CompensationCompensated, unwind.CompensationDeadLettered, unwind.CompensationResolved}

// Status returns the state as users see it.
func (c CompStatus) Status() unwind.CompensationStatus { return compNames[c] }

// Side returns one direction of a step.
func (s *State) Side(step int, dir unwind.Direction) *Side {
	if dir == unwind.Action {
		return &s.Steps[step].Action
	}
	return &s.Steps[step].Undo
}

// PastPivot reports whether there is only forward.
func (s *State) PastPivot(p *Plan) bool {
	for i := range s.Steps {
		if p.Steps[i].Pivot && s.Steps[i].Status == StepSucceeded {
			return true
		}
	}
	return false
}

func (s State) clone() State {
	s.Steps = append(make([]Step, 0, len(s.Steps)), s.Steps...)
	return s
}
