package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/unwindhq/unwind/store"
)

// Each batch moves every saga by one version, so a reader that sees two versions
// sees half a batch.
func readersSeeWholeBatches(s *scene) {
	const sagas, rounds, readers = 8, 60, 4
	last := make([]store.Transition, sagas)
	for i := range last {
		last[i] = s.anonymous()
	}
	s.commit(last...)
	var done atomic.Bool
	var wg sync.WaitGroup
	failures := make(chan error, readers)
	for range readers {
		wg.Go(func() {
			for !done.Load() {
				if err := s.readWhole(sagas); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	for range rounds {
		next := make([]store.Transition, sagas)
		for i := range next {
			next[i] = s.full(s.then(last[i]))
		}
		for _, r := range s.commit(next...) {
			s.is("the outcome", r, store.Result{Outcome: store.Committed})
		}
		last = next
	}
	done.Store(true)
	wg.Wait()
	close(failures)
	for err := range failures {
		s.Error(err)
	}
	s.is("the journal's length", len(s.observe().Journal), sagas*(rounds+1))
}

// readWhole reads once and says which answer holds a part of a batch only.
func (s *scene) readWhole(sagas int) error {
	ctx := s.Context()
	listed, _, err := s.List(ctx, store.Filter{})
	if err != nil {
		return err
	}
	for i := range listed {
		if listed[i].Version != listed[0].Version || listed[i].UpdatedAt == 0 {
			return fmt.Errorf("a list shows saga %d at version %d and saga 0 at %d, which one batch moved", i, listed[i].Version, listed[0].Version)
		}
		if want := fmt.Sprintf("state %d", listed[i].Version); string(listed[i].State) != want {
			return fmt.Errorf("a saga at version %d has the state %q", listed[i].Version, listed[i].State)
		}
	}
	saga, err := s.Load(ctx, listed[0].ID)
	if err != nil {
		return err
	}
	if uint64(len(saga.Journal)) != saga.Version {
		return fmt.Errorf("a saga at version %d has %d rows of journal", saga.Version, len(saga.Journal))
	}
	rows, err := journalFrom(ctx, s.Store, "", 1000)
	if err != nil {
		return err
	}
	if len(rows)%sagas != 0 {
		return fmt.Errorf("the journal shows %d rows while each batch writes %d", len(rows), sagas)
	}
	queues, err := s.Queues(ctx, 0)
	if err != nil {
		return err
	}
	if len(queues) > 0 && queues[0].BackingOff != sagas {
		return fmt.Errorf("a queue shows %d tasks while each batch keeps %d", queues[0].BackingOff, sagas)
	}
	stats, err := s.Stats(ctx)
	if err != nil {
		return err
	}
	if stats.AlertsPending%int64(sagas) != 0 {
		return fmt.Errorf("%d alerts are pending while each batch writes %d", stats.AlertsPending, sagas)
	}
	return nil
}

// Operators put definitions, alerts are delivered and sagas purged while the
// engine commits.
func writersBesideCommitAreSafe(s *scene) {
	const rounds = 40
	ctx, epoch := s.Context(), s.epoch
	writers := []func(i int) error{
		func(i int) error {
			_, err := s.PutDefinition(ctx, epoch, store.Definition{Name: "place-order", Version: fmt.Sprint(i)}, store.Audit{Action: "put"})
			return err
		},
		func(int) error {
			pending, err := s.PendingAlerts(ctx, "pager", 3)
			if err != nil || len(pending) == 0 {
				return err
			}
			if err := s.AlertSinks(ctx, epoch, []string{"pager"}); err != nil {
				return err
			}
			if err := s.AlertsDelivered(ctx, epoch, "pager", pending[len(pending)-1].ID); err != nil {
				return err
			}
			_, err = s.PurgeAlerts(ctx, epoch, 1, 1) // none is that old
			return err
		},
		func(int) error {
			if _, err := s.Purge(ctx, epoch, 1<<62, 0, 1); err != nil {
				return err
			}
			_, err := s.PurgeKeys(ctx, epoch, 1<<62, 1)
			return err
		},
	}
	var wg sync.WaitGroup
	failures := make(chan error, len(writers))
	for _, write := range writers {
		wg.Go(func() {
			for i := range rounds {
				if err := write(i); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	for range rounds {
		t := s.full(s.anonymous())
		t.Phase, t.Due, t.DeadLetters = completed, store.AtRest, nil
		s.committed(t)
	}
	wg.Wait()
	close(failures)
	for err := range failures {
		s.Error(err)
	}
	o := s.observe()
	s.is("how many audit rows there are", len(o.Audit), 2*rounds)
	s.is("how many alerts there are", len(o.Alerts), rounds)
	s.is("the newest definition", s.definition("place-order", "").Version, fmt.Sprint(rounds-1))
}
