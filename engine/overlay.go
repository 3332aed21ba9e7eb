package engine

import (
	"context"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/node"
)

// A note is what only the node knows of an ordered call.
type note struct {
	known    bool // the order is in memory
	inFlight bool
	waiting  string
	until    int64 // µs; 0: nobody can tell
}

// overlay adds which calls are in flight, and what the others wait for.
func (e *Engine) overlay(ctx context.Context, saga *node.Snapshot, inst *unwind.Instance) {
	notes := make([]struct{ action, undo note }, len(inst.Steps))
	err := e.look(ctx, "asking the node for a saga's calls", func(m node.Moment) {
		for i := range notes {
			notes[i].action = e.note(m, saga, i, unwind.Action)
			notes[i].undo = e.note(m, saga, i, unwind.Compensation)
		}
	})
	if err != nil {
		return // the saga stands as it is stored
	}
	for i := range notes {
		s := &inst.Steps[i]
		if s.Status == unwind.StepRunning {
			s.WaitingFor, s.NextAt = notes[i].action.over(s.NextAt)
		}
		if c := s.Compensation; c.Status == unwind.CompensationQueued {
			c.WaitingFor, c.NextAt = notes[i].undo.over(c.NextAt)
			if notes[i].undo.inFlight {
				c.Status = unwind.CompensationRunning
			}
		}
	}
}

// note asks the lanes about a call. It runs in the loop.
func (e *Engine) note(m node.Moment, saga *node.Snapshot, step int, dir unwind.Direction) note {
	if dir == unwind.Action {
		if by := e.node.HeldFor(m, saga.ID); by != "" {
			return note{known: true, waiting: "service " + by + ": backlog (its compensations are older than their objective)"}
		}
	}
	x, ok := e.node.Explain(m, saga, step, dir)
	if !ok {
		return note{}
	}
	return explained(x)
}

// explained is what flow control says of a task.
func explained(x flow.Explanation) note {
	n := note{known: true, inFlight: x.Why == flow.InFlight}
	if x.Until != flow.Never {
		n.until = x.Until / 1000
	}
	if x.Why != flow.Ready && x.Why != flow.InFlight {
		n.waiting = x.String()
		if n.until > 0 {
			n.waiting += " until " + unwind.TimeFromMicros(n.until).Format("15:04:05.000Z")
		}
	}
	return n
}

// over puts the note over what the journal says of the next attempt. One whose
// order is not in memory waits for its time alone.
func (n *note) over(next *unwind.Time) (string, *unwind.Time) {
	switch {
	case n.known && n.until == 0: // it is out, or only an event can tell
		next = nil
	case n.known && (next == nil || n.until > next.UnixMicro()):
		t := unwind.TimeFromMicros(n.until)
		next = &t
	}
	return n.waiting, next
}
