package node

import (
	"errors"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// G9: after a restart an order is made again under its number, with the outputs
// that the journal holds.
func TestRestartMakesOrdersAgain(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.start(false)
	r.settle()
	r.answer(r.call("reserve", unwind.Action), 200)
	r.settle()
	before := r.call("charge", unwind.Action)
	r.restart(Config{})
	after := r.call("charge", unwind.Action)
	if before.Key != after.Key || before.Attempt != after.Attempt || string(before.Body) != string(after.Body) {
		t.Fatalf("the order was %s %d %s and is %s %d %s", before.Key, before.Attempt, before.Body, after.Key, after.Attempt, after.Body)
	}
}

// L: what is due before the next read of parked sagas stays in memory, also where
// its row was written before the horizon moved on.
func TestParkedSagaIsNotForgotten(t *testing.T) {
	def := threeSteps()
	def.Steps[0] = unwind.Step{Name: "wait", Kind: unwind.DelayStep, For: 1200 * unwind.Millisecond}
	r := newRig(t, def, Config{Horizon: 1_000_000})
	saga := r.start(false) // due after the horizon
	r.now += 900_000
	r.look() // the horizon moves on while the start is being written
	r.commit(nil)
	r.claimed()
	if r.rows[saga].Due <= begin+1_000_000 {
		t.Fatalf("the row is due at %d", r.rows[saga].Due)
	}
	for range 20 {
		r.now += 100_000
		r.settle()
		r.claimed()
		r.settle()
	}
	r.call("charge", unwind.Action)
}

// L: a page of unfinished sagas that was read long ago brings nothing back that
// has moved on since.
func TestClaimPassesOverWhatHasMovedOn(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	saga := r.start(false)
	r.settle()
	r.n.claim.all.next = r.now
	r.look() // a read begins
	old := *r.rows[saga]
	old.Epoch-- // as an earlier process left it
	asked := r.claims[0]
	for _, step := range []string{"reserve", "charge", "ship"} {
		r.answer(r.call(step, unwind.Action), 200)
		r.settle()
	}
	if r.n.Active() != 0 {
		t.Fatalf("%d sagas are active", r.n.Active())
	}
	r.n.Claimed(r.moment(), asked, []Claimed{{Row: old, Plan: r.plan}}, nil)
	r.look()
	if r.n.Active() != 0 || len(r.loads) != 0 {
		t.Fatal("a saga that has ended was taken up")
	}
}

// claimedWhileRead returns a saga whose page came while a cancel has it read.
func claimedWhileRead(t *testing.T) (*rig, id.ID) {
	t.Helper()
	r := newRig(t, threeSteps(), Config{})
	saga := r.start(false)
	r.settle()
	r.call("reserve", unwind.Action)
	row := *r.rows[saga]
	r.rows = map[id.ID]*store.Saga{}
	r.restart(Config{})
	r.rows[saga] = &row
	r.cancel(saga) // reads it
	r.n.claim.all = reader{due: store.AtRest, next: r.now}
	r.look()
	r.n.Claimed(r.moment(), r.claims[0], []Claimed{{Row: row, Plan: r.plan}}, nil)
	r.claims, r.loads = nil, nil
	return r, saga
}

// L: a saga whose page came while a request for it was being read is not lost
// when that read fails.
func TestFailedReadLosesNoClaimedSaga(t *testing.T) {
	r, saga := claimedWhileRead(t)
	r.n.Loaded(r.moment(), saga, nil, nil, unwind.Errorf(unwind.StoreUnavailable, "not now"))
	r.look()
	r.now += sickStart
	r.look()
	r.load()
	r.settle()
	if len(r.replies) != 1 || r.replies[0].Err != nil {
		t.Fatalf("the cancel was answered with %+v", r.replies)
	}
}

// L: however long the store did not answer, a saga that something waits for is read soon
// after it does again.
func TestALongOutageDelaysNoReadOfASaga(t *testing.T) {
	r, saga := claimedWhileRead(t)
	for range 10 {
		r.n.Loaded(r.moment(), saga, nil, nil, unwind.Errorf(unwind.StoreUnavailable, "not now"))
		r.now += sickMost
		r.look()
		if len(r.loads) != 1 {
			t.Fatalf("%d reads are asked for", len(r.loads))
		}
		r.loads = nil
	}
}

// L: compensations beyond the heads stay in the store until their turn, and their
// sagas are read before they are granted.
func TestQueueIsRefilledFromTheStore(t *testing.T) {
	def := &unwind.Definition{Name: "order", Steps: threeSteps().Steps[:2]}
	r := newRig(t, def, Config{Heads: 2})
	const sagas = 7
	for range sagas {
		r.start(false)
	}
	r.settle()
	for range sagas {
		r.answer(r.call("reserve", unwind.Action), 200)
	}
	r.settle()
	r.n.Flow().Pause(flow.Scope{Kind: flow.ScopeCompensation, Name: "shop"}, "maintenance", flow.Never, nanos(r.now))
	for range sagas {
		r.answer(r.call("charge", unwind.Action), 422)
	}
	r.settle()
	if n := len(r.tasks); n != sagas {
		t.Fatalf("%d compensations are queued", n)
	}
	if n := r.n.Orders(); n != 2 {
		t.Fatalf("%d of them are in memory", n)
	}
	r.n.Flow().Resume(flow.Scope{Kind: flow.ScopeCompensation, Name: "shop"}, nanos(r.now))
	done := 0
	for range 100 {
		r.now += 10_000
		r.settle()
		for len(r.calls) > 0 {
			r.answer(r.call("reserve", unwind.Compensation), 200)
			done++
		}
		r.settle()
		r.queue()
	}
	if done != sagas || len(r.tasks) != 0 || r.n.Orders() != 0 {
		t.Fatalf("%d of %d were undone; %d are queued and %d in memory", done, sagas, len(r.tasks), r.n.Orders())
	}
}

// G9, G13: a task that was read before it moved on is neither sent nor in the way
// of the one that it has become.
func TestStaleTaskIsPassedOver(t *testing.T) {
	r, saga := turnedBack(t)
	c := r.call("reserve", unwind.Compensation)
	stale := r.tasks[taskKey(saga, 0, unwind.Compensation)]
	r.answer(c, 500)
	q := QueueRead{Queue: stale.Queue, Limit: 10, flow: flowQueue(stale.Queue), room: 5}
	r.n.TasksRead(r.moment(), q, []store.Task{stale}, nil) // between the answer and its commit
	r.settle()
	r.quiet()
	r.now += 2_000_000
	r.settle()
	if c := r.call("reserve", unwind.Compensation); c.Attempt != 2 {
		t.Fatalf("attempt %d was sent", c.Attempt)
	}
	r.quiet()
}

// G6, G12: a process that slept for longer than its lease calls nobody before the
// store has shown, since, that no other has taken over.
func TestSleeperAsksBeforeItCalls(t *testing.T) {
	r := newRig(t, threeSteps(), Config{Lease: 1000, Horizon: 100})
	r.start(false)
	r.settle()
	r.answer(r.call("reserve", unwind.Action), 500)
	r.settle()
	r.now += 60_000_000
	r.look()
	r.quiet()
	if r.batch == nil {
		t.Fatal("it does not ask")
	}
	r.commit(store.ErrFenced)
	r.quiet()
	if r.stop == nil {
		t.Fatal("it goes on")
	}
}

// L: a resume that becomes durable late does not undo a later pause.
func TestResumeDoesNotUndoALaterPause(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	lane := store.Control{Scope: unwind.Scope{Kind: unwind.ScopeForward, Name: "shop"}}
	r.n.SetControl(r.moment(), ControlChange{Token: 1, Control: lane})
	r.look()
	lane.Paused = true
	r.n.SetControl(r.moment(), ControlChange{Token: 2, Control: lane})
	r.look()
	r.commit(nil)
	r.settle()
	r.start(false)
	r.settle()
	r.quiet()
}

// G14: an operation that found its saga already so is not confirmed when what it
// found was void.
func TestAnswerOnAVoidStateIsFoundAnew(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	saga := r.start(false)
	r.settle()
	r.replies = nil
	c := r.call("reserve", unwind.Action)
	r.answer(c, 422) // turns back
	r.cancel(saga)   // nothing to do
	r.rows[saga].Version++
	r.commit(nil)
	if len(r.replies) > 0 {
		t.Fatalf("it was answered with %+v", r.replies[0])
	}
}

// L: a call that an operator has made again goes out once the older one of the
// same step has ended.
func TestReplayWaitsForTheCallInFlight(t *testing.T) {
	def := &unwind.Definition{Name: "order", Steps: threeSteps().Steps[:1]}
	def.Steps[0].Pivot = true
	def.Steps = append(def.Steps, unwind.Step{Name: "ship", Action: &unwind.Call{Service: "shop", Path: "/do", Async: true}})
	r := newRig(t, def, Config{})
	saga := r.start(false)
	r.settle()
	r.answer(r.call("reserve", unwind.Action), 200)
	r.settle()
	first := r.call("ship", unwind.Action)
	op := func(ev machine.Event) {
		ev.Step, ev.Dir = 1, unwind.Action
		r.n.Operate(r.moment(), Operation{Token: 70, Saga: saga, Event: ev})
		r.settle()
	}
	op(machine.Event{Kind: machine.CallCompleted, Answer: machine.Answer{Outcome: machine.OutcomeRefused}})
	op(machine.Event{Kind: machine.Replayed, Reason: "again"})
	r.quiet()
	r.n.CallEnded(r.moment(), first.ID, machine.Answer{Fault: machine.FaultTimeout})
	r.settle()
	if c := r.call("ship", unwind.Action); c.Attempt != 2 {
		t.Fatalf("attempt %d was sent", c.Attempt)
	}
}

// L: a node that drains ends what is in flight, answers for sagas that are being
// read included.
func TestDrainWaitsForWhatIsUnderWay(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	r.start(false)
	r.settle()
	c := r.call("reserve", unwind.Action)
	r.n.Drain()
	if r.n.Drained() {
		t.Fatal("a call is in flight")
	}
	r.answer(c, 200)
	if r.n.Drained() {
		t.Fatal("its answer is not durable")
	}
	r.settle()
	r.quiet()
	if !r.n.Drained() {
		t.Fatal("nothing is under way")
	}
}

// L: a saga that can't be read is asked for again while answers wait for it.
func TestAnswerOutlivesAFailedRead(t *testing.T) {
	r := newRig(t, threeSteps(), Config{})
	saga := r.start(false)
	r.settle()
	r.call("reserve", unwind.Action)
	v := r.n.visit(saga)
	v.answers = append(v.answers, machine.Event{})
	r.look()
	r.n.Loaded(r.moment(), saga, nil, nil, errors.New("not now"))
	if r.n.loading[saga] == nil || r.n.Wake() == 0 {
		t.Fatal("the answer is lost")
	}
}
