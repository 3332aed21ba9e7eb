package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// Commit implements [store.Store].
func (s *Store) Commit(ctx context.Context, b *store.Batch) ([]store.Result, error) {
	var results []store.Result
	err := s.write(ctx, b.Epoch, func(w *writer) (err error) {
		// Phase 1: what the batch's rows share.
		w.at = b.At
		if w.node, err = w.name(b.Node); err != nil {
			return err
		}
		// Phase 2: the transitions, each with all of its rows or none.
		if results, err = b.Apply(w.apply); err != nil {
			return err
		}
		// Phase 3: the batch's own rows.
		if err := w.addAlerts(b.Alerts); err != nil {
			return err
		}
		for i := range b.Audit {
			if err := w.addAudit(&b.Audit[i]); err != nil {
				return err
			}
		}
		for i := range b.Controls {
			if err := w.setControl(&b.Controls[i]); err != nil {
				return err
			}
		}
		for i := range b.Flow {
			if err := w.setFlow(&b.Flow[i]); err != nil {
				return err
			}
		}
		if b.Empty() { // what is there is written again, for a page that goes to the disk
			if err := w.writeCounts(); err != nil {
				return err
			}
		}
		// Phase 4: what was gathered in memory.
		if err := w.flushSegment(); err != nil {
			return err
		}
		return w.writeKeys()
	})
	if err != nil {
		return nil, fmt.Errorf("committing %d transitions: %w", len(b.Transitions), err)
	}
	return results, nil
}

// write runs one transaction: fenced, durable when it returns nil, and without a
// trace when it does not (unless that is ErrFatal).
func (s *Store) write(ctx context.Context, epoch int64, fn func(*writer) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	w := s.writer
	err := w.open(epoch)
	if err == nil {
		err = fn(w)
	}
	if err == nil {
		err = w.seal()
	}
	if err != nil {
		return s.failed(errors.Join(err, w.abort()))
	}
	return s.limitWAL()
}

// A commitError is an error of COMMIT itself.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

// failed explains an error, and remembers a fatal one.
func (s *Store) failed(err error) error {
	if err == nil {
		return nil
	}
	if commit, ok := errors.AsType[commitError](err); ok {
		err = explainCommit(commit.error)
	} else {
		err = explain(err)
	}
	if errors.Is(err, store.ErrFatal) {
		s.fatalMu.Lock()
		defer s.fatalMu.Unlock()
		if s.fatal == nil {
			s.fatal = err
		}
	}
	return err
}

// apply writes one transition, or answers why not. The saga's row is written
// first: whether it changes decides whether anything is.
func (w *writer) apply(t *store.Transition) (store.Result, error) {
	if t.Phase >= phases {
		return store.Result{}, fmt.Errorf("there is no phase %d", t.Phase)
	}
	var result store.Result
	var err error
	if t.Start != nil {
		result, err = w.start(t)
	} else {
		result, err = w.advance(t)
	}
	if err != nil || result.Outcome != store.Committed {
		return result, err
	}
	if len(t.Tasks) > 0 {
		if err := w.changeTasks(t); err != nil {
			return result, err
		}
	}
	for i := range t.DeadLetters {
		if err := w.changeDeadLetter(&t.DeadLetters[i]); err != nil {
			return result, err
		}
	}
	if len(t.Alerts) > 0 {
		if err := w.addAlerts(t.Alerts); err != nil {
			return result, err
		}
	}
	if t.Audit != nil {
		if err := w.addAudit(t.Audit); err != nil {
			return result, err
		}
	}
	return result, w.moveItem(t.Done, store.ItemQueued, store.ItemSucceeded)
}

var conflicting = store.Result{Outcome: store.Conflicting}

// start writes the first transition of a saga.
func (w *writer) start(t *store.Transition) (store.Result, error) {
	if t.Start.Key != "" {
		if same, found, err := w.sameKey(t.Start); err != nil || found {
			return same, err
		}
	}
	if t.Version != 1 {
		return conflicting, nil
	}
	seq, err := w.place(t)
	if err != nil {
		return store.Result{}, err
	}
	def, err := w.def(definition{t.Start.Name, t.Start.Version})
	if err != nil {
		return store.Result{}, err
	}
	due := store.Active
	if t.SetDue {
		due = t.Due
	}
	rid := t.Saga.Sequence()
	hot := hot{updated: t.At, epoch: w.epoch, head: seq, state: t.State}
	fixed := fixed{id: t.Saga, created: t.At, first: seq, def: def, tenant: t.Start.Tenant, key: t.Start.Key}
	w.blob, w.fixed = hot.append(w.blob[:0]), fixed.append(w.fixed[:0])
	w.insertSaga.BindInt64(1, rid)
	w.insertSaga.BindInt64(2, int64(t.Version))
	w.insertSaga.BindInt64(3, int64(t.Phase))
	w.insertSaga.BindInt64(4, due)
	w.insertSaga.BindBytes(5, w.blob)
	w.insertSaga.BindBytes(6, w.fixed)
	if err := exec(w.insertSaga); err != nil {
		return store.Result{}, err
	}
	if w.conn.Changes() == 0 {
		return conflicting, nil
	}
	w.append(t, 0)
	w.blocks.settled(rid, t)
	w.moved[t.Phase]++
	w.heads.put(t.Saga, head{version: t.Version, seq: seq, due: due, phase: t.Phase})
	if t.Start.Key != "" {
		w.keys.add(t.Start, t.Saga, rid)
	}
	return store.Result{}, nil
}

// advance writes a later transition of a saga.
func (w *writer) advance(t *store.Transition) (store.Result, error) {
	was, ok := w.heads.get(t.Saga)
	if !ok {
		var err error
		if was, ok, err = w.readHead(t.Saga); err != nil && !errors.Is(err, store.ErrDamaged) {
			return conflicting, err
		}
		if !ok {
			return conflicting, nil
		}
	}
	if was.version != t.Version-1 && !planted.On(planted.SkipVersionCheck) {
		return conflicting, nil
	}
	seq, err := w.place(t)
	if err != nil {
		return store.Result{}, err
	}
	is := head{version: t.Version, seq: seq, due: was.due, phase: t.Phase}
	if t.SetDue {
		is.due = t.Due
	}
	hot := hot{updated: t.At, epoch: w.epoch, head: seq, state: t.State}
	w.blob = hot.append(w.blob[:0])
	update := w.move // touches no index
	switch {
	case is.due != was.due:
		update = w.moveDue
		update.BindInt64(5, is.due)
		update.BindInt64(4, int64(t.Phase))
	case is.phase != was.phase:
		update = w.moveTo
		update.BindInt64(4, int64(t.Phase))
	}
	rid := t.Saga.Sequence()
	update.BindInt64(1, rid)
	update.BindInt64(2, int64(t.Version))
	update.BindBytes(3, w.blob)
	if err := exec(update); err != nil {
		return store.Result{}, err
	}
	if w.conn.Changes() == 0 {
		return conflicting, nil
	}
	w.append(t, seq-was.seq)
	w.blocks.settled(rid, t)
	w.moved[was.phase]--
	w.moved[is.phase]++
	w.heads.put(t.Saga, is)
	return store.Result{}, nil
}
