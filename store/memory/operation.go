package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/unwindhq/unwind/store"
)

// An operation is a stored operation with its items; an item's number is its
// index + 1.
type operation struct {
	store.Operation
	items []item
}

type item struct {
	store.DeadLetterID
	outcome store.ItemOutcome
	why     string
}

func (o *operation) clone() *operation {
	c := *o
	c.items = slices.Clone(o.items)
	return &c
}

// row is what leaves the store.
func (o *operation) row() store.Operation {
	r := o.Operation
	r.Body = bytes.Clone(r.Body)
	return r
}

// AddOperation implements [store.Store].
func (s *Store) AddOperation(ctx context.Context, epoch int64, op store.Operation) (store.Operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return store.Operation{}, err
	}
	op.ID = 0
	if s.keyTaken(&op) {
		return store.Operation{}, fmt.Errorf("adding an operation: %w", store.ErrTaken)
	}
	s.lastOperation++
	s.revision++
	op.ID, op.Revision = s.lastOperation, s.revision
	added := &operation{Operation: op}
	added.Body = bytes.Clone(op.Body)
	s.operations[op.ID] = added
	return op, nil
}

func (s *Store) keyTaken(op *store.Operation) bool {
	other := s.operationOfKey(op.Key)
	return other != nil && other.ID != op.ID
}

func (s *Store) operationOfKey(key string) *operation {
	if key != "" {
		for _, op := range s.operations {
			if op.Key == key {
				return op
			}
		}
	}
	return nil
}

// ChangeOperation implements [store.Store].
func (s *Store) ChangeOperation(ctx context.Context, epoch int64, op store.Operation, audit *store.Audit) (store.Operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return store.Operation{}, err
	}
	was, err := s.operations[op.ID], error(nil)
	switch {
	case was == nil:
		err = store.ErrNotFound
	case was.Revision != op.Revision:
		err = store.ErrStale
	case s.keyTaken(&op):
		err = store.ErrTaken
	}
	if err != nil {
		return store.Operation{}, fmt.Errorf("writing operation %d: %w", op.ID, err)
	}
	s.revision++
	op.Revision = s.revision
	was.Operation = op
	was.Body = bytes.Clone(op.Body)
	if audit != nil {
		s.addAudit(audit)
	}
	return op, nil
}

// AddItems implements [store.Store].
func (s *Store) AddItems(ctx context.Context, epoch, of int64, items []store.DeadLetterID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return err
	}
	if op := s.operations[of]; op != nil {
		for _, id := range items {
			op.items = append(op.items, item{DeadLetterID: id})
		}
	}
	return nil
}

// SkipItems implements [store.Store].
func (s *Store) SkipItems(ctx context.Context, epoch, of int64, skips []store.Skip) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return err
	}
	for _, skip := range skips {
		if it := s.item(store.ItemID{Operation: of, Seq: skip.Seq}); it != nil && it.outcome == store.ItemQueued {
			it.outcome, it.why = store.ItemSkipped, skip.Why
		}
	}
	return nil
}

// item returns an item, or nil.
func (s *Store) item(name store.ItemID) *item {
	op := s.operations[name.Operation]
	if op == nil || name.Seq < 1 || name.Seq > int64(len(op.items)) {
		return nil
	}
	return &op.items[name.Seq-1]
}

// moveItem moves an item from one outcome to another, if it stands there.
func (s *Store) moveItem(name store.ItemID, from, to store.ItemOutcome) {
	if it := s.item(name); it != nil && it.outcome == from {
		it.outcome = to
	}
}

// DropOperation implements [store.Store].
func (s *Store) DropOperation(ctx context.Context, epoch, of int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, epoch); err != nil {
		return err
	}
	delete(s.operations, of)
	return nil
}

// Operation implements [store.Store].
func (s *Store) Operation(ctx context.Context, of int64) (store.Operation, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return store.Operation{}, err
	}
	if op := s.operations[of]; op != nil {
		return op.row(), nil
	}
	return store.Operation{}, fmt.Errorf("reading operation %d: %w", of, store.ErrNotFound)
}

// OperationByKey implements [store.Store].
func (s *Store) OperationByKey(ctx context.Context, key string) (store.Operation, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return store.Operation{}, err
	}
	if op := s.operationOfKey(key); op != nil {
		return op.row(), nil
	}
	return store.Operation{}, fmt.Errorf("reading the operation of a key: %w", store.ErrNotFound)
}

// Operations implements [store.Store].
func (s *Store) Operations(ctx context.Context, f store.OperationFilter) (ops []store.Operation, next string, err error) {
	before, err := store.OperationCursor.Before(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, "", err
	}
	limit := store.PageLimit(f.Limit)
	ids := slices.Sorted(maps.Keys(s.operations))
	slices.Reverse(ids)
	for _, id := range ids {
		op := s.operations[id]
		if id >= before || len(f.States) > 0 && !slices.Contains(f.States, op.State) {
			continue
		}
		if len(ops) == limit {
			return ops, store.OperationCursor.At(ops[limit-1].ID), nil
		}
		ops = append(ops, op.row())
	}
	return ops, "", nil
}

// ChangedOperations implements [store.Store].
func (s *Store) ChangedOperations(ctx context.Context, after int64, limit int) ([]store.Operation, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	var ops []store.Operation
	for _, op := range s.operations {
		if op.Revision > after {
			ops = append(ops, op.row())
		}
	}
	slices.SortFunc(ops, func(a, b store.Operation) int { return cmp.Compare(a.Revision, b.Revision) })
	return ops[:min(len(ops), store.PageLimit(limit))], nil
}

// LastRevision implements [store.Store].
func (s *Store) LastRevision(ctx context.Context) (int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.revision, s.usable(ctx)
}

// Items implements [store.Store].
func (s *Store) Items(ctx context.Context, of int64, outcome store.ItemOutcome, after int64, limit int) ([]store.Item, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	op, limit := s.operations[of], store.PageLimit(limit)
	var items []store.Item
	for i := max(after, 0); op != nil && i < int64(len(op.items)) && len(items) < limit; i++ {
		if it := &op.items[i]; it.outcome == outcome {
			items = append(items, store.Item{Seq: i + 1, DeadLetterID: it.DeadLetterID})
		}
	}
	return items, nil
}

// CountItems implements [store.Store].
func (s *Store) CountItems(ctx context.Context, of, upTo int64) ([]store.ItemCount, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	op := s.operations[of]
	if op == nil {
		return nil, nil
	}
	n := int64(len(op.items))
	if upTo > 0 {
		n = min(n, upTo)
	}
	found := map[store.ItemCount]int64{}
	for i := range op.items[:max(n, 0)] {
		found[store.ItemCount{Outcome: op.items[i].outcome, Why: op.items[i].why}]++
	}
	counts := make([]store.ItemCount, 0, len(found))
	for c, items := range found {
		c.Items = items
		counts = append(counts, c)
	}
	slices.SortFunc(counts, func(a, b store.ItemCount) int {
		return cmp.Or(cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Why, b.Why))
	})
	return counts, nil
}
