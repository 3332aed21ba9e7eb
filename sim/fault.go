package sim

import "strings"

// A Fault is one kind of trouble.
type Fault uint8

// The kinds of trouble. A schedule has some of them.
const (
	Crash         Fault = iota // the process ends between two events
	TakeOver                   // the process is paused, another takes over, it wakes up
	Freeze                     // the process is paused for a while
	Drain                      // it is asked to end, and another begins
	ClockStep                  // the next process finds the clock set back or forth
	CommitError                // a commit fails: nothing is written
	SlowCommit                 // a commit takes long
	ReadError                  // a read of the store fails
	SlowRead                   // a read is answered long after it was made
	Conflict                   // somebody else writes a saga
	Purge                      // sagas at rest are deleted
	LostRequest                // a call does not arrive
	SlowRequest                // it arrives after its timeout
	Duplicate                  // it arrives twice
	NotSent                    // the connection is refused
	Broken                     // the connection breaks after the call was sent
	LostAnswer                 // the answer does not arrive
	LateAnswer                 // it arrives after the timeout
	ServerError                // 5xx
	Hang                       // no answer, whether it was carried out or not
	Throttle                   // 429
	Unavailable                // 503
	Credential                 // 401
	Garbage                    // an answer that can't be read
	InProgress                 // 425
	Refuse                     // an action is refused, or invalid
	RefuseUndo                 // a compensation is
	NeverComplete              // an accepted call is not completed
	Outage                     // a service answers badly for a while
	PauseLane                  // an operator pauses a lane
	PauseScope                 // one pauses any scope
	ChangeLimits               // one changes its limits, for a while or for good
	HoldBreaker                // one holds a breaker open or closed
	OpenGate                   // one opens the gate of a lane
	SendNow                    // one has a waiting call sent at once
	LateUndo                   // starts wait for undo lanes that are late
	faults
)

var faultNames = [faults]string{"crash", "take-over", "freeze", "drain", "clock step", "commit error", "slow commit", "read error", "slow read",
	"conflict", "purge", "lost request", "slow request", "duplicate", "not sent", "broken connection", "lost answer", "late answer", "5xx", "hang",
	"429", "503", "401", "garbage", "in progress", "refused action", "refused compensation", "never completed", "outage", "paused lane",
	"paused scope", "changed limits", "held breaker", "opened gate", "call sent now", "late undo"}

// String returns the fault's name.
func (f Fault) String() string { return faultNames[f] }

// A Swarm is a set of faults.
type Swarm uint64

// Has reports whether f is in the set.
func (s Swarm) Has(f Fault) bool { return s&(1<<f) != 0 }

// With returns the set with f.
func (s Swarm) With(f Fault) Swarm { return s | 1<<f }

// Without returns the set without f.
func (s Swarm) Without(f Fault) Swarm { return s &^ (1 << f) }

// String lists the faults.
func (s Swarm) String() string {
	var names []string
	for f := range faults {
		if s.Has(f) {
			names = append(names, f.String())
		}
	}
	return strings.Join(names, ", ")
}

// Counts counts faults by kind.
type Counts [faults]int64

func (c *Counts) add(o *Counts) {
	for f := range o {
		c[f] += o[f]
	}
}

// Total is how many there were.
func (c *Counts) Total() (n int64) {
	for _, v := range c {
		n += v
	}
	return n
}
