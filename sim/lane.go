package sim

import (
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/sagatest/history"
)

// A lane is what the world knows of a lane of a process.
type lane struct {
	closed int64 // nothing is sent before
	closes int   // answers that asked for that
	probes int
}

// checkSend judges a call that leaves.
func (p *process) checkSend(f *flight) {
	l, w := &p.lanes[f.service][f.place.dir], p.w
	name := f.kind.name + " " + laneNames[f.place.dir]
	if w.now < l.closed && !f.now {
		w.fail(history.G10, f.Saga.String(), "%s was sent %dus before the lane %s may be used again", f.Key, l.closed-w.now, name)
	}
	if until := p.hints[f.place]; w.now < until && !f.now {
		w.fail(history.G10, f.Saga.String(), "%s was sent again %dus before the time that its participant asked for", f.Key, until-w.now)
	}
	if f.Probe {
		if l.probes++; l.probes > 1 {
			w.fail(history.G10, f.Saga.String(), "%s is a second probe of the lane %s", f.Key, name)
		}
	}
}

// checkAnswer notes what an answer asks for.
func (p *process) checkAnswer(f *flight, a *machine.Answer) {
	l := &p.lanes[f.service][f.place.dir]
	if f.Probe {
		l.probes--
	}
	delete(p.hints, f.place)
	if a.Fault != machine.NoFault || a.Outcome != machine.NoOutcome || a.Status != 429 && a.Status != 503 {
		return
	}
	hint := min(int64(a.Hint), flow.DefaultHintCap/1000)
	if hint > 0 && !p.muddled[f.Saga] {
		p.hints[f.place] = p.w.now + hint
	}
	if a.Status == 503 || hint > flow.GateHint/1000 || hint == flow.GateHint/1000 && f.place.dir == 0 {
		l.closed = max(l.closed, p.w.now+max(hint, 1))
		l.closes++
	}
}
