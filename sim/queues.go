package sim

import (
	"context"

	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/sagatest/history"
	"github.com/unwindhq/unwind/store"
)

// A stray is a queued compensation that the process seems not to know.
type stray struct {
	epoch int64
	since int64
}

// patientStray is how long a process may not know of what is queued: it is
// paused, or reads or writes it.
const patientStray = 4 * second

// checkQueues: what the sagas' states order stands in the queues, and what
// stands in the queues is known to the process.
func (w *world) checkQueues() {
	ctx := context.Background()
	p := w.current
	rows, err := w.store.ClaimDue(ctx, store.AtRest, id.ID{}, 1<<62, 1000)
	if err != nil {
		panic(err)
	}
	tasks := map[place]*store.Task{}
	queues, err := w.store.Queues(ctx, 0)
	if err != nil {
		panic(err)
	}
	for _, q := range queues {
		list, err := w.store.Tasks(ctx, q.Queue, 1000)
		if err != nil {
			panic(err)
		}
		for i := range list {
			t := &list[i]
			tasks[place{t.Saga, t.Step, 1}] = t
			if p != nil {
				w.checkStray(p, t)
			}
		}
	}
	for at := range w.strays {
		if tasks[at] == nil {
			delete(w.strays, at)
		}
	}
	for i := range rows {
		state, err := machine.DecodeState(rows[i].State)
		if err != nil {
			panic(err)
		}
		for k := range state.Steps {
			u, t := &state.Steps[k].Undo, tasks[place{rows[i].ID, k, 1}]
			if u.Ordered != (t != nil) || t != nil && (t.Attempt != u.Attempts+1 || t.Due != int64(u.NotBefore)) {
				w.fail(history.G13, rows[i].ID.String(), "the state of step %d and its place in the queue differ", k)
			}
		}
	}
}

func (w *world) checkStray(p *process, t *store.Task) {
	at := place{t.Saga, t.Step, 1}
	now := int64(p.moment().Now) * 1000
	_, known := p.node.Flow().Explain(flow.TaskKey{Saga: t.Saga, Step: uint16(t.Step), Lane: flow.Compensation}, now)
	left := p.node.Flow().Snapshot(flow.Scope{Kind: flow.ScopeCompensation, Name: t.Target}, now).Left
	s := w.strays[at]
	switch {
	case known || left || p.frozen || p.drains || w.hold.failCommits+w.hold.failReads > 0:
		delete(w.strays, at)
	case s.epoch != p.epoch:
		w.strays[at] = stray{p.epoch, w.now}
	case w.now > s.since+patientStray:
		w.strays[at] = stray{p.epoch, 1 << 60}
		w.fail(history.Liveness, t.Saga.String(), "the compensation of step %d is queued, and process %s does not know of it for %dms", t.Step, p.name, (w.now-s.since)/millis)
	}
}
