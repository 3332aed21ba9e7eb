package sim

import (
	"encoding/json"
	"fmt"

	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/sagatest/history"
)

// A word is what a participant says to a call.
type word struct {
	machine.Answer
	outcome history.Outcome // what it knows itself
	silent  bool            // it says nothing
}

// arrive: a call has come in at its participant.
func (w *world) arrive(f *flight) {
	if f.Ask {
		w.arriveAsk(f)
		return
	}
	l := w.callLine(f)
	w.participant(history.Invoke, l)
	w.checkBody(f)
	says := word{}
	if f.booked { // a duplicate
		says = w.carryOut(f)
	} else {
		says = w.weather(f)
	}
	w.tracef("%s at %s: %d fault %d %s", w.where(f), f.kind.name, says.Status, says.Fault, says.outcome)
	if says.silent {
		return
	}
	takes := f.dice.span(20, 4000)
	if f.dice.percent(5) {
		takes = f.dice.span(20, f.timeout*2)
	}
	b := w.book(f.place)
	b.atWork++
	w.after(takes, func() {
		b.atWork--
		l.Outcome, l.Status = says.outcome, says.Status
		switch says.Outcome {
		case machine.OutcomeDone:
			l.Answer = "done"
		case machine.OutcomeRefused:
			l.Answer = "refused"
		case machine.OutcomeInProgress:
			l.Answer = "in_progress"
		}
		w.participant(history.Return, l)
		f.answer(says.Answer)
	})
}

// weather is what goes wrong at the participant; else its business decides.
func (w *world) weather(f *flight) word {
	often := w.plan.Often
	hint := func() machine.Micros {
		switch f.dice.intn(6) {
		case 0:
			return 0
		case 1:
			return machine.Micros(f.dice.span(1, 400) * second) // above the cap, at times
		case 2:
			return machine.Micros(f.dice.span(1, 4) * second)
		}
		return machine.Micros(f.dice.span(1, 900) * millis)
	}
	short := func() machine.Micros { return min(hint(), machine.Micros(3*second)) }
	switch {
	case w.out(f.service, Credential) || w.strikes(Credential, often/3, &f.dice):
		return word{Answer: machine.Answer{Status: []int{401, 403, 302, 405}[f.dice.intn(4)], Message: "who are you?"}, outcome: history.Fail}
	case w.out(f.service, Throttle) || w.strikes(Throttle, often, &f.dice):
		return word{Answer: machine.Answer{Status: 429, Hint: short(), Message: "slow down"}, outcome: history.Fail}
	case w.out(f.service, Unavailable) || w.strikes(Unavailable, often, &f.dice):
		return word{Answer: machine.Answer{Status: 503, Hint: short(), Message: "not now"}, outcome: history.Fail}
	case w.out(f.service, ServerError) || w.strikes(ServerError, often, &f.dice):
		if f.dice.percent(50) {
			w.carryOut(f)
		}
		return word{Answer: machine.Answer{Status: 500 + f.dice.intn(3), Message: fmt.Sprintf("oops %d", f.dice.intn(100))}, outcome: history.Unknown}
	case w.out(f.service, Hang) || w.strikes(Hang, often, &f.dice):
		if f.dice.percent(60) {
			w.carryOut(f)
		}
		return word{silent: true}
	case w.strikes(Garbage, often/2, &f.dice):
		said := w.carryOut(f)
		if said.outcome == history.OK {
			said.Answer = machine.Answer{Status: 200, Fault: machine.FaultUnreadable, Message: "it is not JSON"}
		}
		return said
	case !f.async && w.strikes(InProgress, often/2, &f.dice):
		return w.begin425(f)
	}
	return w.carryOut(f)
}

// begin425 begins the work and answers before it is done.
func (w *world) begin425(f *flight) word {
	b := w.book(f.place)
	if w.find(b, f.Generation, f.kind) != nil || !f.kind.barrier && f.place.dir == 0 && w.effect(f.place).undone {
		return w.carryOut(f)
	}
	said, r := w.judge(f)
	if r == nil || r.state != done {
		return said
	}
	r.state, r.until = working, min(w.now+f.dice.span(1, 200)*millis, f.sent+f.kind.settle()-1)
	g := f.Generation
	w.at(r.until, func() {
		if r := w.find(b, g, f.kind); r != nil && r.state == working {
			w.execute(f, r)
		}
	})
	return word{Answer: machine.Answer{Status: []int{425, 202}[f.dice.intn(2)], Outcome: machine.OutcomeInProgress, Message: "working on it"}, outcome: history.Unknown}
}

