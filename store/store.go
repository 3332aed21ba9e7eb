// Package store says what the engine needs of a database: a few methods named
// by intent. One transition is one write; transitions that are ready together
// share one transaction (group commit). store/storetest holds every
// implementation to the same behaviour.
package store

import (
	"context"
	"errors"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
)

// Errors that callers tell apart with errors.Is. Anything else means that
// nothing was written and that the same may work later.
var (
	// ErrFenced: a later epoch exists; this writer changes nothing any more.
	ErrFenced = errors.New("another process has taken over the store")
	// ErrFatal: nobody knows what the disk holds (a failed fsync, a damaged
	// file). The process must end; retrying would lose acknowledged data.
	ErrFatal = errors.New("the store can't be trusted any more")
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrDamaged: this row can't be read, now or later; others can.
	ErrDamaged = errors.New("the row is damaged; restore the store from a backup")
)

// Due says when a saga needs a node although nobody remembers it.
const (
	// AtRest: never.
	AtRest int64 = -1
	// Active: now; it has calls out.
	Active int64 = 0
	// Any other value: at that time, in microseconds since the Unix epoch.
)

// A Store keeps sagas durably. Its methods are safe for concurrent use, except
// that Commit is called by one goroutine at a time. Times are microseconds since
// the Unix epoch.
//
// What holds for every method:
//   - Sagas are ordered by [id.ID.Sequence], which no two sagas of a store share;
//     text is compared byte by byte and may be any UTF-8, NUL included.
//   - A limit of zero or less means 100 rows, one above 1000 means 1000.
//   - Cursors are opaque. An empty next is the end of the list (Journal's never
//     is); a cursor that this list did not give is an [*unwind.Error] of
//     InvalidRequest. Rows that come or go between two pages neither repeat nor
//     hide others.
//   - A write carries an epoch. Any but the one that the last Join returned is
//     refused with ErrFenced, before the first Join every one.
//   - A context that is done before a write begins leaves nothing written.
//   - A saga whose rows are damaged hides no others. Lists name it ([Saga].Damage),
//     Load is ErrDamaged, its transitions conflict, and its key begins no
//     other: a start is a Duplicate of it where its input can't be read.
//   - The caller keeps its arguments and owns its results: neither is shared with
//     the store. Nil and empty bytes are the same.
type Store interface {
	// Join begins a new epoch and fences every earlier writer. Epochs are positive and rise.
	Join(ctx context.Context, node string) (epoch int64, err error)
	// Commit writes a batch in one transaction and returns once it is durable.
	// It applies the transitions in their order, each to what those before it
	// left, and answers each; one that conflicts takes the later ones of its saga
	// with it and leaves the others alone ([Batch.Apply]). The batch's own rows are
	// written whatever becomes of its transitions.
	// An error means that none was written (or ErrFatal). An empty batch proves that
	// the store can be written by this epoch: something is made durable for it, too.
	Commit(ctx context.Context, b *Batch) ([]Result, error)

	// ClaimDue returns sagas in the order of (Due, id), from Active on: those past
	// the position (afterDue, after) and not due later than until, without their
	// journals. Sagas AtRest are never among them; (Active, the zero id) is before
	// all others. A page ends where it is full: [ClaimPage].
	ClaimDue(ctx context.Context, afterDue int64, after id.ID, until int64, limit int) ([]Saga, error)
	// Load returns one saga with its journal, or ErrNotFound.
	Load(ctx context.Context, saga id.ID) (Saga, error)
	// FindKey returns what a start's identity began, ErrNotFound, or ErrDamaged where
	// what is left of a purged saga can't be read. The empty key names none.
	FindKey(ctx context.Context, tenant, name, key string) (Key, error)
	// List returns sagas, newest first by id, each with the first row of its journal only.
	List(ctx context.Context, f Filter) (sagas []Saga, next string, err error)
	// Tasks returns up to limit compensation tasks of one queue, due or not, in
	// the order of (due, saga, step).
	Tasks(ctx context.Context, q Queue, limit int) ([]Task, error)
	// Queues counts the tasks of each queue that holds any, by target, saga type,
	// tenant and class.
	Queues(ctx context.Context, now int64) ([]QueueDepth, error)

	DeadLetters
	Operations

	// Journal returns rows of all sagas in the order of their commits, past the
	// opaque cursor; the empty cursor is the beginning, "now" the end. Its next
	// cursor resumes where the rows end, also where there are none yet.
	Journal(ctx context.Context, cursor string, limit int) (rows []JournalRow, next string, err error)

	// PutDefinition stores a revision and its audit row; putting the version that
	// is the newest again changes nothing. An older one becomes the newest anew,
	// with its new Body, CreatedAt and By.
	PutDefinition(ctx context.Context, epoch int64, d Definition, audit Audit) (changed bool, err error)
	// Definition returns a revision by name and version, or ErrNotFound; the empty
	// version is the newest.
	Definition(ctx context.Context, name, version string) (Definition, error)
	// Definitions returns the newest revision of each name, by name.
	Definitions(ctx context.Context) ([]Definition, error)

	Alerts

	// Audit returns the audit's rows, newest first; from the cursor [AuditOldest] on,
	// in the order in which they were written. It looks at [AuditLook] rows at most, so
	// that a page may have fewer than Limit, or none, and a cursor.
	Audit(ctx context.Context, f AuditFilter) (rows []Audit, next string, err error)
	// AuditHead returns the end of the audit as it was written, whatever became of
	// its rows.
	AuditHead(ctx context.Context) (AuditHead, error)
	// Controls returns what operators have set, by scope.
	Controls(ctx context.Context) ([]Control, error)
	// FlowStates returns what flow control keeps over a restart, by scope.
	FlowStates(ctx context.Context) ([]FlowState, error)

	// Purge deletes up to limit sagas that are completed or compensated and were
	// updated last before the given time, with all that belongs to them: journal,
	// tasks and dead letters; the key too, of one that was updated before keys. Any
	// other key stays taken until PurgeKeys. It reports how many sagas it deleted;
	// zero: none is left to delete. A saga with a dead letter that is open or
	// replaying is kept whole; audit rows always stay, and alerts until PurgeAlerts.
	Purge(ctx context.Context, epoch int64, before, keys int64, limit int) (int, error)
	// PurgeKeys frees up to limit keys of sagas that are deleted and were updated last
	// before the given time, and reports how many; fewer than limit: none is left.
	PurgeKeys(ctx context.Context, epoch int64, before int64, limit int) (int, error)
	// Stats counts sagas by status, open dead letters, tasks, and alerts and notices
	// that a sink has not acknowledged. Started, Refused and ActiveSagas are the engine's to
	// fill in.
	Stats(ctx context.Context) (unwind.Stats, error)
	// Close waits for what is under way. The store can't be used afterwards.
	Close() error
}

