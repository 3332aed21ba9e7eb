package engine

import (
	"context"
	"encoding/json"
	"errors"
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

// A fullStore takes no commits while it is full.
type fullStore struct {
	store.Store
	full atomic.Bool
}

func (s *fullStore) Commit(ctx context.Context, b *store.Batch) ([]store.Result, error) {
	if s.full.Load() {
		return nil, errors.New("the disk is full")
	}
	return s.Store.Commit(ctx, b)
}

// waiting is an engine with a saga that waits for a signal.
func waiting(t *testing.T, st store.Store) (e *Engine, saga string) {
	t.Helper()
	e, err := Open(t.Context(), Config{Store: st, Logger: slog.New(slog.DiscardHandler), Definitions: []unwind.Definition{{
		Name: "order", Steps: []unwind.Step{{Name: "approve", Kind: unwind.SignalStep, Timeout: 20 * unwind.Hour},
			{Name: "later", Kind: unwind.DelayStep, For: unwind.Hour}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	inst, _, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: "o-1", Input: json.RawMessage(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	return e, inst.ID
}

// unsure checks the answer to who asked for what may be done later.
func unsure(t *testing.T, what string, begin time.Time, err error) {
	t.Helper()
	if took := time.Since(begin); took != patience.Std() {
		t.Errorf("%s: it was answered after %s, not %s", what, took, patience.Std())
	}
	if unwind.CodeOf(err) != unwind.StoreUnavailable || !strings.Contains(err.Error(), "not known whether") {
		t.Errorf("%s: the answer is %v", what, err)
	}
}

// Who asks for something while the disk is full hears so: at once, or for what was let
// in, soon. What was let in is done once there is room, and only once.
func TestOperatorsHearOfAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &fullStore{Store: memory.New()}
		e, saga := waiting(t, st)
		st.full.Store(true)
		begin := time.Now()
		_, err := e.Cancel(t.Context(), saga, unwind.CancelRequest{Reason: "sold out"})
		unsure(t, "cancelling", begin, err)
		begin = time.Now()
		_, err = e.Cancel(t.Context(), saga, unwind.CancelRequest{Reason: "once more"})
		if unwind.CodeOf(err) != unwind.StoreUnavailable || !strings.Contains(err.Error(), "nothing was begun") || time.Since(begin) != 0 {
			t.Errorf("cancelling once more got %v after %s", err, time.Since(begin))
		}
		paused := true
		_, err = e.Control(t.Context(), unwind.ControlRequest{Scope: unwind.Scope{Kind: unwind.ScopeGlobal}, Paused: &paused, Reason: "what else"})
		unsure(t, "pausing", begin, err)
		st.full.Store(false)
		time.Sleep(5 * time.Second) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		inst, err := e.Get(t.Context(), saga)
		if err != nil || inst.Status != unwind.Compensated {
			t.Errorf("with room again it is %+v, error %v", inst, err)
		}
		rows, err := e.Audit(t.Context(), unwind.AuditFilter{})
		var did []string
		for _, r := range rows.Items {
			did = append(did, r.Action+" "+r.Reason)
		}
		if got := strings.Join(did, ", "); err != nil || got != "pause what else, cancel sold out, put-definition " {
			t.Errorf("the audit says %q, error %v", got, err)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A disk that hangs gives no answer; who asked gets one.
func TestNobodyWaitsForADiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := &hungStore{Store: memory.New()}
		e, saga := waiting(t, st)
		st.hang = make(chan struct{})
		for what, ask := range map[string]func() error{
			"starting": func() error {
				_, _, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: "o-2"})
				return err
			},
			"starting and waiting": func() error {
				_, _, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: "o-3", Wait: patience})
				return err
			},
			"signalling": func() error {
				_, err := e.Signal(t.Context(), saga, unwind.SignalRequest{Name: "approve"})
				return err
			},
		} {
			begin := time.Now()
			unsure(t, what, begin, ask())
		}
		close(st.hang)
		synctest.Wait()
		if inst, err := e.Get(t.Context(), saga); err != nil || inst.Steps[0].Status != unwind.StepSucceeded {
			t.Errorf("well again, it is %+v, error %v", inst, err)
		}
		if _, created, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: "o-2"}); err != nil || created {
			t.Errorf("asking for the start again made a saga: %v, error %v", created, err)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
