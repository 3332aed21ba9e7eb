package sim

import (
	"context"
	"errors"
	"fmt"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// A hold is what the next uses of the store will meet.
type hold struct {
	failCommits int64
	slowCommit  int64
	failReads   int64
	slowRead    int64
}

var errFull = errors.New("no space left on device")

// commit has a batch written: it reaches the store after a while, and its answer
// comes back after another. A process that ends in between never knows.
func (p *process) commit(b *store.Batch) {
	w := p.w
	if w.hold.failCommits > 0 {
		w.hold.failCommits--
		w.counts[CommitError]++
		w.after(w.chance.span(10, 2000), func() { p.do(func(m node.Moment) { p.node.Committed(m, nil, errFull) }) })
		return
	}
	there := w.chance.span(10, 1500)
	if w.hold.slowCommit > 0 {
		there, w.hold.slowCommit = w.hold.slowCommit, 0
		w.counts[SlowCommit]++
	}
	w.after(there, func() {
		if p.dead && p.epoch%2 == 0 {
			return // it went down with the process
		}
		results, err := w.store.Commit(context.Background(), b)
		if err != nil && !errors.Is(err, store.ErrFenced) {
			panic(err)
		}
		if err == nil {
			for i := range b.Controls {
				s := w.scope(b.Controls[i].Scope)
				s.fill(w.now, p.moment0())
				s.durable(&b.Controls[i], machine.Micros(b.At))
			}
			for i := range b.Flow {
				w.stamps[b.Flow[i].Scope] = p.offset
			}
		}
		w.tracef("%s commits %d transitions: %v", p.name, len(b.Transitions), err)
		w.readJournal()
		w.after(w.chance.span(1, 500), func() {
			p.do(func(m node.Moment) {
				p.node.Committed(m, results, err)
				if err == nil {
					p.inForce(m, b, results)
				}
			})
		})
	})
}

// kept is what flow control kept before a process, and by how much the clock was set
// since; as the engine knows it from a clock that can't be set.
func (w *world) kept(p *process) []node.Kept {
	rows, err := w.store.FlowStates(context.Background())
	if err != nil {
		panic(err)
	}
	kept := make([]node.Kept, 0, len(rows)+1)
	for i := range rows {
		kept = append(kept, node.Kept{FlowState: rows[i], Set: machine.Micros(p.offset - w.stamps[rows[i].Scope])})
	}
	if last := p.epoch - 1; last > 0 {
		kept = append(kept, node.Kept{FlowState: store.FlowState{Scope: node.ScopeClock}, Set: machine.Micros(p.offset - w.offsets[last])})
	}
	return kept
}

// read has the store read after a while, and the answer given after another.
func (p *process) read(read func(ctx context.Context) func(m node.Moment, err error)) {
	w := p.w
	back := w.chance.span(1, 400)
	if w.hold.slowRead > 0 {
		back, w.hold.slowRead = w.hold.slowRead, 0
		w.counts[SlowRead]++
	}
	var err error
	if w.hold.failReads > 0 {
		w.hold.failReads--
		w.counts[ReadError]++
		err = errors.New("the store does not answer")
	}
	w.after(w.chance.span(1, 400), func() {
		answer := read(context.Background())
		w.after(back, func() { p.do(func(m node.Moment) { answer(m, err) }) })
	})
}

func (p *process) load(saga id.ID) {
	p.read(func(ctx context.Context) func(node.Moment, error) {
		row, err := p.w.store.Load(ctx, saga)
		return func(m node.Moment, failed error) {
			plan := p.w.planOf(saga)
			p.w.tracef("%s reads %s: due %d, version %d: %v %v", p.name, p.w.label(saga), row.Due, row.Version, failed, err)
			switch {
			case failed != nil:
				p.node.Loaded(m, saga, nil, nil, unwind.Errorf(unwind.StoreUnavailable, "reading saga %s: %w", saga, failed))
			case errors.Is(err, store.ErrNotFound):
				p.node.Loaded(m, saga, nil, nil, unwind.Errorf(unwind.NotFound, "there is no saga %s", saga))
			case err != nil:
				panic(err)
			default:
				p.node.Loaded(m, saga, plan, &row, nil)
			}
		}
	})
}

func (p *process) claim(c node.Claim) {
	p.read(func(ctx context.Context) func(node.Moment, error) {
		rows, err := p.w.store.ClaimDue(ctx, c.AfterDue, c.After, c.Until, c.Limit)
		if err != nil {
			panic(err)
		}
		claimed := make([]node.Claimed, len(rows))
		for i := range rows {
			claimed[i] = node.Claimed{Row: rows[i], Plan: p.w.planOf(rows[i].ID)}
			if p.w.plan.Seed%2 == 0 { // a page may come with its journals
				whole, err := p.w.store.Load(ctx, rows[i].ID)
				if err != nil {
					panic(err)
				}
				claimed[i].Row = whole
			}
		}
		return func(m node.Moment, failed error) {
			if failed != nil {
				claimed = nil
			}
			p.w.tracef("%s claims from %d to %d: %d sagas, %v", p.name, c.AfterDue, c.Until, len(claimed), failed)
			p.node.Claimed(m, c, claimed, failed)
		}
	})
}

func (p *process) readQueue(r node.QueueRead) {
	p.read(func(ctx context.Context) func(node.Moment, error) {
		tasks, err := p.w.store.Tasks(ctx, r.Queue, r.Limit)
		if err != nil {
			panic(err)
		}
		return func(m node.Moment, failed error) {
			if failed != nil {
				tasks = nil
			}
			p.node.TasksRead(m, r, tasks, failed)
		}
	})
}

// planOf is the plan of a saga: the world knows what every id was started as.
func (w *world) planOf(saga id.ID) *machine.Plan {
	wish := w.sagas[saga]
	if wish == nil {
		panic(fmt.Sprintf("sim: the store has a saga %s that nobody started", saga))
	}
	return wish.recipe.plan
}
