package store

import (
	"fmt"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/planted"
)

// A Batch is what one transaction writes. Alerts and audit rows get their ids in
// the order of the transitions, the batch's own after them.
type Batch struct {
	Epoch       int64
	Node        string
	At          int64
	Transitions []Transition
	Controls    []Control
	Flow        []FlowState
	Alerts      []Alert
	Audit       []Audit
}

// Empty reports whether there is nothing to write.
func (b *Batch) Empty() bool {
	return len(b.Transitions)+len(b.Controls)+len(b.Flow)+len(b.Alerts)+len(b.Audit) == 0
}

// Apply applies the transitions in their order. Where one conflicts, the later
// ones of its saga do too, untried: they were decided on a state that never was,
// and their versions might fit by chance.
func (b *Batch) Apply(apply func(*Transition) (Result, error)) ([]Result, error) {
	results := make([]Result, len(b.Transitions))
	var void map[id.ID]bool
	for i := range b.Transitions {
		t := &b.Transitions[i]
		if void[t.Saga] {
			results[i].Outcome = Conflicting
			continue
		}
		r, err := apply(t)
		if err != nil {
			return nil, fmt.Errorf("writing saga %s: %w", t.Saga, err)
		}
		if results[i] = r; r.Outcome == Conflicting && !planted.On(planted.ApplySuccessors) {
			if void == nil {
				void = map[id.ID]bool{}
			}
			void[t.Saga] = true
		}
	}
	return results, nil
}

// A Transition is one saga's move from a version to the next. Its rows are
// written together or not at all.
type Transition struct {
	Saga id.ID
	// Start holds what a new saga began with; nil for every later transition.
	// Its key is judged before its id: a start that is made again is a Duplicate.
	Start *Start
	// Version after the transition; the saga must stand at Version-1. A start's is 1.
	Version uint64
	Phase   uint8 // machine.Phase
	State   []byte
	// Due is written where SetDue is true; a start without it is Active.
	Due    int64
	SetDue bool
	At     int64
	// Journal is one row: machine.AppendEntries of the transition. A row is
	// written even where it is empty.
	Journal []byte
	// Tasks and DeadLetters are this saga's, applied in their order.
	Tasks       []TaskChange
	DeadLetters []DeadLetterChange
	Alerts      []Alert
	Audit       *Audit
	// Done is the item of an operation that succeeds with this transition; the zero
	// value: none.
	Done ItemID
}

// A Start is what never changes about a saga.
type Start struct {
	Name, Version string
	// Key with Tenant and Name is the start's identity; without a key it has none
	// and never meets another.
	Tenant, Key string
	// KeyHash is id.KeyHash(Tenant, Name, Key). Two identities may share it.
	KeyHash uint64
	Input   []byte
	// InputDigest tells the same input from another: SHA-256 of its canonical form.
	InputDigest [32]byte
}

// A Result is what became of one transition.
type Result struct {
	Outcome Outcome
	// Saga that the key already began, for Duplicate and KeyReused.
	Saga id.ID
}

// An Outcome says what became of one transition.
type Outcome uint8

// The outcomes.
const (
	// Committed: it is durable.
	Committed Outcome = iota
	// Conflicting: the saga does not stand at the version before, or is there
	// already although this starts it; nothing of it was written.
	Conflicting
	// Duplicate: the key and input began a saga before.
	Duplicate
	// KeyReused: the key began a saga with another input before.
	KeyReused
)
