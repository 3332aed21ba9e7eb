package store

import (
	"context"
	"strconv"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
)

// DeadLetters reads dead letters, and keeps what people note about them.
// Transitions write them.
type DeadLetters interface {
	// DeadLetters returns dead letters in the order of (DeadAt, saga, step), newest
	// first, of one step the compensation before the action.
	DeadLetters(ctx context.Context, f DeadLetterFilter) (items []DeadLetter, next string, err error)
	// DeadLetter returns one dead letter, or ErrNotFound.
	DeadLetter(ctx context.Context, dead DeadLetterID) (DeadLetter, error)
	// DeadLetterGroups counts dead letters by group, exactly, in the order of groups.
	// Of more than [MaxGroups] those whose newest died last are there.
	DeadLetterGroups(ctx context.Context) ([]DeadLetterGroup, error)
	// AddNote adds a note with its audit row, and makes Owner, where it is not empty,
	// the dead letter's. ErrNotFound: there is no such dead letter.
	AddNote(ctx context.Context, epoch int64, dead DeadLetterID, note Note, audit Audit) error
	// Notes returns the notes on a dead letter, oldest first, the last [MaxNotes] of them.
	Notes(ctx context.Context, dead DeadLetterID) ([]Note, error)
}

// Bounds on what is read at once.
const (
	MaxGroups = 10_000
	MaxNotes  = 100
)

// A DeadLetterID names a dead letter: one per saga, step and direction.
type DeadLetterID struct {
	Saga      id.ID
	Step      int
	Direction unwind.Direction
}

// Name is what it is called outside: <saga>.<step's index>.<a or c>.
func (d DeadLetterID) Name() string {
	return d.Saga.String() + "." + strconv.Itoa(d.Step) + "." + string(d.Direction[0])
}

// A DeadLetter is a stored dead letter.
type DeadLetter struct {
	DeadLetterID
	SagaType, Tenant  string
	StepName, Service string
	Key               string
	Attempts          int
	Throttled         int
	FirstAt, DeadAt   int64
	Error             unwind.CallError
	Group             string
	State             unwind.DeadLetterState
	Amount            string // a JSON number, or empty
	By                string
	Reason, Evidence  string
	UpdatedAt         int64
	// Owner is who looks after it ([DeadLetters].AddNote).
	Owner string
	// Replays counts its moves to replaying; Item is what the last of them was for.
	Replays int64
	Item    ItemID
}

// A DeadLetterChange opens a dead letter (or opens it anew, replacing all of it
// but Owner, Replays and Item), or moves the one that exists to another state;
// moving one that does not exist changes nothing. Open is stored as it is given,
// its State being open. An item that is running and whose dead letter is opened
// anew has failed; one whose dead letter is replayed has succeeded.
type DeadLetterChange struct {
	Open *DeadLetter
	Move *DeadLetterMove
}

// A DeadLetterMove is a dead letter's change of state.
type DeadLetterMove struct {
	DeadLetterID
	State                unwind.DeadLetterState
	By, Reason, Evidence string // empty: as before
	At                   int64
	// Item that a move to replaying takes up; the zero value: it is for none.
	Item ItemID
}

// A DeadLetterFilter selects dead letters; zero fields match all.
type DeadLetterFilter struct {
	SagaType, Service, Group string
	State                    unwind.DeadLetterState
	// Before excludes what died at that time or later; 0: nothing.
	Before int64
	// OldestFirst turns the order round. A cursor belongs to one order.
	OldestFirst bool
	Cursor      string
	Limit       int
}

// A DeadLetterGroup counts the dead letters of one group.
type DeadLetterGroup struct {
	Group                               string
	Open, Replaying, Replayed, Resolved int64
	// FailedAgain counts the open ones that were replayed before.
	FailedAgain int64
	// Oldest is when the first died that is open or replaying; 0: none is.
	Oldest int64
	// Newest is when the last one died, in whatever state it is.
	Newest int64
	// AtRisk sums up the amounts of those that are open or replaying.
	AtRisk Sum
	// Sample is the newest.
	Sample DeadLetter
}

// Count counts one dead letter in.
func (g *DeadLetterGroup) Count(state unwind.DeadLetterState, replays, deadAt int64, amount []byte) {
	switch state {
	case unwind.DeadLetterOpen:
		if g.Open++; replays > 0 {
			g.FailedAgain++
		}
	case unwind.DeadLetterReplaying:
		g.Replaying++
	case unwind.DeadLetterReplayed:
		g.Replayed++
	case unwind.DeadLetterResolved:
		g.Resolved++
	}
	g.Newest = max(g.Newest, deadAt)
	if state == unwind.DeadLetterOpen || state == unwind.DeadLetterReplaying {
		if g.Open+g.Replaying == 1 || deadAt < g.Oldest {
			g.Oldest = deadAt
		}
		g.AtRisk.Add(amount)
	}
}

// A Note is what a person wrote about a dead letter.
type Note struct {
	At    int64
	By    string
	Text  string
	Owner string // who looks after it from then on; empty: as before
}
