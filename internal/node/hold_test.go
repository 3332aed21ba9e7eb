package node

import (
	"slices"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

const day = 24 * 3600 * 1_000_000

// held is a rig whose store holds a saga that waits for an answer and one whose
// compensation is queued, restarted on hold.
func held(t *testing.T) *rig {
	r := newRig(t, threeSteps(), Config{})
	r.start(false)
	r.settle()
	r.call("reserve", unwind.Action)
	r.start(false)
	r.settle()
	r.answer(r.call("reserve", unwind.Action), 200)
	r.settle()
	r.answer(r.call("charge", unwind.Action), 409)
	r.settle()
	r.call("reserve", unwind.Compensation)
	r.restart(Config{Hold: true})
	return r
}

// still checks that the node neither calls, reads nor writes anything.
func (r *rig) still() {
	r.Helper()
	r.look()
	r.quiet()
	if len(r.claims)+len(r.reads)+len(r.loads) > 0 || r.batch != nil {
		r.Fatalf("on hold it reads %d claims, %d queues and %d sagas, and writes %+v", len(r.claims), len(r.reads), len(r.loads), r.batch)
	}
}

func TestANodeOnHoldCallsNobodyAndMovesNothing(t *testing.T) {
	r := held(t)
	before := map[machine.Phase]int{}
	for range 5 {
		r.still()
		r.now += day // deadlines, backoffs and settings come due
	}
	for _, row := range r.rows {
		before[machine.Phase(row.Phase)]++
	}
	if before[machine.Running] != 1 || before[machine.Compensating] != 1 {
		t.Errorf("the sagas are %v", before)
	}
	if at := r.n.Wake(); at != 0 {
		t.Errorf("it wants to be woken at %d", at)
	}
}

func TestANodeOnHoldRefusesWhatWouldMoveASaga(t *testing.T) {
	r := held(t)
	saga := r.start(true)
	r.n.Operate(r.moment(), Operation{Token: 98, Saga: saga, Event: machine.Event{Kind: machine.CancelRequested}})
	r.n.Operate(r.moment(), Operation{Token: 99, Saga: saga, Wait: true})
	r.still()
	if len(r.replies) != 3 {
		t.Fatalf("%d replies", len(r.replies))
	}
	for _, reply := range r.replies {
		if unwind.CodeOf(reply.Err) != unwind.Held {
			t.Errorf("the reply is %v", reply.Err)
		}
	}
}

func TestARelease(t *testing.T) {
	r := held(t)
	r.n.Release(r.moment(), 7, store.Audit{Actor: "ada", Action: "release", Reason: "compared"})
	r.n.Release(r.moment(), 8, store.Audit{Actor: "bob", Action: "release"})
	r.look()
	r.quiet()
	r.replied(8, unwind.Conflict)
	if b := r.batch; b == nil || len(b.Audit) != 1 || b.Audit[0].Actor != "ada" || b.Audit[0].At != int64(r.now) {
		t.Fatalf("what is written is %+v", r.batch)
	}
	r.commit(errFull)
	r.now += sickMost
	r.look()
	r.quiet()
	if b := r.batch; b == nil || len(b.Audit) != 1 {
		t.Fatalf("after a write that failed, %+v is written", r.batch)
	}
	r.commit(nil)
	r.replied(7, "")
	r.claimed()
	r.queue()
	r.settle()
	var called []string
	for _, c := range r.calls {
		called = append(called, c.Plan.Steps[c.Step].Name+" "+string(c.Dir))
	}
	slices.Sort(called)
	if want := []string{"reserve action", "reserve compensation"}; !slices.Equal(called, want) {
		t.Errorf("called after the release: %q, want %q", called, want)
	}
	r.n.Release(r.moment(), 9, store.Audit{})
	r.look()
	r.replied(9, unwind.Conflict)
}

// replied takes the reply to a token.
func (r *rig) replied(token Token, code unwind.Code) Reply {
	r.Helper()
	i := slices.IndexFunc(r.replies, func(reply Reply) bool { return reply.Token == token })
	if i < 0 {
		r.Fatalf("there is no reply to %d", token)
	}
	reply := r.replies[i]
	if r.replies = slices.Delete(r.replies, i, i+1); unwind.CodeOf(reply.Err) != code {
		r.Errorf("the reply to %d is %v, want %q", token, reply.Err, code)
	}
	return reply
}

// G10: a question costs a grant of the forward lane, and a saga knows nothing of it.
func TestAQuestionGoesThroughTheForwardLane(t *testing.T) {
	for name, hold := range map[string]bool{"on hold": true, "at work": false} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, threeSteps(), Config{})
			saga := r.start(false)
			r.settle()
			r.answer(r.call("reserve", unwind.Action), 200)
			r.settle()
			r.restart(Config{Hold: hold})
			r.calls = nil
			scope := unwind.Scope{Kind: unwind.ScopeForward, Name: "shop"}
			version := r.rows[saga].Version
			ask := func(token Token) {
				r.n.Ask(r.moment(), Question{Token: token, Plan: r.plan, Saga: saga, Step: 1, Dir: unwind.Compensation, Generation: 3})
				r.settle()
			}
			r.n.SetControl(r.moment(), ControlChange{Token: 50, Control: store.Control{Scope: scope, Paused: true, Reason: "quiet"}})
			r.settle()
			ask(60)
			ask(61)
			r.quiet()
			r.n.Unask(r.moment(), 60)
			r.n.SetControl(r.moment(), ControlChange{Token: 51, Control: store.Control{Scope: scope}})
			r.settle()
			c := r.call("charge", unwind.Compensation)
			r.quiet()
			if !c.Ask || !c.Question || c.Key != saga.String()+"/charge/compensation/3" || c.Body != nil {
				t.Errorf("the call is %+v", c)
			}
			r.n.CallEnded(r.moment(), c.ID, machine.Answer{Status: 200, Outcome: machine.OutcomeDone})
			r.n.CallAnsweredLate(r.moment(), LateAnswer{Call: c, Answer: machine.Answer{Status: 200}})
			r.settle()
			if reply := r.replied(61, ""); reply.Answer.Outcome != machine.OutcomeDone {
				t.Errorf("the answer is %+v", reply.Answer)
			}
			if got := r.rows[saga].Version; got != version {
				t.Errorf("the saga has moved from version %d to %d", version, got)
			}
		})
	}
}
