package machine

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/unwindhq/unwind"
)

// A reply is an answer, and what it means by the table of the design, written
// down a second time.
type reply struct {
	Answer
	done, refused bool
	counted       bool
	maybe         bool // it may have executed
}

var replies = []reply{
	{Answer: Answer{Status: 200, Output: json.RawMessage(`{"n":` + hugeNumber + `}`)}, done: true, counted: true},
	{Answer: Answer{Status: 204}, done: true, counted: true},
	{Answer: Answer{Status: 500, Outcome: OutcomeDone}, done: true, counted: true},
	{Answer: Answer{Status: 409}, refused: true, counted: true},
	{Answer: Answer{Status: 422, Message: "<no> & \u2028 \xff \"way\" 7"}, refused: true, counted: true},
	{Answer: Answer{Status: 200, Outcome: OutcomeRefused}, refused: true, counted: true},
	{Answer: Answer{Fault: FaultNotSent}, counted: true},
	{Answer: Answer{Status: 401}},
	{Answer: Answer{Fault: FaultCertificate}},
	{Answer: Answer{Status: 429}},
	{Answer: Answer{Status: 429, Hint: 7_000_000}},
	{Answer: Answer{Status: 503, Hint: 90_000_000}, maybe: true},
	{Answer: Answer{Status: 202}, maybe: true},
	{Answer: Answer{Status: 425}, maybe: true},
	{Answer: Answer{Outcome: OutcomeInProgress}, maybe: true},
	{Answer: Answer{Status: 500}, counted: true, maybe: true},
	{Answer: Answer{Fault: FaultTimeout}, counted: true, maybe: true},
	{Answer: Answer{Fault: FaultBroken}, counted: true, maybe: true},
	{Answer: Answer{Status: 200, Fault: FaultUnreadable}, counted: true, maybe: true},
}

// answer ends a call in flight.
func (w *world) answer(at side) error {
	tr := w.sides[at]
	order := tr.order
	if order.Ask {
		return w.answerAsk(at)
	}
	call, s := w.plan.Call(at.step, at.dir), w.state.Side(at.step, at.dir)
	r := draw(w.d, "reply", replies...)
	if w.healing {
		r = replies[0]
	}
	if r.Fault == FaultTimeout {
		w.now += call.Timeout
	}
	ev := Event{Kind: Answered, Step: at.step, Dir: at.dir, Attempt: order.Attempt, Generation: order.Generation, Resent: tr.resent, Answer: r.Answer, SentAt: tr.sentAt}
	if tr.answered || !s.Ordered {
		tr.order, tr.inFlight, tr.answered = nil, false, false
		return w.stale(ev)
	}
	if r.Status == 409 && tr.uncertain {
		r.refused, r.counted, r.maybe = false, false, true
	}
	if r.Fault == FaultUnreadable && at.dir == unwind.Compensation {
		r.done, r.maybe = true, false
	}
	w.book(at, &r)
	tr.order, tr.inFlight, tr.resent = nil, false, false
	goesOn := !r.done && !r.refused && tr.counted < tr.allowed && call.KeyLifetime == 0
	before := w.state
	if err := w.apply(ev); err != nil || !goesOn {
		return err
	}
	switch st := &w.state.Steps[at.step]; {
	case at.dir == unwind.Action && before.Phase == Running && !before.Cancelling && st.Status != StepRunning && st.Status != StepAwaiting,
		at.dir == unwind.Compensation && w.now < tr.queuedAt+w.plan.GiveUpAfter && st.Comp != CompQueued && st.Comp != CompAwaiting:
		return fmt.Errorf("the %s of step %d ended although its policy allows another attempt", at.dir, at.step)
	}
	return nil
}