// carryOut does a call's business and says what came of it.
func (w *world) carryOut(f *flight) word {
	said, r := w.judge(f)
	switch {
	case r == nil || r.state != done || said.outcome != "":
		return said
	case f.async:
		return w.accept(f, r)
	}
	w.execute(f, r)
	return w.doneWord(f, r)
}

func (w *world) doneWord(f *flight, r *record) word {
	a := machine.Answer{Status: 200, Output: json.RawMessage(r.output)}
	if f.dice.percent(50) {
		a.Outcome = machine.OutcomeDone
	}
	return word{Answer: a, outcome: history.OK}
}

// judge looks a call up in the books. Where it is new and to be carried out, it
// returns a record for that and no word.
func (w *world) judge(f *flight) (word, *record) {
	b, k := w.book(f.place), f.kind
	if r := w.find(b, f.Generation, k); r != nil {
		return w.again(f, r), r
	}
	e := w.effect(f.place)
	for i := range b.records {
		if b.records[i].generation > f.Generation && k.barrier {
			return refusal("superseded"), nil
		}
	}
	if f.place.dir == 0 && k.barrier && (e.undone || e.settled) {
		return refusal("already compensated"), nil
	}
	if f.place.dir == 1 {
		if r := w.actionAtWork(f); r != nil {
			if k.barrier && !f.asyncAction() {
				return word{Answer: machine.Answer{Status: 425, Outcome: machine.OutcomeInProgress, Message: "busy"}, outcome: history.Unknown}, nil
			}
			r.state = withheld // it is called off
		}
	}
	switch fate := w.fateOf(f.place, b); {
	case w.sagas[f.Saga].fixed[f.place] > 0 || fate == willDo:
	case f.place.dir == 1: // not recorded: it may be sent again once that is mended
		return fate.word(f), nil
	default:
		r := b.note(record{generation: f.Generation, state: refused, sha: f.sha, first: w.now})
		if fate == willFindInvalid {
			r.state = invalid
		}
		return fate.word(f), r
	}
	return word{}, b.note(record{generation: f.Generation, state: done, sha: f.sha, first: w.now})
}

func (f fate) word(fl *flight) word {
	if f == willRefuse {
		a := machine.Answer{Status: 409, Message: "out of stock"}
		if fl.kind.barrier {
			a.Outcome = machine.OutcomeRefused
		}
		return word{Answer: a, outcome: history.Fail}
	}
	return word{Answer: machine.Answer{Status: []int{422, 400, 404}[fl.dice.intn(3)], Message: "unknown currency"}, outcome: history.Fail}
}

func refusal(why string) word {
	return word{Answer: machine.Answer{Status: 409, Outcome: machine.OutcomeRefused, Message: why}, outcome: history.Fail}
}

// again answers a duplicate.
func (w *world) again(f *flight, r *record) word {
	if r.sha != f.sha {
		return word{Answer: machine.Answer{Status: 422, Message: "the key came with another body"}, outcome: history.Fail}
	}
	switch r.state {
	case working:
		if f.async {
			return word{Answer: machine.Answer{Status: 202}, outcome: history.Unknown}
		}
		return word{Answer: machine.Answer{Status: 425, Outcome: machine.OutcomeInProgress, Message: "busy"}, outcome: history.Unknown}
	case refused:
		return willRefuse.word(f)
	case invalid:
		return willFindInvalid.word(f)
	case withheld:
		return refusal("called off")
	}
	if f.kind.stern && !w.calm {
		return word{Answer: machine.Answer{Status: 409, Message: "it is there already"}, outcome: history.OK}
	}
	return w.doneWord(f, r)
}

// execute lets a call take effect.
func (w *world) execute(f *flight, r *record) {
	e := w.effect(f.place)
	r.state, f.booked = done, !f.kind.stern
	if f.place.dir == 0 {
		e.stands++
		r.output = fmt.Sprintf(`{"id":"%s-%d","big":12345678901234567890}`, f.Key, e.stands)
		e.output = r.output
		return
	}
	e.undone = true
	e.stands = max(e.stands-1, 0)
	r.output = "null"
}
