package storetest

import (
	"errors"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind/store"
)

// drawItem draws what an act is for: mostly nothing.
func (d *duel) drawItem(r *rapid.T) store.ItemID {
	if rapid.IntRange(0, 2).Draw(r, "for an item") > 0 {
		return store.ItemID{}
	}
	return store.ItemID{Operation: draw[int64](r, "operation", 1, 2, 3), Seq: draw[int64](r, "item", 1, 2, 3, 4)}
}

// operate adds, changes, fills or drops an operation. IDs and revisions begin
// with 1 and rise by one, so that both stores' are the same.
func (d *duel) operate(r *rapid.T) {
	of := draw[int64](r, "operation", 1, 2, 3)
	switch draw(r, "act", "add", "add items", "add items", "change", "change", "skip", "drop") {
	case "add":
		op := store.Operation{State: store.OperationRunning, Key: draw(r, "key", "", "k1", "k2"), At: d.now, Body: d.text("operation")}
		d.same(r, "AddOperation", func(s *side) (any, error) { return s.AddOperation(d.ctx, s.epoch(), op) })
	case "add items":
		var items []store.DeadLetterID
		some(r, "items", 4, func() {
			if len(d.sagas) > 0 {
				items = append(items, store.DeadLetterID{Saga: d.drawSaga(r).id, Step: draw(r, "step", -1, 0, 1), Direction: draw(r, "direction", directions...)})
			}
		})
		d.same(r, "AddItems", func(s *side) (any, error) {
			if _, err := s.Operation(d.ctx, of); err != nil {
				return nil, err
			}
			return nil, s.AddItems(d.ctx, s.epoch(), of, items)
		})
	case "change":
		state, key, body := draw(r, "state", store.OperationPaused, store.OperationFinished, store.OperationSelection), draw(r, "key", "", "k1", "k2"), d.text("operation")
		stale, audit := rapid.Bool().Draw(r, "stale"), d.audit("operation")
		d.same(r, "ChangeOperation", func(s *side) (any, error) {
			op, err := s.Operation(d.ctx, of)
			if err != nil {
				return nil, err
			}
			op.State, op.Key, op.Body, op.At = state, key, body, d.now
			if stale {
				op.Revision--
			}
			return s.ChangeOperation(d.ctx, s.epoch(), op, &audit)
		})
	case "skip":
		skips := []store.Skip{skipped(draw[int64](r, "item", 1, 2, 3), "gone"), skipped(draw[int64](r, "item", 1, 2, 3), "resolved")}
		d.same(r, "SkipItems", func(s *side) (any, error) { return nil, s.SkipItems(d.ctx, s.epoch(), of, skips) })
	case "drop":
		if rapid.IntRange(0, 3).Draw(r, "drop") == 0 {
			d.same(r, "DropOperation", func(s *side) (any, error) { return nil, s.DropOperation(d.ctx, s.epoch(), of) })
		}
	}
	after, upTo := draw[int64](r, "after", 0, 1, 5), draw[int64](r, "up to", 0, 1, 2)
	d.same(r, "operations", func(s *side) (any, error) {
		counts, err := s.CountItems(d.ctx, of, upTo)
		if err != nil {
			return nil, err
		}
		changed, err := s.ChangedOperations(d.ctx, after, 2)
		last, err2 := s.LastRevision(d.ctx)
		return []any{counts, changed, last}, errors.Join(err, err2)
	})
	d.same(r, "the operation of a key", func(s *side) (any, error) { return s.OperationByKey(d.ctx, "k1") })
}

// note writes about a dead letter, which may not be there.
func (d *duel) note(r *rapid.T) {
	if len(d.sagas) == 0 {
		r.Skip("there is no saga")
	}
	dead := store.DeadLetterID{Saga: d.drawSaga(r).id, Step: draw(r, "step", 0, 1), Direction: draw(r, "direction", directions...)}
	n, audit := store.Note{At: d.now, By: "ada", Text: string(d.text("note")), Owner: draw(r, "owner", "", "ada")}, d.audit(dead.Name())
	d.same(r, "AddNote", func(s *side) (any, error) { return nil, s.AddNote(d.ctx, s.epoch(), dead, n, audit) })
}
