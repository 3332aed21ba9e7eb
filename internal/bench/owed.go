package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// bank is the service that owes the refunds of a backlog.
const bank = "bank"

// refunding is a saga that is undone by one refund.
func refunding() unwind.Definition {
	return unwind.Definition{Name: "refund", Steps: []unwind.Step{
		{Name: "charge", Action: &unwind.Call{Service: bank, Path: "/charge"}, Compensation: &unwind.Call{Service: bank, Path: "/refund"}},
		{Name: "ship", Action: &unwind.Call{Service: service, Path: "/ship"}, Compensation: unwind.None},
	}}
}

// An oweTask asks a worker for sagas whose refund was refused once and waits for what
// the bank said: half of them until At, the others until then and up to Spread later.
type oweTask struct {
	Path   string
	Sagas  int
	At     time.Time
	Spread time.Duration
}

// An owed backlog is in the store; Last waits for the longest.
type owed struct{ Last string }

// owe puts them into a store, as an engine would have left them.
func (w *worker) owe(t oweTask) (any, error) {
	s, err := openStore(w.ctx, "sqlite", t.Path)
	if err != nil {
		return nil, err
	}
	last, err := oweAll(w.ctx, s, t)
	return owed{last.String()}, errors.Join(err, s.Close())
}

func oweAll(ctx context.Context, s store.Store, t oweTask) (last id.ID, err error) {
	def := refunding()
	p, err := plan(def)
	if err != nil {
		return last, err
	}
	body, err := json.Marshal(&def)
	if err != nil {
		return last, fmt.Errorf("writing the definition: %w", err)
	}
	epoch, err := s.Join(ctx, "bench")
	if err != nil {
		return last, fmt.Errorf("joining the store: %w", err)
	}
	now := time.Now().UnixMicro()
	if _, err := s.PutDefinition(ctx, epoch, store.Definition{Name: def.Name, Version: p.Version, Body: body, CreatedAt: now}, store.Audit{Action: "put"}); err != nil {
		return last, fmt.Errorf("storing the definition: %w", err)
	}
	ids, batch := id.NewSource(nil, nil), &store.Batch{Epoch: epoch, Node: "bench", At: now}
	for n := 0; n < t.Sagas; {
		for batch.Transitions = batch.Transitions[:0]; len(batch.Transitions) < 1000 && n < t.Sagas; n++ {
			wait := t.At.Sub(time.UnixMicro(now))
			if half := t.Sagas / 2; n >= half {
				wait += t.Spread * time.Duration(n-half) / time.Duration(t.Sagas-half)
			}
			last = ids.New(0)
			row, err := refused(p, last, machine.Micros(now), machine.Micros(wait.Microseconds()))
			if err != nil {
				return last, err
			}
			batch.Transitions = append(batch.Transitions, row)
		}
		if _, err := s.Commit(ctx, batch); err != nil {
			return last, fmt.Errorf("committing %d sagas: %w", len(batch.Transitions), err)
		}
	}
	return last, nil
}

// refused is a saga's way to a refund that was refused, as one transition.
func refused(p *machine.Plan, saga id.ID, now, wait machine.Micros) (row store.Transition, err error) {
	var state machine.State
	var entries []machine.Entry
	var order machine.Effect
	for _, ev := range []machine.Event{
		{Kind: machine.Started},
		{Kind: machine.Answered, Step: 0, Dir: unwind.Action, Attempt: 1, Answer: machine.Answer{Status: 200, Output: json.RawMessage(output)}},
		{Kind: machine.Answered, Step: 1, Dir: unwind.Action, Attempt: 1, Answer: machine.Answer{Status: 409}},
		{Kind: machine.Answered, Step: 0, Dir: unwind.Compensation, Attempt: 1, Answer: machine.Answer{Status: 429, Hint: wait, Asked: wait}},
	} {
		ev.At, ev.SentAt = now, now
		next, err := machine.Next(p, state, ev)
		if err != nil {
			return row, fmt.Errorf("making a saga: %w", err)
		}
		state, entries = next.State, append(entries, next.Entries...)
		for _, e := range next.Effects {
			if e.Kind == machine.QueueCompensation {
				order = e
			}
		}
	}
	state.Version = 1
	timer, _ := machine.NextTimer(p, &state) // it gives up one day
	side := state.Side(order.Step, order.Dir)
	return store.Transition{
		Saga: saga, Start: &store.Start{Name: p.Name, Version: p.Version, Input: input}, Version: 1, Phase: uint8(state.Phase),
		State: machine.AppendState(nil, &state), Due: int64(timer.At), SetDue: true, At: int64(now), Journal: machine.AppendEntries(nil, entries),
		Tasks: []store.TaskChange{{Task: store.Task{
			Saga: saga, Step: order.Step, Queue: store.Queue{Target: bank, SagaType: p.Name, Class: uint8(flow.Normal)},
			Generation: order.Generation, Attempt: order.Attempt, Due: int64(order.NotBefore), QueuedAt: int64(side.Since),
		}}},
	}, nil
}
