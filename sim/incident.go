package sim

import (
	"context"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/sagatest/history"
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
		keys := int64(w.micros()) - w.plan.keyRetention()
		_, err := w.store.Purge(context.Background(), p.epoch, int64(w.micros())-w.plan.Retention, keys, 100)
		if err == nil {
			_, err = w.store.PurgeKeys(context.Background(), p.epoch, keys, 100)
		}
		if err != nil {
			panic(err)
		}
	case PauseLane:
		l := unwind.Scope{Name: kinds[w.chance.intn(services-1)].name, Kind: unwind.ScopeKind(laneNames[w.chance.intn(2)])}
		w.pause(p, l, "maintenance")
		w.after(in.Span, func() { w.resume(l) })
	}
}

// takeOver is how long a process must not have been heard of before another
// takes over.
const takeOver = 30 * millis

var laneNames = [2]string{"forward", "compensation"}

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
