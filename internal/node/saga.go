package node

import (
	"encoding/json"
	"fmt"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// A saga is one that the node holds in memory.
type saga struct {
	Snapshot
	saved    machine.State // as last made durable; Version 0: not yet
	due      int64         // as last written
	unsaved  int           // transitions that are not durable yet
	orders   int           // orders in memory: queued or in flight
	pins     int           // reads of queues that wait for it
	resent   bool          // its orders may have been sent before it was read
	behind   bool          // some of its orders may be missing in memory
	void     bool          // somebody else has moved it
	held     bool          // its first orders wait for a backlog
	waiters  []Token
	timerAt  machine.Micros
	timerPos int // in the heap; -1: not there
}

// A Snapshot is a saga as it stands: what the machine decides on, and what the
// journal says besides. It is a value that later transitions do not change,
// except that outputs and errors of later steps, and who cancelled it, may be filled in.
type Snapshot struct {
	ID    id.ID
	Plan  *machine.Plan
	State machine.State
	machine.Facts
	Errors    []Errors
	Cancelled *unwind.Cancellation
}

// Errors are the last answers of a step that were not "done".
type Errors struct {
	Action, Undo *unwind.CallError
	bodies       [2]causes // of the action and of the compensation
}

// Restore makes a snapshot of a stored saga. Its error is a Damaged one.
func Restore(p *machine.Plan, row *store.Saga) (Snapshot, error) {
	state, err := machine.DecodeState(row.State)
	if err == nil && len(state.Steps) != len(p.Steps) {
		err = fmt.Errorf("it has %d steps, and its definition %d", len(state.Steps), len(p.Steps))
	}
	if err != nil {
		return Snapshot{}, damaged(row.ID, err)
	}
	s := newSnapshot(row.ID, p, &row.Start)
	s.State = state
	for i := range row.Journal {
		entries, err := machine.DecodeEntries(row.Journal[i].Body)
		if err != nil {
			return Snapshot{}, damaged(row.ID, err)
		}
		s.fold(entries)
	}
	return s, nil
}

func damaged(saga id.ID, err error) error {
	return unwind.Errorf(unwind.Damaged, "reading what is stored of saga %s: %w; restore the store from a backup", saga, err)
}

func newSnapshot(saga id.ID, p *machine.Plan, start *store.Start) Snapshot {
	return Snapshot{
		ID: saga, Plan: p,
		Facts: machine.Facts{ID: saga.String(), Key: start.Key, Tenant: start.Tenant, Input: start.Input,
			Outputs: make([]json.RawMessage, len(p.Steps))},
		Errors: make([]Errors, len(p.Steps)),
	}
}

// fold takes in what the journal says beyond the state: outputs, errors, who cancelled.
func (s *Snapshot) fold(entries []machine.Entry) {
	for i := range entries {
		e := &entries[i]
		if turns := e.Kind == unwind.EntrySagaCompensating || e.Kind == unwind.EntryCancelRequested; turns && e.As == machine.Cancelled && s.Cancelled == nil {
			s.Cancelled = &unwind.Cancellation{By: e.Actor, Reason: e.Reason, At: at(e.At)}
		}
		if e.Step < 0 || e.Step >= len(s.Errors) {
			continue
		}
		s.noteBody(e)
		last := &s.Errors[e.Step].Action
		if e.Dir == unwind.Compensation {
			last = &s.Errors[e.Step].Undo
		}
		switch e.Kind {
		case unwind.EntryActionSucceeded, unwind.EntryResolved:
			if e.Dir == unwind.Action && e.As != "refused" {
				s.Outputs[e.Step] = e.Output
			}
			*last = nil
		case unwind.EntryCompensationSucceeded:
			*last = nil
		case unwind.EntryActionFailed, unwind.EntryActionThrottled, unwind.EntryCompensationFailed, unwind.EntryCompensationThrottled, unwind.EntryDeadLettered:
			*last = &unwind.CallError{Status: e.Status, Class: e.Class, Message: e.Message}
		}
	}
}

// share returns the saga as it was last made durable, in a copy that later
// transitions leave alone.
func (s *saga) share() *Snapshot {
	c := s.Snapshot
	c.State = s.saved
	c.Outputs = append([]json.RawMessage(nil), s.Outputs...)
	c.Errors = append([]Errors(nil), s.Errors...)
	return &c
}

// hold puts a saga into memory and sets its timer.
func (n *Node) hold(s Snapshot, due int64) *saga {
	sg := &saga{Snapshot: s, saved: s.State, due: due, timerPos: -1}
	n.sagas[s.ID] = sg
	n.bytes += len(s.Input)
	n.setTimer(sg)
	return sg
}

// release lets go of a saga that needs nobody for now: it is at rest, or parked
// in the store until its time.
func (n *Node) release(sg *saga) {
	if sg.unsaved > 0 || sg.orders > 0 || sg.pins > 0 || n.sagas[sg.ID] != sg {
		return
	}
	if sg.due != store.AtRest && (len(sg.waiters) > 0 || sg.due <= int64(n.claim.until) && !planted.On(planted.ParkActive)) {
		return // nobody will read it again before it is due
	}
	if sg.due == store.AtRest {
		delete(n.muddled, sg.ID)
	}
	n.clearTimer(sg)
	n.away(sg)
}

// away takes the saga off the list. A read of unfinished sagas that is under way
// may still bring what it was.
func (n *Node) away(sg *saga) {
	if n.sagas[sg.ID] != sg {
		return
	}
	delete(n.sagas, sg.ID)
	n.bytes -= len(sg.Input)
	if n.claim.reading && !planted.On(planted.TrustStaleClaim) {
		n.claim.gone[sg.ID] = true
	}
}

// eachOrder visits the orders of a saga that are in memory.
func (n *Node) eachOrder(sg *saga, do func(*order)) {
	for i := range sg.State.Steps {
		for _, dir := range [...]unwind.Direction{unwind.Action, unwind.Compensation} {
			if o := n.orders[taskKey(sg.ID, i, dir)]; o != nil {
				do(o)
			}
		}
	}
}
