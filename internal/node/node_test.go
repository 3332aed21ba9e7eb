package node

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// G1, G7: neither an answer nor a call leaves before the commit that carries it.
func TestEffectsAreHeldUntilTheCommit(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.start(false)
	if len(r.replies) > 0 || len(r.calls) > 0 {
		t.Fatal("something left before the start was durable")
	}
	r.commit(nil)
	if len(r.replies) != 1 || r.replies[0].Err != nil {
		t.Fatalf("the start was answered with %+v", r.replies)
	}
	c := r.call("reserve", unwind.Action)
	r.answer(c, 200)
	r.quiet()
	r.commit(nil)
	r.call("charge", unwind.Action)
}

// G7: an idle store adds no delay, a busy one gets groups.
func TestGroupFormsWhileACommitFlies(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.start(false)
	if n := len(r.batch.Transitions); n != 1 {
		t.Fatalf("the first batch has %d transitions", n)
	}
	for range 5 {
		r.start(false)
	}
	r.commit(nil)
	if n := len(r.batch.Transitions); n != 5 {
		t.Fatalf("the second batch has %d transitions", n)
	}
}

// A commit right behind another one waits for more, but never for long, and never
// where nothing is to come.
func TestACommitBehindAnotherWaitsForItsLike(t *testing.T) {
	busy := func(t *testing.T, took machine.Micros) *rig {
		t.Helper()
		r := newRig(t, threeSteps(), Config{})
		for range 10 {
			r.start(false)
		}
		r.settle()
		r.now += 50_000
		r.answer(r.calls[0], 200)
		if r.batch == nil {
			t.Fatal("the store is idle, and a commit waits")
		}
		r.answer(r.calls[1], 200)
		r.now += took
		r.commit(nil)
		if r.batch != nil {
			t.Fatal("a commit of one of ten does not wait")
		}
		return r
	}
	t.Run("as long as the last one took", func(t *testing.T) {
		r := busy(t, 300)
		r.now += 299
		if r.look(); r.batch != nil {
			t.Fatal("it does not wait for as long")
		}
		if wake := r.n.Wake(); wake != r.now+1 {
			t.Fatalf("it wakes in %d µs", wake-r.now)
		}
		r.now++
		r.look()
		if r.batch == nil {
			t.Fatal("it waits for longer")
		}
	})
	t.Run("a millisecond at most", func(t *testing.T) {
		r := busy(t, 80_000)
		r.now += mostGather
		r.look()
		if r.batch == nil {
			t.Fatal("it waits for longer")
		}
	})
	t.Run("until half of the answers are there", func(t *testing.T) {
		r := busy(t, 300)
		for i := 2; r.batch == nil; i++ {
			r.answer(r.calls[i], 200)
			r.look()
		}
		if n := len(r.batch.Transitions); n < 3 || n > 5 {
			t.Fatalf("%d answers make a commit, with %d to come", n, r.n.InFlight())
		}
	})
	t.Run("not for the answers of Go functions", func(t *testing.T) {
		def := threeSteps()
		for i := range def.Steps {
			def.Steps[i].Action = &unwind.Call{Func: func(context.Context, unwind.Request) (json.RawMessage, error) { return nil, nil }}
		}
		r := newRig(t, def, Config{})
		for range 10 {
			r.start(false)
		}
		r.settle()
		r.now += 50_000
		r.answer(r.calls[0], 200)
		r.answer(r.calls[1], 200)
		r.now += 300
		if r.commit(nil); r.batch == nil {
			t.Fatalf("it waits, with %d functions at work", r.n.InFlight())
		}
	})
	t.Run("not where nobody is called", func(t *testing.T) {
		r := newRig(t, threeSteps(), Config{})
		r.start(false)
		r.now += 300
		r.commit(nil)
		for _, step := range []string{"reserve", "charge", "ship"} {
			r.answer(r.call(step, unwind.Action), 200)
			r.look()
			r.now += 300
			r.commit(nil)
		}
	})
}

// G1: a refused start never exists.
func TestStartsAreRefused(t *testing.T) {
	refusal := func(r *rig) unwind.Code {
		t.Helper()
		if len(r.replies) == 0 {
			return ""
		}
		last := r.replies[len(r.replies)-1]
		r.replies = nil
		return unwind.CodeOf(last.Err)
	}
	t.Run("while the store can't be written", func(t *testing.T) {
		r := newRig(t, threeSteps(), Config{})
		r.start(false)
		r.commit(errFull)
		if code := refusal(r); code != unwind.StoreUnavailable {
			t.Fatalf("the start that was not written was answered with %q", code)
		}
		r.start(false)
		if code := refusal(r); code != unwind.StoreUnavailable {
			t.Fatalf("a start meanwhile was answered with %q", code)
		}
		r.now += sickMost
		r.start(false)
		r.settle()
		if code := refusal(r); code != "" || len(r.rows) != 1 {
			t.Fatalf("a start afterwards was answered with %q, and %d sagas exist", code, len(r.rows))
		}
	})
	t.Run("while too many are active", func(t *testing.T) {
		r := newRig(t, threeSteps(), Config{MaxActive: 1})
		r.start(false)
		r.settle()
		r.replies = nil
		r.start(false)
		if code := refusal(r); code != unwind.Overloaded {
			t.Fatalf("it was answered with %q", code)
		}
	})
	t.Run("while the node drains", func(t *testing.T) {
		r := newRig(t, threeSteps(), Config{})
		r.n.Drain()
		r.start(false)
		if code := refusal(r); code != unwind.StoreUnavailable {
			t.Fatalf("it was answered with %q", code)
		}
		if !r.n.Drained() {
			t.Fatal("nothing is under way and the node is not drained")
		}
	})
}

