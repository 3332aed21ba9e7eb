package sim

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/sagatest/history"
	"github.com/unwindhq/unwind/store"
)

// A wish is one saga that a client wants until it is acknowledged.
type wish struct {
	*Order
	recipe   *recipe
	key      string
	tenant   string
	input    json.RawMessage
	number   string // in the input, beyond what a float64 holds
	inputSHA string
	digest   [32]byte
	told     id.ID // the saga that a client was told of; zero: none yet
	tries    int
	beaten   bool // another input had the key first
}

// A life is one saga that a wish has become, or would have.
type life struct {
	*wish
	saga  id.ID
	seq   int64                   // journal entries so far
	ended unwind.Status           // while it is at rest
	dead  []string                // the causes of its dead letters
	busy  bool                    // an operator works on it
	fixed map[place]int           // how often one has
	hands map[place]machine.Event // what one has done by hand

	outputs map[int]json.RawMessage // by step
	doubted map[int]bool            // compensations ordered although nobody knows what they undo
	since   map[int]int64           // when compensations were ordered first
}

// tenants of whose sagas there are.
var tenants = [...]string{"acme", "blue", ""}

// want has a saga started, and all else that its order says.
func (w *world) want(o *Order) {
	u := &wish{Order: o, recipe: recipeOf(o.Recipe, w.plan.safe()), key: fmt.Sprintf("k%d", o.Label), tenant: w.plan.tenantOf(o.Label)}
	u.number = fmt.Sprint(9007199254740993 + 2*int64(o.Label))
	u.setInput(fmt.Sprintf(`{"n":%s,"amount":%d.50}`, u.number, 10+o.Label))
	w.wishes = append(w.wishes, u)
	w.at(o.At, func() { w.start(u, o.Wait) })
	if o.Again > 0 {
		w.at(o.Again, func() { w.start(u, false) })
	}
	if o.Reuse > 0 {
		w.at(o.Reuse, func() { w.reuse(u) })
	}
	if o.Cancel > 0 {
		w.at(o.Cancel, func() { w.cancel(u) })
	}
	signals := o.Signals
	if signals == 0 {
		signals = w.plan.Calm
	}
	w.at(signals, func() { w.signal(u) })
	if o.Ask > 0 {
		w.at(o.Ask, func() { w.await(u) })
	}
}

func (u *wish) setInput(text string) {
	u.input = json.RawMessage(text)
	u.digest = sha256.Sum256(u.input)
	sha, err := history.InputSHA(u.input)
	if err != nil {
		panic(err)
	}
	u.inputSHA = sha
}

// reuse starts another saga under the same key.
func (w *world) reuse(u *wish) {
	other := &wish{Order: u.Order, recipe: u.recipe, key: u.key, tenant: u.tenant, number: "0", tries: 1000}
	other.setInput(fmt.Sprintf(`{"n":0,"amount":%d}`, u.Label))
	w.start(other, false)
	w.at(w.plan.Calm, func() { w.signal(other) })
}

// start asks for the saga; a client that gets no answer asks again.
func (w *world) start(u *wish, wait bool) {
	p := w.current
	said := history.Line{Op: history.OpStart, Name: u.recipe.def.Name, RequestKey: u.key, Tenant: u.tenant, InputSHA: u.inputSHA}
	w.client(history.Invoke, said)
	u.tries++
	if p == nil {
		said.Outcome, said.Status = history.Fail, 503
		w.client(history.Return, said)
		w.startAgain(u, nil)
		return
	}
	saga := w.ids.New(0)
	w.sagas[saga] = &life{wish: u, saga: saga, fixed: map[place]int{}, hands: map[place]machine.Event{}, outputs: map[int]json.RawMessage{}, doubted: map[int]bool{}, since: map[int]int64{}}
	start := node.Start{ID: saga, Plan: u.recipe.plan, Wait: wait, Start: store.Start{
		Name: u.recipe.def.Name, Version: u.recipe.plan.Version, Tenant: u.tenant, Key: u.key, KeyHash: id.KeyHash(u.tenant, u.recipe.def.Name, u.key),
		Input: u.input, InputDigest: u.digest}}
	var shed, full bool
	w.request(p, func(m node.Moment, t node.Token) {
		start.Token = t
		shed, full = p.late(m, u.recipe.plan, unwind.ShedStarts), p.late(m, u.recipe.plan, unwind.HoldStarts)
		p.node.Start(m, start)
	}, func(r node.Reply, lost bool) {
		if !lost {
			w.checkShed(u, r, shed, full)
		}
		w.started(u, said, r, lost)
	})
}

func (w *world) started(u *wish, said history.Line, r node.Reply, lost bool) {
	again := false
	switch {
	case lost:
		said.Outcome, again = history.Unknown, true
	case r.Err != nil:
		said.Outcome = history.Fail
		again = unwind.CodeOf(r.Err) != unwind.KeyReused
		u.beaten = !again
	case r.Existing != (id.ID{}):
		said.Outcome, said.Status, said.Saga = history.OK, 200, r.Existing.String()
		u.told = r.Existing
	default:
		said.Outcome, said.Status, said.Saga = history.OK, 201, r.Saga.Facts.ID
		said.SagaStatus = r.Saga.State.Phase.Status()
		u.told = r.Saga.ID
	}
	w.client(history.Return, said)
	if again {
		w.startAgain(u, r.Err)
	}
}

