package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
	"github.com/unwindhq/unwind/store/sqlite"
)

// A writer commits transitions as sagas of three steps make them: of each saga a
// start with a key, then three more, the last of which ends it. What the rows
// hold was made by the machine once; what tells sagas apart is made for each.
type writer struct {
	store  store.Store
	epoch  int64
	ids    *id.Source
	prefix string
	rows   []store.Transition // of one saga
	live   []moving
	begun  int
	batch  []store.Transition
}

// A moving saga is one that is not at rest yet.
type moving struct {
	saga    id.ID
	version uint64
}

func newWriter(ctx context.Context, s store.Store, prefix string) (*writer, error) {
	epoch, err := s.Join(ctx, "bench")
	if err != nil {
		return nil, fmt.Errorf("joining the store: %w", err)
	}
	rows, err := template()
	if err != nil {
		return nil, err
	}
	return &writer{store: s, epoch: epoch, ids: id.NewSource(nil, nil), prefix: prefix, rows: rows}, nil
}

// template is the transitions of one saga that completes.
func template() ([]store.Transition, error) {
	p, err := plan(remote())
	if err != nil {
		return nil, err
	}
	now := machine.Micros(time.Now().UnixMicro())
	events := []machine.Event{{Kind: machine.Started, At: now}}
	for i := range p.Steps {
		events = append(events, machine.Event{
			Kind: machine.Answered, At: now + machine.Micros(i+1)*1500, SentAt: now + machine.Micros(i)*1500 + 500, Step: i, Dir: "action", Attempt: 1,
			Answer: machine.Answer{Status: 200, Output: json.RawMessage(output)},
		})
	}
	var state machine.State
	rows := make([]store.Transition, len(events))
	for i, ev := range events {
		tr, err := machine.Next(p, state, ev)
		if err != nil {
			return nil, fmt.Errorf("making a saga: %w", err)
		}
		state = tr.State
		rows[i] = store.Transition{Version: state.Version, Phase: uint8(state.Phase), State: machine.AppendState(nil, &state), Journal: machine.AppendEntries(nil, tr.Entries)}
	}
	if state.Phase != machine.Completed {
		return nil, fmt.Errorf("making a saga: it is %s after all its answers", state.Phase)
	}
	first, last := &rows[0], &rows[len(rows)-1]
	first.Start = &store.Start{Name: saga, Version: p.Version, Input: input}
	first.SetDue, first.Due = true, store.Active
	last.SetDue, last.Due = true, store.AtRest
	return rows, nil
}

// write commits one batch of at most size transitions, of which at most starts
// are starts, and returns how many it held and how long the store took.
func (w *writer) write(ctx context.Context, size, starts int) (int, time.Duration, error) {
	at := time.Now().UnixMicro()
	w.batch = w.batch[:0]
	kept := w.live[:0]
	for _, m := range w.live {
		if len(w.batch) == size {
			kept = append(kept, m)
			continue
		}
		t := w.rows[m.version]
		m.version++
		t.Saga, t.At = m.saga, at
		w.batch = append(w.batch, t)
		if int(m.version) < len(w.rows) {
			kept = append(kept, m)
		}
	}
	w.live = kept
	for n := 0; n < starts && len(w.batch) < size; n++ {
		w.batch = append(w.batch, w.start(at))
	}
	begin := time.Now()
	results, err := w.store.Commit(ctx, &store.Batch{Epoch: w.epoch, Node: "bench", At: at, Transitions: w.batch})
	took := time.Since(begin)
	if err != nil {
		return 0, 0, fmt.Errorf("committing %d transitions: %w", len(w.batch), err)
	}
	for i := range results {
		if results[i].Outcome != store.Committed {
			return 0, 0, fmt.Errorf("saga %s was not written: outcome %d", w.batch[i].Saga, results[i].Outcome)
		}
	}
	return len(w.batch), took, nil
}

func (w *writer) start(at int64) store.Transition {
	w.begun++
	t, s := w.rows[0], *w.rows[0].Start
	s.Key = fmt.Sprintf("%s-%d", w.prefix, w.begun)
	s.KeyHash = id.KeyHash(s.Tenant, s.Name, s.Key)
	t.Saga, t.At, t.Start = w.ids.New(id.SlotOf(s.KeyHash)), at, &s
	w.live = append(w.live, moving{t.Saga, 1})
	return t
}

// finish writes sagas until count have been begun and all are at rest.
func (w *writer) finish(ctx context.Context, count int) error {
	const size = 1000
	for goal := w.begun + count; w.begun < goal || len(w.live) > 0; {
		if _, _, err := w.write(ctx, size, min(size/4, goal-w.begun)); err != nil {
			return err
		}
	}
	return nil
}

// openStore opens a store of a kind.
func openStore(ctx context.Context, kind, path string) (store.Store, error) {
	if kind == "memory" {
		return memory.New(), nil
	}
	s, err := sqlite.Open(ctx, sqlite.Config{Path: path})
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return s, nil
}
