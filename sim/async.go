package sim

import (
	"encoding/json"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/sagatest/history"
)

// accept takes an asynchronous call on: 202 now, the work later.
func (w *world) accept(f *flight, r *record) word {
	r.state, r.until = working, w.now+f.dice.span(1, 900)*millis
	r.refuses = f.dice.percent(10) && w.plan.Swarm.Has(Refuse)
	forgets := w.strikes(NeverComplete, 40, &f.dice)
	g := f.Generation
	w.at(r.until, func() {
		r := w.find(w.book(f.place), g, f.kind)
		if r == nil || r.state != working {
			return
		}
		l := w.callLine(f)
		l.Op, l.Outcome = history.OpComplete, history.OK
		if r.refuses {
			r.state, l.Outcome = refused, history.Fail
		} else {
			w.execute(f, r)
		}
		w.participant(history.Return, l)
		if told := *r; forgets {
			w.at(w.plan.Calm+second, func() { w.complete(f, told, 0) })
		} else {
			w.complete(f, told, 0)
		}
	})
	return word{Answer: machine.Answer{Status: 202, Message: "accepted"}, outcome: history.Unknown}
}

// complete tells the engine what became of an accepted call, until it listens.
func (w *world) complete(f *flight, r record, tries int) {
	again := func() {
		if tries < 300 {
			w.after(120*millis, func() { w.complete(f, r, tries+1) })
		}
	}
	now := w.find(w.book(f.place), r.generation, f.kind)
	switch {
	case now == nil && f.kind.Status != "":
		return // the key is forgotten: who wants to know asks
	case now != nil && now.first != r.first:
		return // it was forgotten, and has begun something else since
	}
	p := w.current
	if p == nil {
		again()
		return
	}
	if now != nil {
		now.telling++
	}
	ev := machine.Event{Kind: machine.CallCompleted, Step: f.Step, Dir: f.Dir, Generation: f.Generation}
	ev.Answer.Outcome, ev.Output = machine.OutcomeDone, json.RawMessage(r.output)
	said := history.Line{Op: history.OpComplete, Saga: f.Saga.String(), Step: f.stepName(), Direction: f.Dir, Answer: "done"}
	if r.refuses {
		ev.Answer = machine.Answer{Outcome: machine.OutcomeRefused, Message: "refused by its completion"}
		ev.Output, said.Answer = nil, "refused"
	}
	w.client(history.Invoke, said)
	w.request(p, func(m node.Moment, t node.Token) {
		p.node.Operate(m, node.Operation{Token: t, Saga: f.Saga, Event: ev})
	}, func(reply node.Reply, lost bool) {
		if now := w.find(w.book(f.place), r.generation, f.kind); now != nil && now.first == r.first && now.telling > 0 {
			now.telling--
		}
		code := unwind.CodeOf(reply.Err)
		w.tracef("completion of %s: %v %v", w.where(f), reply.Err, lost)
		if said.Outcome = history.OK; reply.Err == nil && !lost {
			b := w.book(f.place)
			b.doubt, b.closed = b.doubt && !r.refuses, b.attempt
		}
		switch {
		case lost:
			said.Outcome = history.Unknown
			again()
		case code == unwind.Conflict || code == unwind.NotFound:
			said.Outcome = history.Fail
		case reply.Err != nil:
			said.Outcome = history.Fail
			again()
		}
		w.client(history.Return, said)
	})
}

// arriveAsk answers a question to the status path.
func (w *world) arriveAsk(f *flight) {
	l := w.callLine(f)
	l.Op = history.OpStatus
	w.participant(history.Invoke, l)
	if w.out(f.service, Hang) || w.strikes(Hang, w.plan.Often, &f.dice) {
		return
	}
	a := machine.Answer{Status: 200}
	l.Outcome = history.Unknown
	r := w.find(w.book(f.place), f.Generation, f.kind)
	switch {
	case w.out(f.service, ServerError) || w.out(f.service, Unavailable) || w.strikes(ServerError, w.plan.Often, &f.dice):
		a.Status = 500
	case r != nil && r.state == done:
		l.Outcome, a.Outcome, a.Output = history.OK, machine.OutcomeDone, json.RawMessage(r.output)
	case r != nil && r.state == working, w.book(f.place).atWork > 0:
		a.Outcome = machine.OutcomeInProgress
	case r == nil && w.forgot(f):
		a.Outcome, a.Output = machine.OutcomeDone, json.RawMessage(w.effect(f.place).output)
		l.Outcome = history.OK
	default:
		l.Outcome, a.Outcome = history.Fail, machine.OutcomeRefused
	}
	w.tracef("%s at %s: status %d outcome %d", w.where(f), f.kind.name, a.Status, a.Outcome)
	w.participant(history.Return, l)
	f.answer(a)
}

// forgot: the key is forgotten, but the business shows what it did.
func (w *world) forgot(f *flight) bool {
	e := w.effect(f.place)
	if f.place.dir == 0 {
		return e.stands > 0
	}
	return e.undone
}

// actionAtWork is the action that is still worked on, or nil.
func (w *world) actionAtWork(f *flight) *record {
	at := f.place
	at.dir = 0
	b := w.books[at]
	if b == nil {
		return nil
	}
	for i := range b.records {
		if b.records[i].state == working {
			return &b.records[i]
		}
	}
	return nil
}

func (f *flight) asyncAction() bool { return f.Plan.Call(f.Step, unwind.Action).Call.Async }

func (f *flight) stepName() string { return f.Plan.Steps[f.Step].Name }

// callLine begins a line of the participant's log.
func (w *world) callLine(f *flight) history.Line {
	return history.Line{
		Node: f.kind.name, Service: f.kind.name, Saga: f.Saga.String(), Step: f.stepName(), Direction: f.Dir,
		Attempt: int(f.Attempt), Generation: int(f.Generation), Key: f.Key, BodySHA: f.sha,
	}
}

func (w *world) participant(ev history.Event, l history.Line) {
	l.T, l.Event = history.Micros(epoch+w.now), ev
	w.log.Participants = append(w.log.Participants, l)
}

// where names a call in traces.
func (w *world) where(f *flight) string {
	return w.label(f.Saga) + "/" + f.stepName() + "/" + string(f.Dir) + "#" + string(rune('0'+f.Attempt%10))
}

// out reports whether a service is in an outage of a kind.
func (w *world) out(service int, how Fault) bool {
	for i := range w.plan.Outages {
		if o := &w.plan.Outages[i]; o.service == service && o.how == how && w.now >= o.from && w.now < o.to && w.swarm.Has(Outage) {
			w.counts[Outage]++
			return true
		}
	}
	return false
}
