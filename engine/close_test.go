package engine_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store/memory"
	"github.com/unwindhq/unwind/store/sqlite"
)

// Close under load: what was acknowledged is there afterwards, what was refused
// is not, and no client hangs.
func TestCloseUnderLoadKeepsWhatWasAcknowledged(t *testing.T) {
	s := newStage(t, placeOrder(), "", patient)
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		acked = map[string]bool{}
		enter = make(chan struct{})
		once  sync.Once
	)
	for range 32 {
		wg.Go(func() {
			for i := 0; ; i++ {
				inst, _, err := s.Start(t.Context(), unwind.StartRequest{Saga: "place-order", Input: json.RawMessage(`{}`)})
				if err != nil {
					if unwind.CodeOf(err) != unwind.StoreUnavailable {
						t.Errorf("a start got %v", err)
					}
					return
				}
				mu.Lock()
				acked[inst.ID] = true
				mu.Unlock()
				if i == 5 {
					once.Do(func() { close(enter) })
				}
			}
		})
	}
	<-enter
	stop(t, s.Engine)
	wg.Wait()
	s.open()
	for id := range acked {
		if inst := s.rest(id); inst.Status != unwind.Completed {
			t.Fatalf("it rests as %s", inst.Status)
		}
	}
	stats, err := s.Stats(t.Context())
	if err != nil || stats.Sagas[unwind.Completed] != int64(len(acked)) {
		t.Errorf("%d sagas were acknowledged, the store has %+v, error %v", len(acked), stats.Sagas, err)
	}
	s.bodies()
}

// A call in flight is awaited, and its answer written down, so that it is not
// made again.
func TestCloseAwaitsWhatIsInFlight(t *testing.T) {
	s := newStage(t, placeOrder(), "", patient)
	hold := make(chan struct{})
	answer := answerOf("200")
	answer.Until = hold
	s.script.On("/charge", answer)
	id := s.begin("o-1")
	s.called("/charge", 1)
	done := make(chan struct{})
	go func() { defer close(done); stop(t, s.Engine) }()
	s.until("starts are still taken", func() bool {
		_, _, err := s.Start(t.Context(), unwind.StartRequest{Saga: "place-order"})
		return unwind.CodeOf(err) == unwind.StoreUnavailable
	})
	select {
	case <-done:
		t.Error("it did not wait")
	default:
	}
	close(hold)
	<-done
	if s.Err() != nil {
		t.Errorf("it says %v", s.Err())
	}
	s.open()
	inst := s.rest(id)
	charges := 0
	for _, r := range s.script.Calls("/charge") {
		if r.Saga == id {
			charges++
		}
	}
	if inst.Status != unwind.Completed || charges != 1 {
		t.Errorf("it rests as %s after %d charges", inst.Status, charges)
	}
}

func TestCloseIsBoundedByItsContext(t *testing.T) {
	w := newWorld(t, placeOrder(), "charge:never", patient)
	w.begin("o-1")
	w.called("/charge", 1)
	waiting := make(chan error)
	go func() {
		_, _, err := w.Start(t.Context(), unwind.StartRequest{Saga: "place-order", Key: "o-1", Input: json.RawMessage(`{"order":1}`), Wait: 50 * unwind.Second})
		waiting <- err
	}()
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.Close(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 15*time.Second { // the call has 20
		t.Errorf("it took %s", took)
	}
	<-waiting // with or without an answer, but not for ever
}

func TestCloseTwiceAndAtOnce(t *testing.T) {
	w := newWorld(t, placeOrder(), "", nil)
	w.run("o-1")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { stop(t, w.Engine) })
	}
	wg.Wait()
	stop(t, w.Engine)
	for name, err := range map[string]error{
		"Start":  second(w.Start(t.Context(), unwind.StartRequest{Saga: "place-order"})),
		"Cancel": second3(w.Cancel(t.Context(), "sg_x", unwind.CancelRequest{})),
	} {
		if err == nil {
			t.Errorf("%s works on a closed engine", name)
		}
	}
	if _, err := w.Participants(t.Context()); err == nil {
		t.Error("Participants works on a closed engine")
	}
	if _, _, err := w.Events(t.Context(), "", 1); err == nil {
		t.Error("Events works on a closed engine")
	}
}

func second(_ *unwind.Instance, _ bool, err error) error { return err }
func second3(_ *unwind.Instance, err error) error        { return err }

// Recovery is under way when the engine is closed; the next one takes up all of it.
func TestCloseDuringRecovery(t *testing.T) {
	path := filepath.Join(t.TempDir(), "unwind.db")
	var ran atomic.Int64
	hold := make(chan struct{})
	def := local("order", ok)
	def.Steps[0].Action.Func = held(hold)
	def.Steps[2].Action.Func = func(context.Context, unwind.Request) (json.RawMessage, error) {
		ran.Add(1)
		return nil, nil
	}
	openFile := func() *engine.Engine {
		st, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		e, err := engine.Open(t.Context(), engine.Config{Store: st, Definitions: []unwind.Definition{def}, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	const n = 3000
	e := openFile()
	for range n / 500 {
		if _, err := e.StartBatch(t.Context(), make500("order")); err != nil {
			t.Fatal(err)
		}
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Close(gone); err != nil {
		t.Fatal(err)
	}
	close(hold)
	for range 5 {
		e = openFile()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		err := e.Close(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
	e = openFile()
	defer stop(t, e)
	w := &world{Engine: e, t: t}
	w.reaches("those that are completed", n, func() int {
		stats, err := e.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return int(stats.Sagas[unwind.Completed])
	})
	if ran.Load() < n {
		t.Errorf("%d calls of %d sagas", ran.Load(), n)
	}
}

func make500(saga string) []unwind.StartRequest {
	reqs := make([]unwind.StartRequest, 500)
	for i := range reqs {
		reqs[i].Saga = saga
	}
	return reqs
}

// Opening fails as it should, and leaves nothing running.
func TestOpenThatFailsLeavesNothingBehind(t *testing.T) {
	if _, err := engine.Open(t.Context(), engine.Config{}); err == nil {
		t.Error("it opens without a store")
	}
	if _, err := engine.Open(t.Context(), engine.Config{Store: memory.New(), Definitions: []unwind.Definition{{Name: "x"}}}); unwind.CodeOf(err) != unwind.InvalidRequest {
		t.Errorf("a definition without steps got %v", err)
	}
	if _, err := engine.Open(t.Context(), engine.Config{Store: memory.New(), Participants: map[string]unwind.Participant{"shop": {URL: "shop"}}}); unwind.CodeOf(err) != unwind.InvalidRequest {
		t.Errorf("a URL that is none got %v", err)
	}
	st := &faultyStore{Store: memory.New()}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Open(t.Context(), engine.Config{Store: st, Definitions: []unwind.Definition{local("order", ok)}}); err == nil {
		t.Error("it opens on a closed store")
	}
}
