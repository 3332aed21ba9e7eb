package sim

import (
	"context"
	"strings"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/sagatest/history"
	"github.com/unwindhq/unwind/store"
)

// backlogs draws which services' late compensations hold new sagas up.
func (s *Schedule) backlogs() {
	c := dice(s.Seed, 10)
	if !c.percent(20) {
		return
	}
	s.Swarm = s.Swarm.With(LateUndo)
	for i := range s.Limits {
		if c.percent(60) {
			s.Limits[i].backlog = unwind.Backlog{Objective: unwind.Duration(c.span(20, 900)) * unwind.Millisecond,
				Policy: []unwind.BacklogPolicy{unwind.ShedStarts, unwind.HoldStarts}[c.intn(2)]}
		}
	}
}

// backlogs are what a process was told of late compensations.
type backlogs struct {
	oldest [services]int64 // when the oldest was queued that waits; 0: none does
	held   map[id.ID]bool  // sagas that began while their lane was late
	freed  map[id.ID]int64 // those that were let go since, and when
}

// watchDepths tells the process again and again how old the compensations are that wait.
func (p *process) watchDepths() {
	w := p.w
	if !w.plan.Swarm.Has(LateUndo) {
		return
	}
	w.after(w.chance.span(100, 500)*millis, func() {
		if p.dead || w.ended {
			return
		}
		p.read(func(ctx context.Context) func(node.Moment, error) {
			rows, err := w.store.Queues(ctx, int64(p.moment0()))
			if err != nil {
				panic(err)
			}
			return func(m node.Moment, failed error) {
				if failed == nil {
					p.depths(m, rows)
					p.node.Depths(m, rows)
				}
			}
		})
		p.watchDepths()
	})
}

// depths notes what the process is told.
func (p *process) depths(m node.Moment, rows []store.QueueDepth) {
	b := &p.watch
	b.oldest = [services]int64{}
	for i := range rows {
		at := &b.oldest[serviceIndex(rows[i].Target)]
		if q := rows[i].Oldest; q > 0 && (*at == 0 || q < *at) {
			*at = q
		}
	}
	for _, l := range p.w.lives {
		if b.held[l.saga] && !p.late(m, l.recipe.plan, unwind.HoldStarts) {
			delete(b.held, l.saga)
			b.freed[l.saga] = p.w.now
		}
	}
}

// late reports whether compensations wait too long, as far as the process was told, that
// sagas of the plan might add to.
func (p *process) late(m node.Moment, plan *machine.Plan, policy unwind.BacklogPolicy) bool {
	for i := range plan.Steps {
		if !plan.Steps[i].Undo.Exists {
			continue
		}
		k := serviceIndex(plan.Call(i, unwind.Compensation).Service)
		b, oldest := &p.w.plan.Limits[k].backlog, p.watch.oldest[k]
		if kinds[k].name != "" && b.Objective > 0 && b.Policy == policy && oldest > 0 && (int64(m.Now)-oldest)*1000 > int64(b.Objective) {
			return true
		}
	}
	return false
}

// checkShed judges an answer to a start: it is refused where its undo would be late, told
// to come back, and only then; while much is held that goes for what would be held, too.
func (w *world) checkShed(u *wish, r node.Reply, shed, full bool) {
	refused := r.Err != nil && strings.Contains(r.Err.Error(), "oldest compensation")
	if refused {
		w.counts[LateUndo]++
	}
	switch {
	case refused && !shed && !full:
		w.fail(history.Liveness, "", "the start of %s was refused for a backlog, and the compensations that it might need are in time", u.key)
	case refused && retryAfter(r.Err) < unwind.Second:
		w.fail(history.Liveness, "", "the start of %s was refused for a backlog, and nobody says when to come back", u.key)
	case r.Err == nil && r.Existing == (id.ID{}) && shed:
		w.fail(history.Liveness, r.Saga.Facts.ID, "the saga was begun although the compensations that it might need are late")
	}
}

func retryAfter(err error) unwind.Duration {
	if e, is := err.(*unwind.Error); is { //nolint:errorlint // as a node says it
		return e.RetryAfter
	}
	return 0
}

// begun notes a saga that is held.
func (p *process) begun(m node.Moment, saga id.ID) {
	if p.late(m, p.w.planOf(saga), unwind.HoldStarts) {
		p.w.counts[LateUndo]++
		p.watch.held[saga] = true
	}
}

// checkHeld judges a call that leaves: the first of a saga that is held does not.
func (p *process) checkHeld(f *flight) {
	delete(p.watch.freed, f.Saga)
	if p.watch.held[f.Saga] && !f.now && f.place.dir == 0 {
		p.w.fail(history.Liveness, f.Saga.String(), "%s was sent while the saga is held for a backlog", f.Key)
	}
	delete(p.watch.held, f.Saga)
}

// checkFreed: what was let go is on its way, or the process knows what it waits for.
func (w *world) checkFreed() {
	p := w.current
	if p == nil || p.frozen || p.drains || w.hold.failCommits+w.hold.failReads > 0 {
		return
	}
	for _, l := range w.lives {
		since, freed := p.watch.freed[l.saga]
		if !freed || w.now < since+patientStray {
			continue
		}
		delete(p.watch.freed, l.saga)
		row, err := w.store.Load(context.Background(), l.saga)
		if err != nil {
			continue // it was purged
		}
		state, err := machine.DecodeState(row.State)
		if err != nil {
			panic(err)
		}
		for i := range state.Steps {
			_, known := p.node.Flow().Explain(flow.TaskKey{Saga: l.saga, Step: uint16(i)}, int64(p.moment0())*1000)
			if a := &state.Steps[i].Action; a.Ordered && state.Phase == machine.Running && !known && int64(a.NotBefore) < int64(p.moment0())-patientStray {
				w.fail(history.Liveness, l.saga.String(), "the saga was held for a backlog that is worked off since %dms, and process %s does not know of it", (w.now-since)/millis, p.name)
			}
		}
	}
}
