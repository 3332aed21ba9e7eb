package engine_test

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
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
