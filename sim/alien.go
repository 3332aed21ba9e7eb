package sim

import (
	"context"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/sagatest/history"
	"github.com/unwindhq/unwind/store"
)

// conflict writes a saga behind the process' back, as another node might: it
// turns one back all of whose orders are in flight, or journals a late answer,
// which changes nothing but the version.
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
	ev := machine.Event{Kind: machine.Answered, Dir: unwind.Action, Attempt: 1000, At: w.micros() + machine.Micros(p.offset)}
	out, ordered := true, false
	for i := range state.Steps {
		if a := &state.Steps[i].Action; a.Ordered {
			ordered = true
			out = out && p.flying[place{row.ID, i, 0}] == a.Attempts+1
		}
	}
	if ordered && out && w.chance.percent(50) {
		ev.Kind, ev.Actor, ev.Reason = machine.CancelRequested, "another node", "told so"
	}
	plan := w.planOf(row.ID)
	tr, err := machine.Next(plan, state, ev)
	if err != nil || len(tr.Entries) == 0 {
		return
	}
	w.behind(p, row, plan, &ev, &tr)
	for i := range state.Steps { // what the process decides meanwhile is void
		delete(p.hints, place{row.ID, i, 0})
		delete(p.hints, place{row.ID, i, 1})
	}
	p.muddled[row.ID] = true
}

// behind commits a transition that the process knows nothing of.
func (w *world) behind(p *process, row *store.Saga, plan *machine.Plan, ev *machine.Event, tr *machine.Transition) {
	t := store.Transition{
		Saga: row.ID, Version: tr.State.Version, Phase: uint8(tr.State.Phase), At: int64(ev.At),
		State: machine.AppendState(nil, &tr.State), Journal: machine.AppendEntries(nil, tr.Entries),
	}
	if ev.Kind == machine.CancelRequested {
		t.Due, t.SetDue = store.Active, true
		if tr.State.Phase.AtRest() {
			t.Due = store.AtRest
		}
		t.Audit = &store.Audit{At: int64(ev.At), Actor: ev.Actor, Action: history.OpCancel, Target: row.ID.String(), Reason: ev.Reason}
	}
	for i := range tr.Effects {
		e := &tr.Effects[i]
		if e.Kind != machine.QueueCompensation {
			continue
		}
		call := plan.Call(e.Step, e.Dir)
		class := map[unwind.Priority]uint8{unwind.Money: 1, unwind.Low: 2}[call.Call.Priority]
		t.Tasks = append(t.Tasks, store.TaskChange{Task: store.Task{
			Saga: row.ID, Step: e.Step, Queue: store.Queue{Target: call.Service, SagaType: plan.Name, Tenant: row.Tenant, Class: class},
			Generation: e.Generation, Attempt: e.Attempt, Due: int64(e.NotBefore), QueuedAt: int64(ev.At), Ask: e.Ask}})
	}
	if _, err := w.store.Commit(context.Background(), &store.Batch{Epoch: p.epoch, Node: "x", At: int64(ev.At), Transitions: []store.Transition{t}}); err != nil {
		panic(err)
	}
	w.tracef("another node writes %s: %s", w.label(row.ID), ev.Kind)
	w.readJournal()
}
