package engine_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// A faultyStore fails as it is told, before the real one hears of anything.
type faultyStore struct {
	store.Store

	mu      sync.Mutex
	commit  error // what commits fail with
	read    error // what reads of sagas, tasks and definitions fail with
	after   error // what a commit fails with once it is written
	delay   time.Duration
	hold    chan struct{} // commits wait until it is closed
	commits []int         // the transitions of each commit that was written
}

var errDisk = errors.New("no space left on device")

// set changes the faults.
func (f *faultyStore) set(change func(*faultyStore)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *faultyStore) failsRead() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read
}

func (f *faultyStore) Commit(ctx context.Context, b *store.Batch) ([]store.Result, error) {
	f.mu.Lock()
	err, after, delay, hold := f.commit, f.after, f.delay, f.hold
	f.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if delay > 0 {
		select { // a slow disk
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	results, err := f.Store.Commit(ctx, b)
	if err == nil {
		f.set(func(f *faultyStore) { f.commits = append(f.commits, len(b.Transitions)) })
	}
	if after != nil {
		return nil, after
	}
	return results, err
}

func (f *faultyStore) Load(ctx context.Context, saga id.ID) (store.Saga, error) {
	if err := f.failsRead(); err != nil {
		return store.Saga{}, err
	}
	return f.Store.Load(ctx, saga)
}

func (f *faultyStore) ClaimDue(ctx context.Context, afterDue int64, after id.ID, until int64, limit int) ([]store.Saga, error) {
	if err := f.failsRead(); err != nil {
		return nil, err
	}
	return f.Store.ClaimDue(ctx, afterDue, after, until, limit)
}

func (f *faultyStore) Tasks(ctx context.Context, q store.Queue, limit int) ([]store.Task, error) {
	if err := f.failsRead(); err != nil {
		return nil, err
	}
	return f.Store.Tasks(ctx, q, limit)
}

func (f *faultyStore) Definition(ctx context.Context, name, version string) (store.Definition, error) {
	if err := f.failsRead(); err != nil {
		return store.Definition{}, err
	}
	return f.Store.Definition(ctx, name, version)
}
