// Package memory keeps sagas in memory: the reference model of [store.Store],
// and the store of simulations, tests and demonstrations. Nothing survives the
// process.
//
// Committed rows are never changed where they lie, but for the fields of a saga:
// a task, a dead letter or a journal row is replaced by another. So whoever holds
// one may read it, and [Store.Clone] shares them.
package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// A Store is a [store.Store] in memory. It is safe for concurrent use, starts no
// goroutine and waits for nothing but its lock. Make one with [New].
type Store struct {
	mu     sync.RWMutex
	closed bool
	epoch  int64

	sagas map[int64]*saga    // by id.ID.Sequence
	keys  map[identity]*saga // starts that have a key
	kept  ordered[*saga]     // what is left of purged ones, for their keys
	order ordered[int64]     // sequences
	due   ordered[duePlace]  // sagas that are not at rest
	queue map[store.Queue]*ordered[*store.Task]
	dead  ordered[deadPlace]

	rows    []*journalRow
	lastRow int64

	alerts      alerts
	audit       []store.Audit // the id is the index + 1
	controls    map[unwind.Scope]store.Control
	flow        map[unwind.Scope][]byte
	definitions map[string][]store.Definition // by name, the newest last

	operations              map[int64]*operation
	lastOperation, revision int64
}

// A saga is what belongs to one saga.
type saga struct {
	store.Saga // without its journal
	rows       []*journalRow
	tasks      []*store.Task
	dead       []*store.DeadLetter
	notes      []note
}

// An identity is what makes two starts the same.
type identity struct{ tenant, name, key string }

// A duePlace is a saga's place in the order of ClaimDue.
type duePlace struct{ due, sequence int64 }

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{
		sagas: map[int64]*saga{},
		keys:  map[identity]*saga{},
		order: ordered[int64]{compare: cmp.Compare[int64]},
		kept:  ordered[*saga]{compare: compareKept},
		due:   ordered[duePlace]{compare: compareDue},
		queue: map[store.Queue]*ordered[*store.Task]{},
		dead:  ordered[deadPlace]{compare: compareDead},

		alerts:   newAlerts(),
		controls: map[unwind.Scope]store.Control{},
		flow:     map[unwind.Scope][]byte{},

		operations: map[int64]*operation{},
	}
}

// Clone returns a store of its own that holds what is committed and the current
// epoch, open even if this one is closed: what a process would find after a crash.
func (s *Store) Clone() *Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := &Store{
		epoch:       s.epoch,
		sagas:       make(map[int64]*saga, len(s.sagas)),
		keys:        make(map[identity]*saga, len(s.keys)),
		kept:        s.kept.clone(),
		order:       s.order.clone(),
		due:         s.due.clone(),
		queue:       make(map[store.Queue]*ordered[*store.Task], len(s.queue)),
		dead:        s.dead.clone(),
		rows:        slices.Clone(s.rows),
		lastRow:     s.lastRow,
		alerts:      s.alerts.clone(),
		audit:       slices.Clone(s.audit),
		controls:    maps.Clone(s.controls),
		flow:        maps.Clone(s.flow),
		definitions: make(map[string][]store.Definition, len(s.definitions)),

		operations: make(map[int64]*operation, len(s.operations)), lastOperation: s.lastOperation, revision: s.revision,
	}
	for name, op := range s.operations {
		c.operations[name] = op.clone()
	}
	for sequence, from := range s.sagas {
		to := *from
		to.State = bytes.Clone(from.State)
		to.rows, to.tasks = slices.Clone(from.rows), slices.Clone(from.tasks)
		to.dead, to.notes = slices.Clone(from.dead), slices.Clone(from.notes)
		c.sagas[sequence] = &to
		if to.Key != "" {
			c.keys[identityOf(&to.Start)] = &to
		}
	}
	for was := range s.kept.all() {
		c.keys[identityOf(&was.Start)] = was
	}
	for name, q := range s.queue {
		tasks := q.clone()
		c.queue[name] = &tasks
	}
	for name, revisions := range s.definitions {
		c.definitions[name] = slices.Clone(revisions)
	}
	return c
}

// Join implements [store.Store].
func (s *Store) Join(ctx context.Context, _ string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	s.epoch++
	return s.epoch, nil
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

var errClosed = errors.New("the store is closed")

func (s *Store) usable(ctx context.Context) error {
	if s.closed {
		return errClosed
	}
	return ctx.Err()
}

// writable is the fence.
func (s *Store) writable(ctx context.Context, epoch int64) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	if (epoch != s.epoch || epoch == 0) && !planted.On(planted.DropFence) {
		return fmt.Errorf("writing with epoch %d while %d is current: %w", epoch, s.epoch, store.ErrFenced)
	}
	return nil
}

// Damage makes a saga unreadable, as a failing disk would. It is for tests.
func (s *Store) Damage(saga id.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.find(saga); found != nil {
		found.Damage = fmt.Errorf("saga %s: %w", saga, store.ErrDamaged)
	}
}

// find returns the saga, or nil.
func (s *Store) find(saga id.ID) *saga {
	if found := s.sagas[saga.Sequence()]; found != nil && found.ID == saga {
		return found
	}
	return nil
}

func identityOf(s *store.Start) identity { return identity{s.Tenant, s.Name, s.Key} }

// compareKept orders by when they were updated last.
func compareKept(a, b *saga) int {
	return cmp.Or(cmp.Compare(a.UpdatedAt, b.UpdatedAt), cmp.Compare(a.ID.Sequence(), b.ID.Sequence()))
}

func compareDue(a, b duePlace) int {
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.sequence, b.sequence))
}
