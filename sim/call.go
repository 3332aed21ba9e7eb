package sim

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/sagatest/history"
)

// A flight is one call on its way.
type flight struct {
	node.Call
	p       *process
	place   place
	service int
	kind    *kind
	timeout int64
	sent    int64
	sha     string
	async   bool
	dice    chance
	over    bool  // nobody waits any more
	now     bool  // an operator has it sent now
	came    int64 // when it came in first; 0: it did not
	booked  bool  // it took effect, and its duplicate will be told so
}

// call makes a call: over a network that delays and loses, to a participant that
// may have its troubles.
func (p *process) call(c *node.Call) {
	w := p.w
	pc := c.Plan.Call(c.Step, c.Dir)
	f := &flight{Call: *c, p: p, sent: w.now, timeout: int64(pc.Timeout), service: serviceIndex(pc.Service)}
	f.kind = &kinds[f.service]
	f.async = pc.Call.Async
	f.place = place{c.Saga, c.Step, dirIndex(c.Dir)}
	b := w.book(f.place)
	b.sends, b.generation, b.attempt, b.sent = b.sends+1, c.Generation, c.Attempt, w.now
	f.dice = dice(w.plan.Seed, 3, uint64(w.sagas[c.Saga].Label), uint64(c.Step), uint64(f.place.dir), uint64(b.sends))
	if !c.Ask {
		f.sha = history.SHA(c.Body)
	}
	p.calls++
	p.flying[f.place] = c.Attempt
	f.now = p.sendsNow(f.place)
	p.checkSend(f)
	p.meter(f)
	p.checkHeld(f)
	w.tracef("%s sends %s %s ask=%v", p.name, w.where(f), f.Key, f.Ask)

	w.after(f.timeout, func() { f.end(machine.Answer{Fault: machine.FaultTimeout, Message: "no answer in time"}) })
	if w.strikes(NotSent, w.plan.Often, &f.dice) || w.out(f.service, NotSent) {
		w.after(f.dice.span(10, 2000), func() { f.end(machine.Answer{Fault: machine.FaultNotSent, Message: "connection refused"}) })
		return
	}
	if w.strikes(LostRequest, w.plan.Often, &f.dice) {
		return
	}
	there := f.dice.span(50, 3000)
	if w.strikes(SlowRequest, w.plan.Often, &f.dice) {
		there = f.dice.span(1, f.kind.settle()*9/10)
	}
	w.delay = max(w.delay, there)
	if w.strikes(Broken, w.plan.Often/2, &f.dice) {
		w.after(f.dice.span(1, f.timeout-1), func() { f.end(machine.Answer{Fault: machine.FaultBroken, Message: "connection reset"}) })
	}
	w.after(there, func() {
		f.came = w.now
		w.arrive(f)
	})
	if !f.Ask && w.strikes(Duplicate, w.plan.Often/2, &f.dice) {
		again := min(there+f.dice.span(1, 100*millis), f.kind.settle()-1)
		w.after(again, func() {
			if f.booked {
				w.arrive(f)
			}
		})
	}
}

// answer carries an answer back.
func (f *flight) answer(a machine.Answer) {
	w := f.p.w
	if w.strikes(LostAnswer, w.plan.Often, &f.dice) {
		return
	}
	back := f.dice.span(50, 3000)
	if w.strikes(LateAnswer, w.plan.Often, &f.dice) {
		back += f.timeout
	}
	w.after(back, func() { f.end(a) })
}

// end gives the process the answer, or what there is instead.
func (f *flight) end(a machine.Answer) {
	p := f.p
	if f.over {
		if p.w.swarm.Has(LateAnswer) && a.Fault == machine.NoFault && !f.Ask {
			late := node.LateAnswer{Call: f.Call, Answer: a}
			p.do(func(m node.Moment) { p.node.CallAnsweredLate(m, late) })
		}
		return
	}
	f.over = true
	p.do(func(m node.Moment) {
		p.calls--
		p.unmeter(f)
		if p.flying[f.place] == f.Attempt {
			delete(p.flying, f.place)
		}
		p.checkAnswer(f, &a)
		if all := p.w.all; p == all[len(all)-1] { // what it makes of this can be committed
			p.w.hear(f, &a)
		}
		p.w.tracef("%s hears %s: %d fault %d outcome %d hint %d", p.name, p.w.where(f), a.Status, a.Fault, a.Outcome, a.Hint)
		p.node.CallEnded(m, f.ID, a)
	})
}

func dirIndex(d unwind.Direction) int {
	if d == unwind.Compensation {
		return 1
	}
	return 0
}

// label is a saga's as traces have it.
func (w *world) label(saga id.ID) string {
	if u := w.sagas[saga]; u != nil {
		return u.key
	}
	return saga.String()
}