// startAgain has a client try again, not for ever.
func (w *world) startAgain(u *wish, refusal error) {
	if u.tries > 40 {
		return
	}
	var e *unwind.Error
	if w.plan.Swarm.Has(LateUndo) && errors.As(refusal, &e) && e.RetryAfter > 0 { // it waits as it is told
		w.after(int64(e.RetryAfter)/1000+w.chance.span(1, 50)*millis, func() { w.start(u, false) })
		return
	}
	w.after(w.chance.span(20, 200)*millis, func() { w.start(u, false) })
}

// request sends something to a process; the answer comes or is lost with it.
func (w *world) request(p *process, send func(node.Moment, node.Token), answer func(r node.Reply, lost bool)) {
	w.waiting++
	var token node.Token
	token = p.ask(func(r node.Reply, lost bool) {
		w.tracef("%s answers request %d: %v lost=%v", p.name, token, r.Err, lost)
		w.waiting--
		answer(r, lost)
	})
	w.tracef("request %d to %s", token, p.name)
	w.after(w.chance.span(1, 800), func() { p.do(func(m node.Moment) { send(m, token) }) })
	w.after(patience, func() { p.giveUp(token) })
}

// patience is how long a client waits for an answer.
const patience = 60 * second

// giveUp ends a client's wait. Only a process that has been replaced, or a saga
// that is not at rest yet, may keep one so long.
func (p *process) giveUp(token node.Token) {
	answer := p.tokens[token]
	if answer == nil {
		return
	}
	if p == p.w.current && p.w.unrested() == "" && !p.frozen {
		p.w.fail(history.Liveness, "", "request %d to process %s has had no answer for a minute, and everything is at rest", token, p.name)
	}
	p.tokens[token] = func(node.Reply, bool) {} // nobody listens any more
	answer(node.Reply{}, true)
}

// operation asks for something to be done to a saga, and writes down what was said.
func (w *world) operation(u *wish, said history.Line, op node.Operation, then func(err error, lost bool)) {
	p := w.current
	if op.Saga == (id.ID{}) {
		op.Saga = w.idOf(u)
	}
	if p == nil || op.Saga == (id.ID{}) || w.sagas[op.Saga].ended != "" && op.Event.Kind == machine.Signalled {
		then(nil, true)
		return
	}
	said.Saga = op.Saga.String()
	w.client(history.Invoke, said)
	if op.Audit != nil {
		op.Audit.At = int64(w.micros())
	}
	w.tracef("a client asks for %s of %s", said.Op, w.label(op.Saga))
	w.request(p, func(m node.Moment, t node.Token) {
		op.Token = t
		p.node.Operate(m, op)
	}, func(r node.Reply, lost bool) {
		switch {
		case lost:
			said.Outcome = history.Unknown
		case r.Err != nil:
			said.Outcome = history.Fail
		default:
			said.Outcome, said.SagaStatus = history.OK, r.Saga.State.Phase.Status()
		}
		w.client(history.Return, said)
		w.tracef("%s %s %s: %v %v", w.label(op.Saga), said.Op, said.Step, r.Err, lost)
		then(r.Err, lost)
	})
}

func (w *world) cancel(u *wish) {
	w.operation(u, history.Line{Op: history.OpCancel}, node.Operation{
		Event: machine.Event{Kind: machine.CancelRequested, Actor: "client", Reason: "changed my mind"},
		Audit: &store.Audit{Actor: "client", Action: history.OpCancel, Target: w.idOf(u).String(), Reason: "changed my mind"},
	}, func(error, bool) {})
}

// idOf finds the saga that a wish has become, as a client would by its key.
func (w *world) idOf(u *wish) id.ID {
	if u.told == (id.ID{}) {
		for _, l := range w.lives {
			if l.wish == u {
				return l.saga
			}
		}
	}
	return u.told
}

// signal answers the signal steps that wait, and comes back.
func (w *world) signal(u *wish) {
	for i := range u.recipe.def.Steps {
		if u.recipe.def.Steps[i].Kind == unwind.SignalStep && w.waits(u, i) {
			w.operation(u, history.Line{Op: "signal", Step: u.recipe.def.Steps[i].Name}, node.Operation{
				StepName: u.recipe.def.Steps[i].Name, Event: machine.Event{Kind: machine.Signalled, Actor: "boss", Output: json.RawMessage(`{"ok":true}`)},
			}, func(error, bool) {})
		}
	}
	if w.recipeWaits(u) && !w.ended {
		w.after(400*millis, func() { w.signal(u) })
	}
}

// waits reports whether a step of the saga waits; at times a client is wrong there.
func (w *world) waits(u *wish, step int) bool {
	if w.chance.percent(5) && !w.calm {
		return true
	}
	row, err := w.store.Load(context.Background(), w.idOf(u))
	if err != nil {
		return false
	}
	state, err := machine.DecodeState(row.State)
	return err == nil && state.Phase == machine.Running && state.Steps[step].Status == machine.StepAwaiting
}

func (w *world) recipeWaits(u *wish) bool {
	for i := range u.recipe.def.Steps {
		if u.recipe.def.Steps[i].Kind == unwind.SignalStep {
			return true
		}
	}
	return false
}

// await waits until the saga is at rest.
func (w *world) await(u *wish) {
	w.operation(u, history.Line{Op: history.OpGet}, node.Operation{Wait: true}, func(error, bool) {})
}

// client writes a line of the clients' log.
func (w *world) client(ev history.Event, l history.Line) {
	l.T, l.Node, l.Event = history.Micros(epoch+w.now), "client", ev
	w.log.Client = append(w.log.Client, l)
}
