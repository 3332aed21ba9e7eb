package node

import (
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
)

// causes are the fingerprints of failed attempts whose bodies the journal keeps.
type causes []string

// mostCauses bounds them: a participant that answers something else each time
// fills no disk.
const mostCauses = 8

func (s *Snapshot) causes(e *machine.Entry) *causes {
	if e.Dir == unwind.Compensation {
		return &s.Errors[e.Step].bodies[1]
	}
	return &s.Errors[e.Step].bodies[0]
}

func (s *Snapshot) cause(e *machine.Entry) string {
	return machine.Fingerprint(s.Plan, e.Step, e.Dir, unwind.CallError{Status: e.Status, Class: e.Class, Message: e.Message})
}

// noteBody remembers that the journal keeps a body.
func (s *Snapshot) noteBody(e *machine.Entry) {
	if e.Body != "" && e.Kind != unwind.EntryDeadLettered {
		if seen := s.causes(e); len(*seen) < mostCauses {
			*seen = append(slices.Clip(*seen), s.cause(e))
		}
	}
}

// keepBodies leaves the bodies in a transition's entries that are to be kept: one
// of each cause, which the first is, and the last one, with its dead letter.
func (s *Snapshot) keepBodies(entries []machine.Entry) {
	kept := ""
	for i := range entries {
		e := &entries[i]
		if e.Body == "" || e.Step < 0 || e.Step >= len(s.Errors) {
			continue
		}
		if e.Kind == unwind.EntryDeadLettered {
			if e.Body == kept {
				e.Body = "" // the entry before it has the same
			}
			continue
		}
		if seen := *s.causes(e); len(seen) >= mostCauses || slices.Contains(seen, s.cause(e)) {
			e.Body = ""
		}
		kept = e.Body
	}
}