// book records what really became of a call, and when the next may follow.
func (w *world) book(at side, r *reply) {
	tr, call := w.sides[at], w.plan.Call(at.step, at.dir)
	if r.counted {
		tr.counted++
	}
	switch {
	case r.done:
		tr.executed, tr.acknowledged = true, true
	case r.maybe:
		tr.executed = tr.executed || chance(w.d, 50, "executed")
		tr.uncertain = true
		if tr.firstMaybe == 0 {
			tr.firstMaybe = tr.sentAt
		}
	}
	tr.settled = tr.sentAt + call.Settle
	gap := Micros(call.Retry.Initial / 1000)
	if r.counted {
		gap = policyGap(call.Retry, tr.counted)
	} else if r.Hint > 0 {
		gap = r.Hint
	}
	tr.earliest = w.now + gap
}

// policyGap is the least wait before attempt n+1.
func policyGap(p unwind.Retry, n int) Micros {
	return Micros(math.Min(float64(p.Max), float64(p.Initial)*math.Pow(p.Multiplier, float64(n-1))) / 1000)
}

// answerAsk ends a question to the status path, with the truth.
func (w *world) answerAsk(at side) error {
	tr, s, call := w.sides[at], w.state.Side(at.step, at.dir), w.plan.Call(at.step, at.dir)
	tr.order, tr.inFlight = nil, false
	a := Answer{Outcome: OutcomeRefused}
	if tr.executed {
		a.Outcome = OutcomeDone
	}
	if !w.healing && chance(w.d, 50, "no word") {
		a.Outcome = draw(w.d, "word", OutcomeInProgress, NoOutcome)
	}
	ev := Event{Kind: StatusAnswered, Step: at.step, Dir: at.dir, Attempt: s.Attempts + 1, Generation: s.Generation, Answer: a}
	if !s.Ordered || !s.Asking {
		return w.stale(ev)
	}
	accepted := w.accepted(at)
	switch a.Outcome {
	case OutcomeDone:
		tr.acknowledged = true
		if accepted || tr.counted == 0 {
			tr.counted++
		}
	case OutcomeRefused:
		tr.uncertain, tr.firstMaybe, tr.earliest = false, 0, w.now
		if accepted {
			tr.counted++
			tr.earliest = w.now + policyGap(call.Retry, tr.counted)
		}
	}
	return w.apply(ev)
}

func (w *world) accepted(at side) bool {
	st := &w.state.Steps[at.step]
	return at.dir == unwind.Action && st.Status == StepAwaiting || at.dir == unwind.Compensation && st.Comp == CompAwaiting
}

// stale gives the machine an event that nobody waits for.
func (w *world) stale(ev Event) error {
	before := w.state
	if err := w.apply(ev); err != nil {
		return err
	}
	return w.unchanged(&before, &Transition{State: w.state})
}

// completable lists the asynchronous calls whose participant may complete them.
func (w *world) completable() (found []side) {
	for i := range w.plan.Steps {
		for _, dir := range []unwind.Direction{unwind.Action, unwind.Compensation} {
			at := side{i, dir}
			call, tr, s := w.plan.Call(i, dir), w.sides[at], w.state.Side(i, dir)
			if call.Exists && call.Call.Async && (w.accepted(at) || s.Ordered && tr.inFlight && !tr.order.Ask) {
				found = append(found, at)
			}
		}
	}
	return found
}

// complete has the participant end an asynchronous call.
func (w *world) complete(at side) error {
	tr, s := w.sides[at], w.state.Side(at.step, at.dir)
	ev := Event{Kind: CallCompleted, Step: at.step, Dir: at.dir, Generation: s.Generation, Answer: Answer{Outcome: OutcomeDone}}
	if !tr.executed && !w.healing && chance(w.d, 40, "completed as refused") {
		ev.Answer.Outcome = OutcomeRefused
		tr.uncertain = false
	} else {
		tr.executed, tr.acknowledged = true, true
		ev.Output = json.RawMessage(`"done"`)
	}
	tr.counted++
	if tr.inFlight {
		tr.answered = true
	} else {
		tr.order = nil
	}
	return w.apply(ev)
}