// G7: what a participant answered outlives a commit that failed.
func TestFailedCommitIsMadeAgain(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	saga := r.start(false)
	r.settle()
	r.answer(r.call("reserve", unwind.Action), 200)
	r.commit(errFull)
	r.quiet()
	if r.batch != nil {
		t.Fatal("the store is asked again at once")
	}
	r.now = r.n.Wake()
	r.settle()
	r.call("charge", unwind.Action)
	if v := r.rows[saga].Version; v != 2 {
		t.Fatalf("the saga has version %d", v)
	}
}

// G12: a writer that is fenced stops.
func TestFencedNodeStops(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.start(false)
	r.commit(store.ErrFenced)
	if r.stop == nil {
		t.Fatal("the node goes on")
	}
}

func (r *rig) cancel(saga id.ID) {
	r.n.Operate(r.moment(), Operation{Token: 99, Saga: saga, Event: machine.Event{Kind: machine.CancelRequested}})
	r.look()
}

// G6: an order that has not left is withdrawn, one that has is awaited.
func TestTurnBackWithdrawsOrAwaits(t *testing.T) {
	t.Run("before it is sent", func(t *testing.T) {
		r := newRig(t, threeSteps(), Config{})
		saga := r.start(false)
		r.settle()
		r.answer(r.call("reserve", unwind.Action), 429) // to be sent again after a while
		r.settle()
		r.cancel(saga)
		r.settle()
		if p := r.phase(saga); p != machine.Compensated {
			t.Fatalf("the saga is %s", p)
		}
		r.now += 10_000_000
		r.settle()
		r.quiet()
	})
	t.Run("in flight", func(t *testing.T) {
		r := newRig(t, threeSteps(), Config{})
		saga := r.start(false)
		r.settle()
		c := r.call("reserve", unwind.Action)
		r.cancel(saga)
		r.settle()
		if p := r.phase(saga); p != machine.Compensating {
			t.Fatalf("the saga is %s while its action is in flight", p)
		}
		r.answer(c, 200)
		r.settle()
		r.call("reserve", unwind.Compensation)
	})
	t.Run("sent by an earlier process", func(t *testing.T) {
		r := newRig(t, threeSteps(), Config{})
		saga := r.start(false)
		r.settle()
		r.call("reserve", unwind.Action)
		r.controls = []store.Control{{Scope: unwind.Scope{Kind: unwind.ScopeForward, Name: "shop"}, Paused: true}}
		r.restart(Config{})
		r.cancel(saga)
		r.settle()
		r.quiet()
		r.now += 2_000_000 // it may have executed: it is undone once it has settled
		r.settle()
		r.call("reserve", unwind.Compensation)
	})
}

// G13: what was decided on a state that never was is not written.
func TestConflictVoidsSuccessors(t *testing.T) {
	def := threeSteps()
	def.Steps[1].After = []string{}
	r := newRig(t, def, Config{})
	saga := r.start(false)
	r.settle()
	one, two := r.call("reserve", unwind.Action), r.call("charge", unwind.Action)
	r.rows[saga].Version++ // somebody else
	r.answer(one, 200)
	r.answer(two, 200)
	r.commit(nil)
	if r.batch != nil {
		t.Fatalf("%d transitions are written after a conflict", len(r.batch.Transitions))
	}
	r.rows[saga].State = func() []byte {
		s, err := machine.DecodeState(r.rows[saga].State)
		if err != nil {
			t.Fatal(err)
		}
		s.Version++
		return machine.AppendState(nil, &s)
	}()
	r.rows[saga].Journal = append(r.rows[saga].Journal, store.JournalRow{Saga: saga, Body: []byte("[]")})
	r.load()
	again := r.call("reserve", unwind.Action)
	r.call("charge", unwind.Action)
	// Its first answer was void: whether it executed nobody knows, so that a
	// refusal proves nothing.
	r.answer(again, 409)
	r.settle()
	if p := r.phase(saga); p != machine.Running {
		t.Fatalf("the saga is %s", p)
	}
}

// L: a waiter is told when the saga is at rest, also over a conflict.
func TestWaitAndForget(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	saga := r.start(true)
	r.settle()
	r.n.Operate(r.moment(), Operation{Token: 50, Saga: saga, Wait: true})
	r.look()
	if len(r.replies) > 0 {
		t.Fatalf("a waiter was told early: %+v", r.replies)
	}
	if s := r.n.Forget(saga, 50); s == nil || s.State.Phase != machine.Running {
		t.Fatalf("who gives up is shown %+v", s)
	}
	for _, step := range []string{"reserve", "charge", "ship"} {
		r.answer(r.call(step, unwind.Action), 200)
		r.settle()
	}
	if len(r.replies) != 1 || r.replies[0].Token != 1 || r.replies[0].Saga.State.Phase != machine.Completed {
		t.Fatalf("the waiters were told %+v", r.replies)
	}
	if r.n.Active() != 0 || r.n.Orders() != 0 {
		t.Fatalf("%d sagas and %d orders are left in memory", r.n.Active(), r.n.Orders())
	}
}