// A Saga is a stored saga. Journal is oldest first; the first row's is the start.
// CreatedAt and UpdatedAt are the At of its first and last transition.
type Saga struct {
	ID id.ID
	Start
	Version   uint64
	Epoch     int64 // of its last writer
	Phase     uint8
	Due       int64
	CreatedAt int64
	UpdatedAt int64
	State     []byte
	Journal   []JournalRow
	// Damage is why the saga can't be read (an ErrDamaged); nil: it can. With it
	// only Due and the ID's [id.ID.Sequence] are known to be right.
	Damage error
}

// A Key is what a start's identity began.
type Key struct {
	Saga id.ID
	// Purged: the saga is deleted, and what follows is what is left of it. Of one that
	// is there it is zero.
	Purged    bool
	Version   string // the definition's
	Phase     uint8
	CreatedAt int64
	UpdatedAt int64
}

// A JournalRow is the journal of one transition.
type JournalRow struct {
	Saga    id.ID
	Name    string // Name and Version are the start's where rows of all sagas
	Version string // are read, and empty in Saga.Journal
	Epoch   int64
	Node    string
	At      int64
	Body    []byte
	// Damage is why its saga can't be read; nil: it can. Then the name, the version
	// and the ID but for its Sequence may be missing.
	Damage error
}

// A Queue is where the compensations of one saga type, tenant and class wait for
// one target; first due, first served. It is what flow.Queue names.
type Queue struct {
	Target   string // the participant's name
	SagaType string
	Tenant   string // with SagaType: the flow
	Class    uint8  // flow.Class
}

// A Task is a compensation in its target's queue. It is a row of its own, so
// that it can be run by another node than its saga.
type Task struct {
	Saga id.ID
	Step int
	Queue
	Generation uint32
	Attempt    uint32
	Due        int64
	QueuedAt   int64
	Ask        bool
	Epoch      int64 // of its last writer
}

// A TaskChange puts a task into its queue (replacing the one of the same saga
// and step), or takes it out.
type TaskChange struct {
	Task
	Delete bool
}

// A QueueDepth counts one queue's tasks.
type QueueDepth struct {
	Queue
	Ready      int
	BackingOff int
	Oldest     int64 // QueuedAt of the oldest
}

// A Definition is a stored revision.
type Definition struct {
	Name, Version string
	Body          []byte // JSON
	CreatedAt     int64
	By            string
}

// A Filter selects sagas; zero fields match all.
type Filter struct {
	Phase  *uint8
	Name   string
	Tenant string
	Key    string
	Since  int64 // the earliest CreatedAt
	Cursor string
	Limit  int
}
