package engine

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

// A hungStore does not answer commits while it hangs.
type hungStore struct {
	store.Store
	hang chan struct{} // nil: it answers
	hung atomic.Int32  // commits that began while it hangs
}

func (s *hungStore) Commit(ctx context.Context, b *store.Batch) ([]store.Result, error) {
	if s.hang != nil {
		s.hung.Add(1)
		<-s.hang
	}
	return s.Store.Commit(ctx, b)
}

// A disk that hangs gives no error. Each who asks hears of it, and the store gets one
// write to answer, however many ask.
func TestAHungStoreIsNotReadyUntilItAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &hungStore{Store: memory.New()}
		e, err := Open(t.Context(), Config{Store: st, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Writable(t.Context()); err != nil {
			t.Fatalf("well, it says %v", err)
		}
		time.Sleep(2 * probeAfter.Std()) //nolint:forbidigo // the bubble's clock
		st.hang = make(chan struct{})
		for range 3 {
			err := e.Writable(t.Context())
			if unwind.CodeOf(err) != unwind.StoreUnavailable || !strings.Contains(err.Error(), "look at its disk") {
				t.Errorf("hung, it says %v", err)
			}
		}
		if n := st.hung.Load(); n != 1 {
			t.Errorf("the store was asked for %d writes", n)
		}
		time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock
		if err := e.Writable(t.Context()); unwind.CodeOf(err) != unwind.StoreUnavailable || !strings.Contains(err.Error(), "for 65 s") {
			t.Errorf("a minute later it says %v", err)
		}
		close(st.hang)
		synctest.Wait()
		if err := e.Writable(t.Context()); err != nil {
			t.Errorf("well again, it says %v", err)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
