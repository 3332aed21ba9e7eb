package sim

import (
	"context"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/sagatest/history"
	"github.com/unwindhq/unwind/store"
)

// incidents lets those happen whose time has come.
func (w *world) incidents() {
	if w.calm {
		return
	}
	for i := range w.plan.Incidents {
		if in := &w.plan.Incidents[i]; in.After == w.count && !w.happened[i] {
			w.happened[i] = true
			if w.swarm.Has(in.Fault) {
				w.happen(in)
			}
		}
	}
}

func (w *world) happen(in *Incident) {
	p := w.current
	w.tracef("-- %s (%d)", in.Fault, in.Span)
	switch in.Fault {
	case CommitError:
		w.hold.failCommits = in.Span
		return
	case SlowCommit:
		w.hold.slowCommit = in.Span
		return
	case ReadError:
		w.hold.failReads = in.Span
		return
	case SlowRead:
		w.hold.slowRead = in.Span
		return
	}
	if p == nil {
		return
	}
	w.counts[in.Fault]++
	switch in.Fault {
	case Crash, ClockStep:
		p.die()
		w.after(max(in.Span, 10*millis)%second, w.comeBack)
	case TakeOver:
		p.frozen, w.current = true, nil
		w.after(takeOver, w.comeBack)
		w.after(in.Span, p.thaw)
	case Freeze:
		p.frozen = true
		w.after(in.Span, p.thaw)
	case Drain:
		p.do(func(node.Moment) {
			p.drains = true
			p.node.Drain()
		})
		w.after(20*second, func() {
			if !p.dead {
				w.fail(history.Liveness, "", "process %s was drained 20s ago and has not ended", p.name)
			}
		})
	case Conflict:
		w.conflict(p)
	case Purge:
		if _, err := w.store.Purge(context.Background(), p.epoch, int64(w.micros())-w.plan.Retention, 100); err != nil {
			panic(err)
		}
	case PauseLane:
		l := store.Lane{Service: kinds[w.chance.intn(services-1)].name, Name: laneNames[w.chance.intn(2)], Reason: "maintenance"}
		w.setLane(p, l, true)
		w.after(in.Span, func() { w.resumeLane(l) })
	}
}

// takeOver is how long a process must not have been heard of before another
// takes over.
const takeOver = 30 * millis

var laneNames = [2]string{"forward", "compensation"}

func laneIndex(name string) int {
	if name == laneNames[1] {
		return 1
	}
	return 0
}

// thaw lets a process go on that was paused.
func (p *process) thaw() {
	if p.dead || !p.frozen {
		return
	}
	p.w.tracef("%s wakes up", p.name)
	p.frozen = false
	inbox := p.inbox
	p.inbox = nil
	for _, event := range inbox {
		event()
	}
	if !p.dead {
		p.look()
	}
}

// stepClock sets the clock that the next process finds.
func (w *world) stepClock() {
	for i := range w.plan.Incidents {
		if in := &w.plan.Incidents[i]; in.Fault == ClockStep && w.happened[i] {
			d := dice(w.plan.Seed, 6, uint64(i), uint64(len(w.offsets)))
			step := in.Span * int64(d.intn(3)) / 2
			w.offset += step
			w.steps += max(step, -step)
		}
	}
}

// conflict writes a saga behind the process' back: a late answer, which changes
// nothing but the version.
func (w *world) conflict(p *process) {
	ctx := context.Background()
	rows, err := w.store.ClaimDue(ctx, store.AtRest, id.ID{}, 1<<62, 100)
	if err != nil || len(rows) == 0 {
		return
	}
	row := &rows[w.chance.intn(len(rows))]
	if row.Epoch != p.epoch {
		return // the process has yet to take it up
	}
	state, err := machine.DecodeState(row.State)
	if err != nil {
		panic(err)
	}
	state.Version++
	entry := machine.Entry{Kind: unwind.EntryLateAnswer, At: w.micros(), Dir: unwind.Action, Attempt: 1}
	_, err = w.store.Commit(ctx, &store.Batch{Epoch: p.epoch, Node: "x", At: int64(w.micros()), Transitions: []store.Transition{{
		Saga: row.ID, Version: state.Version, Phase: row.Phase, At: int64(w.micros()),
		State: machine.AppendState(nil, &state), Journal: machine.AppendEntries(nil, []machine.Entry{entry}),
	}}})
	if err != nil {
		panic(err)
	}
	w.readJournal()
	for i := range state.Steps { // what the process decides meanwhile is void
		delete(p.hints, place{row.ID, i, 0})
		delete(p.hints, place{row.ID, i, 1})
	}
	p.muddled[row.ID] = true
}

// A lane is what the world knows of a lane of a process.
type lane struct {
	closed int64 // nothing is sent before
	paused bool
	probes int
}

// checkSend judges a call that leaves.
func (p *process) checkSend(f *flight) {
	l, w := &p.lanes[f.service][f.place.dir], p.w
	name := f.kind.name + " " + laneNames[f.place.dir]
	if l.paused {
		w.fail(history.G10, f.Saga.String(), "%s was sent while the lane %s is paused", f.Key, name)
	}
	if w.now < l.closed {
		w.fail(history.G10, f.Saga.String(), "%s was sent %dus before the lane %s may be used again", f.Key, l.closed-w.now, name)
	}
	if until := p.hints[f.place]; w.now < until {
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
	hint := min(int64(a.Hint), flow.HintCap/1000)
	if hint > 0 && !p.muddled[f.Saga] {
		p.hints[f.place] = p.w.now + hint
	}
	if a.Status == 503 || hint > flow.GateHint/1000 || hint == flow.GateHint/1000 && f.place.dir == 0 {
		l.closed = max(l.closed, p.w.now+max(hint, 1))
	}
}
