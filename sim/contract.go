package sim

import (
	"bytes"
	"fmt"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/sagatest/history"
)

// checkBody judges the body of a call as a participant that knows the contract:
// what the client gave and what others answered comes through untouched.
func (w *world) checkBody(f *flight) {
	u := w.sagas[f.Saga]
	if call := f.Plan.Call(f.Step, f.Dir).Call; len(call.Body) > 0 {
		want := fmt.Sprintf(`{"n":%s,"k":%q}`, u.number, u.key)
		if string(f.Body) != want {
			w.fail(history.G8, f.Saga.String(), "the body of %s is %s and its template gives %s", f.Key, f.Body, want)
		}
		return
	}
	if !bytes.Contains(f.Body, u.input) {
		w.fail(history.G8, f.Saga.String(), "the body of %s lacks the input as it was given: %s", f.Key, f.Body)
	}
	if f.Dir == unwind.Compensation {
		if says := bytes.Contains(f.Body, []byte(`"may_have_executed":true`)); says != u.doubted[f.Step] {
			w.fail(history.G8, f.Saga.String(), "the body of %s says may_have_executed %t, and it was ordered with %t", f.Key, says, !says)
		}
		return
	}
	for k := range f.Plan.Steps {
		if out := u.outputs[k]; f.Plan.Steps[f.Step].Ancestors.Has(k) && len(out) > 0 && !bytes.Contains(f.Body, out) {
			w.fail(history.G8, f.Saga.String(), "the body of %s lacks the output of %s: %s", f.Key, f.Plan.Steps[k].Name, f.Body)
		}
	}
}

// checkEntry judges an entry of the journal by what is not in a history: bodies,
// how patient a saga is, and what a 409 proves.
func (w *world) checkEntry(l *life, e *machine.Entry) {
	if e.Step < 0 {
		return
	}
	at := place{l.saga, e.Step, dirIndex(e.Dir)}
	switch e.Kind {
	case unwind.EntryActionSucceeded, unwind.EntryResolved:
		if e.Dir == unwind.Action {
			l.outputs[e.Step] = e.Output
		}
	case unwind.EntryActionFailed, unwind.EntryCompensationFailed:
		if e.Class == unwind.ClassRefused && e.Status == 0 { // the word of a completion, or of the status path
			b := w.book(at)
			b.doubt, b.closed = false, b.attempt
		}
		if e.Class == unwind.ClassRefused && e.Status == 409 && w.book(at).doubt && !w.book(at).word {
			w.fail(history.G3, l.saga.String(), "the %s of %s was taken for refused by a 409 although an attempt before may have executed", e.Dir, l.recipe.plan.Steps[e.Step].Name)
		}
	case unwind.EntryReplayed:
		delete(l.since, e.Step)
		if e.NewKey {
			w.book(at).doubt = false
		}
	case unwind.EntryCompensationOrdered:
		if l.since[e.Step] == 0 {
			l.since[e.Step] = int64(e.At)
			l.doubted[e.Step] = e.Executed
		}
	}
	if since := l.since[e.Step]; e.Dir == unwind.Compensation && since > 0 && e.Kind != unwind.EntryLateAnswer {
		w.checkPatience(l, e, since)
	}
}

// slack is how long a saga may be held up beyond its patience: processes are down
// or paused, a call is out.
const slack = 4 * second

// checkPatience: a compensation is given up when its time is over.
func (w *world) checkPatience(l *life, e *machine.Entry, since int64) {
	plan := l.recipe.plan
	if int64(e.At) < since+int64(plan.GiveUpAfter)+slack || w.plan.Swarm.Has(ClockStep) || w.plan.Swarm.Has(CommitError) {
		return
	}
	if e.Kind != unwind.EntryDeadLettered && e.Kind != unwind.EntryResolved {
		w.fail(history.Liveness, l.saga.String(), "%s of the compensation of %s, %dms after it was ordered; it is given up after %dms",
			e.Kind, plan.Steps[e.Step].Name, (int64(e.At)-since)/millis, plan.GiveUpAfter/1000)
	}
}

// hear notes whether an answer leaves it open that the call was carried out.
func (w *world) hear(f *flight, a *machine.Answer) {
	b := w.book(f.place)
	if f.Ask {
		if a.Outcome == machine.OutcomeRefused {
			b.doubt = false
		}
		return
	}
	if f.Attempt <= b.closed {
		return
	}
	b.word = a.Outcome == machine.OutcomeRefused
	switch {
	case a.Fault == machine.FaultTimeout, a.Fault == machine.FaultBroken, a.Fault == machine.FaultUnreadable:
		b.doubt = true
	case a.Fault == machine.NoFault && a.Outcome == machine.NoOutcome && a.Status >= 500:
		b.doubt = true
	}
}
