package sim

import (
	"context"
	"fmt"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/sagatest/history"
)

// unfinished says what is still to be done; empty: nothing.
func (w *world) unfinished() string {
	stats, err := w.store.Stats(context.Background())
	if err != nil {
		panic(err)
	}
	switch running, compensating := stats.Sagas[unwind.Running], stats.Sagas[unwind.Compensating]; {
	case running+compensating > 0:
		return fmt.Sprintf("%d sagas are running and %d compensating:%s", running, compensating, w.unrested())
	case stats.DeadLettersOpen > 0:
		return fmt.Sprintf("%d dead letters are open", stats.DeadLettersOpen)
	case stats.Compensations > 0:
		return fmt.Sprintf("%d compensations are queued", stats.Compensations)
	case w.waiting > 0:
		return fmt.Sprintf("%d requests of clients have no answer", w.waiting)
	case w.current == nil:
		return "no process is up"
	}
	for _, u := range w.wishes {
		if u.told == (id.ID{}) && u.tries <= 40 && !u.beaten {
			return "a client has not been told of its saga " + u.key
		}
	}
	return ""
}

// unrested names the sagas that are not at rest.
func (w *world) unrested() (text string) {
	for _, l := range w.lives {
		if l.ended == "" {
			text += " " + l.key + " " + l.saga.String() + w.waitsFor(l)
		}
	}
	return text
}

// waitsFor says what a saga's orders wait for, as the process explains it.
func (w *world) waitsFor(l *life) (text string) {
	if w.current == nil {
		return ""
	}
	p := w.current
	for i := range l.recipe.plan.Steps {
		for lane := range flow.Lane(2) {
			if x, ok := p.node.Flow().Explain(flow.TaskKey{Saga: l.saga, Step: uint16(i), Lane: lane}, (w.now+epoch+p.offset)*1000); ok {
				text += fmt.Sprintf(" (%s: %s until %dms)", l.recipe.plan.Steps[i].Name, x, (x.Until/1000-epoch-p.offset)/millis)
			}
		}
	}
	return text
}

// verdict says what is wrong with the run.
func (w *world) verdict() []history.Violation {
	w.readLedger()
	if w.ended && len(w.found) == 0 {
		w.checkLeft()
		w.checkBooks()
	}
	w.checkAudit()
	w.checkWindows()
	w.checkGroups()
	w.log.Definitions = w.definitions()
	report, err := history.Check(&w.log)
	if err != nil {
		panic(fmt.Sprintf("sim: seed %d: %v", w.plan.Seed, err))
	}
	return slices.Concat(report.Violations, w.found)
}

// definitions are what the history is judged by.
func (w *world) definitions() history.Definitions {
	d := history.Definitions{Sagas: map[string]*unwind.Definition{}}
	for i := range w.plan.Sagas {
		def := recipeOf(w.plan.Sagas[i].Recipe, w.plan.safe()).def
		d.Sagas[def.Name] = def
	}
	s := w.plan.Swarm
	counted := !w.torn && !s.Has(TakeOver) && !s.Has(Broken) && !s.Has(Duplicate) && !s.Has(SlowRequest)
	if s.Has(TakeOver) || s.Has(Duplicate) || s.Has(ChangeLimits) || s.Has(SendNow) { // meter.go judges what it can
		d.Services = judged(&[services]lanes{}, false)
	} else {
		d.Services = judged(&w.plan.Limits, counted)
	}
	d.Options = history.Options{Complete: w.ended, Skew: unwind.Duration(w.steps * 1000), Slack: unwind.Duration(w.delay * 1000)}
	if s.Has(Purge) {
		d.Options.KeyRetention = unwind.Duration(w.plan.keyRetention() * 1000)
	}
	return d
}

// checkLeft: nothing is left in memory.
func (w *world) checkLeft() {
	n := w.current.node
	if n.Active() > 0 || n.Orders() > 0 || n.InFlight() > 0 {
		w.fail(history.Liveness, "", "everything is at rest, and %d sagas, %d orders and %d calls are in memory", n.Active(), n.Orders(), n.InFlight())
	}
	for _, l := range w.lives {
		for _, group := range l.dead {
			if !w.told[group] {
				w.fail(history.Liveness, l.saga.String(), "a dead letter of the group %s has no alert", group)
			}
		}
	}
}

// checkBooks: what stands at the participants is what the sagas' ends say.
func (w *world) checkBooks() {
	for _, l := range w.lives {
		if l.ended == unwind.DeadLettered {
			w.fail(history.G2, l.saga.String(), "the saga rests as dead_lettered, and no dead letter of it is open")
		}
		for i := range l.recipe.plan.Steps {
			ps := &l.recipe.plan.Steps[i]
			if ps.Kind != unwind.ActionStep {
				continue
			}
			e := w.effect(place{l.saga, i, 0})
			switch {
			case l.ended == unwind.Completed && e.stands != 1:
				w.fail(history.G3, l.saga.String(), "the saga is completed, and the action of %s stands %d times", ps.Name, e.stands)
			case l.ended == unwind.Compensated && e.stands != 0 && ps.Undo.Exists:
				w.fail(history.G3, l.saga.String(), "the saga is compensated, and the action of %s stands %d times", ps.Name, e.stands)
			case e.stands > 1:
				w.fail(history.G8, l.saga.String(), "the action of %s took effect %d times", ps.Name, e.stands)
			}
		}
	}
}
