package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

// A counted store counts the reads of its journal.
type counted struct {
	store.Store
	reads atomic.Int64
}

func (c *counted) Journal(ctx context.Context, cursor string, limit int) ([]store.JournalRow, string, error) {
	c.reads.Add(1)
	return c.Store.Journal(ctx, cursor, limit)
}

func TestStreamsOfEventsShareTheirReads(t *testing.T) {
	const streams, starts = 64, 300
	st := &counted{Store: memory.New()}
	e := open(t, engine.Config{Store: st, Definitions: []unwind.Definition{local("order", ok)}})
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	_, end, err := e.Events(ctx, "not a cursor", 1)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range streams {
		all.Go(func() {
			seen, ended := map[string]int{}, 0
			for cursor := end; ended < starts; {
				events, next, err := e.Events(ctx, cursor, 256)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range events {
					var s unwind.SagaEvent
					if err := json.Unmarshal(events[i].Data, &s); err != nil || events[i].Kind != unwind.EventSaga {
						t.Errorf("an event is %+v, error %v", events[i], err)
						return
					}
					if seen[s.ID]++; s.Status == unwind.Completed {
						ended++
					}
				}
				cursor = next
			}
			for saga, n := range seen {
				if n != 4 { // one for each transition
					t.Errorf("of saga %s came %d events", saga, n)
				}
			}
		})
	}
	begin := time.Now()
	for range starts {
		if _, _, err := e.Start(ctx, unwind.StartRequest{Saga: "order"}); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(begin)
	all.Wait()
	t.Logf("%.0f starts/s; the journal was read %d times", starts/took.Seconds(), st.reads.Load())
	if n := st.reads.Load(); n > 8*4*starts { // each for itself: some 64 times the commits
		t.Errorf("the journal was read %d times for %d transitions", n, 4*starts)
	}
}

// Where nothing is to be told, one of all who wait looks.
func TestStreamsOfEventsShareThatThereIsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const streams, changes = 64, 10
		st := &counted{Store: memory.New()}
		e, err := engine.Open(t.Context(), engine.Config{Store: st, Definitions: []unwind.Definition{local("order", ok)}, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range streams {
			all.Go(func() {
				if events, _, err := e.Events(ctx, "", 256); !errors.Is(err, context.Canceled) {
					t.Errorf("got %+v, error %v", events, err)
				}
			})
		}
		synctest.Wait()
		begun := st.reads.Load()
		for i := range changes { // each is a commit that streams say nothing of
			paused := i%2 == 0
			if _, err := e.Control(ctx, unwind.ControlRequest{Scope: unwind.Scope{Kind: unwind.ScopeSagaType, Name: "order"}, Paused: &paused, Reason: "x"}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := st.reads.Load() - begun; n < changes || n > 2*changes {
			t.Errorf("over %d changes the journal was read %d times", changes, n)
		}
		begun = st.reads.Load()
		time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock
		if n := st.reads.Load() - begun; n < 30 || n > 70 {
			t.Errorf("in a quiet minute the journal was read %d times", n)
		}
		cancel()
		all.Wait()
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
