package sim

import (
	"context"
	"encoding/json"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/sagatest/history"
	"github.com/unwindhq/unwind/store"
)

// operate is what a person does now and then: look at the dead letters, and
// have them called again or settle them; let lanes go on that have paused
// themselves.
func (w *world) operate() {
	if w.ended {
		return
	}
	every := 700 * millis
	if w.calm {
		every = 250 * millis
	}
	w.after(every, w.operate)
	w.checkQueues()
	w.checkRules()
	w.checkFreed()
	w.checkGroups()
	ctx := context.Background()
	open, _, err := w.store.DeadLetters(ctx, store.DeadLetterFilter{State: unwind.DeadLetterOpen})
	if err != nil {
		panic(err)
	}
	for i := range open {
		if w.calm || w.chance.percent(20) {
			w.settle(&open[i])
		}
	}
	paused, err := w.store.Controls(ctx)
	if err != nil {
		panic(err)
	}
	for i := range paused {
		if w.calm || w.now >= w.scope(paused[i].Scope).leave {
			w.resume(paused[i].Scope)
		}
	}
}

// settle has a dead letter called again, or settles it by hand; the second time
// the participant has been mended.
func (w *world) settle(d *store.DeadLetter) {
	u := w.sagas[d.Saga]
	if w.current == nil || u == nil || u.busy {
		return
	}
	at := place{d.Saga, d.Step, dirIndex(d.Direction)}
	if w.now < w.book(at).sent+second {
		return // what was sent may still come in
	}
	c := dice(w.plan.Seed, 5, uint64(u.Label), uint64(at.step), uint64(at.dir), uint64(u.fixed[at]))
	by := machine.Event{Step: d.Step, Dir: d.Direction, Actor: "operator", Reason: "looked into it"}
	pc := u.recipe.plan.Call(d.Step, d.Direction)
	act := u.recipe.plan.Steps[d.Step].Kind == unwind.ActionStep
	done, byHand := u.hands[at]
	switch {
	case byHand: // what was done can only be told again, and a new key never without looking
		if by = done; by.NewKey && !w.withhold(at) {
			return
		}
	case act && u.fixed[at] > 0 && c.percent(60), act && c.percent(25):
		by.Kind = machine.Resolved
		by.Evidence = "ticket 7"
		w.byHand(u, at, &by, &c)
		u.hands[at] = by
	default:
		by.Kind = machine.Replayed
		if act && (d.Error.Class == unwind.ClassKeyExpired && !pc.HasStatus || c.percent(15)) {
			if !w.withhold(at) {
				return // the old call is still worked on
			}
			by.NewKey, by.Evidence = true, "the old one did nothing"
			u.hands[at] = by
		}
	}
	u.fixed[at]++
	delete(w.current.hints, at)
	op := map[machine.EventKind]string{machine.Replayed: history.OpReplay, machine.Resolved: history.OpResolve}[by.Kind]
	step := u.recipe.def.Steps[d.Step].Name
	u.busy = true
	w.operation(u.wish, history.Line{Op: op, Step: step, Direction: d.Direction}, node.Operation{Saga: d.Saga, Event: by,
		Audit: &store.Audit{Actor: "operator", Action: op, Target: d.Saga.String() + "/" + step + "/" + string(d.Direction), Reason: by.Reason},
	}, func(err error, lost bool) {
		u.busy = false
		if err == nil && !lost {
			delete(u.hands, at)
		}
	})
}

// byHand settles a call outside of the engine and says so.
func (w *world) byHand(u *life, at place, by *machine.Event, c *chance) {
	e := w.effect(at)
	if at.dir == 1 {
		e.stands, e.undone, e.settled = 0, true, true
		w.callOff(place{at.saga, at.step, 0})
		w.callOff(at)
		return
	}
	by.As = "done"
	if !u.recipe.plan.Steps[at.step].PastPivot && c.percent(50) {
		by.As = "refused"
		e.stands, e.settled = 0, true
		w.callOff(at)
		return
	}
	e.stands, e.settled = 1, true
	by.Output = json.RawMessage(`{"id":"by hand"}`)
	e.output = string(by.Output)
	w.callOff(at)
}

// callOff takes back what a participant still works on.
func (w *world) callOff(at place) {
	b := w.book(at)
	for i := range b.records {
		if b.records[i].state == working {
			b.records[i].state = withheld
		}
	}
}

// withhold makes sure that nothing happened under a call's key, nor ever will.
func (w *world) withhold(at place) bool {
	b, e := w.book(at), w.effect(at)
	for i := range b.records {
		if b.records[i].state == working {
			return false
		}
	}
	if at.dir == 0 {
		e.stands = 0
	} else {
		e.undone = false
	}
	for i := range b.records {
		b.records[i].state = withheld
	}
	b.note(record{generation: b.generation, state: withheld, first: w.now})
	return true
}
