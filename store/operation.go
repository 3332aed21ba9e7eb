package store

import (
	"context"
	"errors"
)

// Errors of [Operations] that callers tell apart with errors.Is.
var (
	// ErrStale: the row has changed since it was read; read it again.
	ErrStale = errors.New("it has changed meanwhile")
	// ErrTaken: another operation has the key.
	ErrTaken = errors.New("the key belongs to another operation")
)

// Operations keeps what acts on many dead letters or sagas. An operation is
// frozen: its items are added before it runs, and none after.
//
// An item's outcome is written where what it stands for is written. It is Queued
// until a transition takes it up ([DeadLetterMove].Item, [Transition].Done) or it
// is skipped, and settled by the change that settles its dead letter: so no item
// is missed or taken up twice, whenever a process ends.
type Operations interface {
	// AddOperation stores an operation, gives it an ID and a revision, which rise,
	// and returns it.
	AddOperation(ctx context.Context, epoch int64, op Operation) (Operation, error)
	// AddItems adds items to an operation; their numbers go on from 1.
	AddItems(ctx context.Context, epoch int64, operation int64, items []DeadLetterID) error
	// ChangeOperation replaces the operation of this ID, gives it a new revision and
	// writes the audit row with it, if there is one. It is ErrNotFound where there is
	// none, ErrStale where the revision is another one by now, and ErrTaken where
	// another has the key, which is not empty.
	ChangeOperation(ctx context.Context, epoch int64, op Operation, audit *Audit) (Operation, error)
	// SkipItems settles items that are Queued as Skipped; others stay as they are.
	SkipItems(ctx context.Context, epoch int64, operation int64, skips []Skip) error
	// DropOperation deletes an operation with its items, if it is there.
	DropOperation(ctx context.Context, epoch int64, operation int64) error

	// Operation returns an operation, or ErrNotFound.
	Operation(ctx context.Context, operation int64) (Operation, error)
	// OperationByKey returns the operation of a key that is not empty, or ErrNotFound.
	OperationByKey(ctx context.Context, key string) (Operation, error)
	// Operations returns operations in any of the states, newest first by ID.
	Operations(ctx context.Context, f OperationFilter) (ops []Operation, next string, err error)
	// ChangedOperations returns operations of a later revision, in the order of revisions.
	ChangedOperations(ctx context.Context, after int64, limit int) ([]Operation, error)
	// LastRevision returns the highest revision that was given.
	LastRevision(ctx context.Context) (int64, error)
	// Items returns items of one outcome and of a higher number than after, by number.
	Items(ctx context.Context, operation int64, outcome ItemOutcome, after int64, limit int) ([]Item, error)
	// CountItems counts the items up to a number, by outcome and why. 0: all.
	CountItems(ctx context.Context, operation int64, upTo int64) ([]ItemCount, error)
}

// An Operation is a stored operation.
type Operation struct {
	ID int64
	// Revision rises with every change of any operation.
	Revision int64
	State    OperationState
	// Key of the request that began it; empty: none.
	Key string
	// At is when it last changed; of a Selection, when it expires.
	At int64
	// Body is the rest, as the engine encodes it.
	Body []byte
}

// OperationState is where an operation stands.
type OperationState string

// The states of an operation.
const (
	// OperationSelection is not begun: what a dry run has frozen.
	OperationSelection OperationState = "selection"
	OperationRunning   OperationState = "running"
	OperationPaused    OperationState = "paused"
	OperationFinished  OperationState = "finished"
	OperationAborted   OperationState = "aborted"
)

// An OperationFilter selects operations; without States it matches all.
type OperationFilter struct {
	States []OperationState
	Cursor string
	Limit  int
}

// An ItemID names an item of an operation. The zero value is none.
type ItemID struct{ Operation, Seq int64 }

// An Item is a dead letter, or a saga (Step -1), that an operation acts on.
type Item struct {
	Seq int64
	DeadLetterID
}

// ItemOutcome is what became of an item.
type ItemOutcome uint8

// The outcomes of an item.
const (
	// ItemQueued: it was not taken up.
	ItemQueued ItemOutcome = iota
	// ItemRunning: it is being called.
	ItemRunning
	ItemSucceeded
	// ItemFailed: it became a dead letter again.
	ItemFailed
	ItemSkipped
)

// A Skip says why an item was not acted on.
type Skip struct {
	Seq int64
	Why string
}

// An ItemCount counts items alike, in the order of Outcome and Why.
type ItemCount struct {
	Outcome ItemOutcome
	Why     string
	Items   int64
}
