package node

import (
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

const hour = machine.Micros(3600 * 1_000_000)

// throttledOnce leaves a compensation in the store that waits for its backoff, and
// begins a process whose clock was set by so much in between; the earlier one knew
// of it, or nobody does.
func throttledOnce(t *testing.T, set machine.Micros, known bool) *rig {
	r, _ := turnedBack(t)
	r.answer(r.call("reserve", unwind.Compensation), 429)
	r.settle()
	lane := flow.Scope{Kind: flow.ScopeCompensation, Name: "shop"}
	if known {
		body := flow.AppendReservation(nil, &flow.Reservation{Scope: lane})
		r.kept = []Kept{{FlowState: store.FlowState{Scope: storeScope(lane), Body: body}, Set: set}}
	}
	r.now += set
	r.restart(Config{})
	r.queue()
	return r
}

// undone reports whether the compensation is sent within a time.
func (r *rig) undone(within machine.Micros) bool {
	for end := r.now + within; r.now < end; {
		r.now += 100_000
		r.settle()
		r.queue()
		for _, c := range r.calls {
			if c.Dir == unwind.Compensation {
				return true
			}
		}
	}
	return false
}

func TestAClockThatWasSetBackKeepsNobodyWaiting(t *testing.T) {
	if r := throttledOnce(t, -hour, true); !r.undone(3_000_000) {
		t.Error("the compensation waits although its second is over")
	}
}

// A lane that kept nothing of its own goes by the reading of the clocks.
func TestAClockThatWasSetForwardSendsNothingEarlyInALaneThatKeptNothing(t *testing.T) {
	r := throttledOnce(t, hour, false)
	r.kept = []Kept{{FlowState: store.FlowState{Scope: ScopeClock}, Set: hour}}
	r.calls = nil
	r.restart(Config{})
	r.queue()
	if r.undone(500_000) || !r.undone(3_000_000) {
		t.Error("the second of the compensation is not what it waits for")
	}
}

func TestAClockThatWasSetForwardSendsNothingEarly(t *testing.T) {
	if r := throttledOnce(t, hour, true); r.undone(500_000) || !r.undone(3_000_000) {
		t.Error("the compensation did not wait for its second")
	}
}

func TestNobodyWaitsLongerThanThereIsReasonTo(t *testing.T) {
	r := throttledOnce(t, -24*hour, false)
	if r.undone(200_000_000) {
		t.Error("sent at once: the test says nothing")
	}
	if !r.undone(hour) {
		t.Error("the compensation waits for a clock that was set back")
	}
}
