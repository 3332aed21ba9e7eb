package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/internal/gateway"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/sqlite"
)

// A stage is a world whose engine can be dropped and opened anew on the same
// SQLite file. Its participant goes on meanwhile.
type stage struct {
	*world
	path string
	cfg  engine.Config // without a store
	st   store.Store
	wrap func(store.Store) store.Store
}

func newStage(t *testing.T, def unwind.Definition, words string, tweak func(*engine.Config)) *stage {
	t.Helper()
	return newStageAt(t, filepath.Join(t.TempDir(), "unwind.db"), def, words, tweak)
}

func newStageAt(t *testing.T, path string, def unwind.Definition, words string, tweak func(*engine.Config)) *stage {
	t.Helper()
	script := scripted(words)
	server := httptest.NewServer(script)
	t.Cleanup(server.Close)
	t.Cleanup(script.Close)
	s := &stage{world: &world{t: t, script: script}, path: path, cfg: shopConfig(def, server.URL, words)}
	if tweak != nil {
		tweak(&s.cfg)
	}
	s.open()
	return s
}

// open opens the engine on the file.
func (s *stage) open() {
	s.t.Helper()
	st, err := sqlite.Open(s.t.Context(), sqlite.Config{Path: s.path})
	if err != nil {
		s.t.Fatal(err)
	}
	s.st = st
	if s.wrap != nil {
		s.st = s.wrap(st)
	}
	cfg := s.cfg
	cfg.Store = s.st
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	e, err := engine.Open(s.t.Context(), cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Engine = e
	s.t.Cleanup(func() { stop(s.t, e) })
}

// stop closes an engine, whatever became of it before.
func stop(t *testing.T, e *engine.Engine) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := e.Close(ctx); err != nil {
		t.Error(err)
	}
}

// drop takes the disk away and then the engine, as a crash does: what is not
// durable never will be, and nobody says goodbye.
func (s *stage) drop() {
	s.t.Helper()
	if err := s.st.Close(); err != nil {
		s.t.Fatal(err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.Close(gone)
}

func (s *stage) crash() {
	s.t.Helper()
	s.drop()
	s.open()
}

// begin starts an order and returns as soon as that is durable.
func (w *world) begin(key string) string {
	w.t.Helper()
	inst, _, err := w.Start(w.t.Context(), unwind.StartRequest{Saga: "place-order", Key: key, Input: json.RawMessage(`{"order":1}`)})
	if err != nil {
		w.t.Fatal(err)
	}
	return inst.ID
}

// beginMany starts n orders. Where a busy machine leaves open whether one is durable, it
// is started again: the same key is the same saga.
func (w *world) beginMany(n int) []string {
	w.t.Helper()
	var ids []string
	for len(ids) < n {
		reqs := make([]unwind.StartRequest, min(500, n-len(ids)))
		for i := range reqs {
			w.many++
			reqs[i] = unwind.StartRequest{Saga: "place-order", Key: fmt.Sprint("many-", w.many), Input: json.RawMessage(`{}`)}
		}
		results, err := w.StartBatch(w.t.Context(), reqs)
		if err != nil {
			w.t.Fatal(err)
		}
		for i, r := range results {
			for begin := time.Now(); unwind.CodeOf(r.Err) == unwind.StoreUnavailable && time.Since(begin) < eventually.Std(); {
				r.Instance, _, r.Err = w.Start(w.t.Context(), reqs[i])
			}
			if r.Err != nil {
				w.t.Fatal(r.Err)
			}
			ids = append(ids, r.Instance.ID)
		}
	}
	return ids
}

// until waits for a condition, and says what it waited for when it never comes.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	for begin := time.Now(); !holds(); pause(w.t.Context(), 2*time.Millisecond) {
		if time.Since(begin) > eventually.Std() {
			w.t.Fatalf("after %s: %s", eventually, what)
		}
	}
}

// reaches waits until a count is n. It may take as long as it likes, but not stand
// still: how fast it goes is the machine's.
func (w *world) reaches(what string, n int, count func() int) {
	w.t.Helper()
	for had, was := -1, 0; had != n; {
		was = had
		w.until(fmt.Sprintf("%s: %d of %d, and they stand still", what, was, n), func() bool { had = count(); return had != was })
	}
}

// called waits until the participant has received n calls of a path.
func (w *world) called(path string, n int) []gateway.Request {
	w.t.Helper()
	for had := 0; ; {
		ctx, cancel := context.WithTimeout(w.t.Context(), eventually.Std())
		calls, err := w.script.Await(ctx, path, n)
		cancel()
		if err == nil {
			return calls
		}
		if len(calls) == had { // as in reaches
			w.t.Fatal(err)
		}
		had = len(calls)
	}
}

// alerted waits for an alert of a kind.
func (w *world) alerted(kind string) unwind.Alert {
	w.t.Helper()
	var found unwind.Alert
	w.until("there is no alert "+kind, func() bool {
		alerts, err := w.Alerts(w.t.Context(), unwind.AlertFilter{})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, a := range alerts.Items {
			if a.Kind == kind {
				found = a
				return true
			}
		}
		return false
	})
	return found
}

// step is how one step stands.
func (w *world) step(id, name string) unwind.StepInstance {
	w.t.Helper()
	inst, err := w.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range inst.Steps {
		if s.Name == name {
			return s
		}
	}
	w.t.Fatalf("there is no step %q", name)
	return unwind.StepInstance{}
}

// history is the kinds of a saga's entries, in order.
func (w *world) history(id string) []string {
	w.t.Helper()
	h, err := w.History(w.t.Context(), id, unwind.Page{Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	kinds := make([]string, len(h.Items))
	for i := range h.Items {
		kinds[i] = h.Items[i].Kind
	}
	return kinds
}

// isCode reports whether an error has a code, and how long it says to wait.
func isCode(err error, code unwind.Code) (unwind.Duration, bool) {
	var u *unwind.Error
	if !errors.As(err, &u) || u.Code != code {
		return 0, false
	}
	return u.RetryAfter, true
}

// refundLane asks for the lane of refunds to be paused or to go on.
func refundLane(paused bool, reason string) unwind.ControlRequest {
	return unwind.ControlRequest{
		Scope: unwind.Scope{Kind: unwind.ScopeCompensation, Name: "payments"}, Paused: &paused, Reason: reason, Actor: "ops",
	}
}
