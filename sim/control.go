package sim

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/sagatest/history"
	"github.com/unwindhq/unwind/store"
)

// act lets an operator do what the schedule says.
func (w *world) act(n int, a *act) {
	p := w.current
	if p == nil || w.calm || !w.swarm.Has(a.Fault) || a.Saga >= len(w.wishes) {
		return
	}
	w.counts[a.Fault]++
	w.tracef("-- %s", a)
	switch a.Fault {
	case SendNow:
		w.sendNow(p, a)
		return
	case OpenGate:
		w.openGate(p, a.Lane)
		return
	}
	u := w.wishes[a.Saga]
	name := unwind.Scope{Kind: a.Scope}
	switch a.Scope {
	case unwind.ScopeForward, unwind.ScopeCompensation:
		name.Name = kinds[a.Lane].name
	case unwind.ScopeSagaType:
		name.Name = u.recipe.def.Name
	case unwind.ScopeTenant:
		name.Name, name.Tenant = u.recipe.def.Name, u.tenant
	}
	if name.Kind == unwind.ScopeTenant && name.Tenant == "" {
		return // it has no name
	}
	reason := fmt.Sprintf("change %d", n)
	switch a.Fault {
	case PauseScope:
		w.scope(name).leave = w.now + a.Span
		w.pause(p, name, "maintenance")
		w.after(a.Span, func() { w.resume(name) })
	case HoldBreaker:
		mode := a.Mode
		w.alter(p, unwind.ControlRequest{Scope: name, Breaker: &mode, ExpiresIn: a.For, Reason: reason})
	case ChangeLimits:
		w.alter(p, unwind.ControlRequest{Scope: name, Limits: &a.Limits, Reset: a.Reset, ExpiresIn: a.For, Reason: reason})
	}
}

func (w *world) pause(p *process, name unwind.Scope, why string) {
	on := true
	w.alter(p, unwind.ControlRequest{Scope: name, Paused: &on, Reason: why})
}

// resume lets a scope go on, whoever has paused it.
func (w *world) resume(name unwind.Scope) {
	if p := w.current; p != nil {
		off := false
		w.alter(p, unwind.ControlRequest{Scope: name, Paused: &off, Reason: "over"})
	}
}

// release takes back at the end of the trouble what would hold for good.
func (w *world) release() {
	if w.current == nil {
		w.after(100*millis, w.release)
		return
	}
	for i, s := range w.named {
		if s.heldOpen(w.current.moment0()) {
			auto := unwind.BreakerAuto
			w.alter(w.current, unwind.ControlRequest{Scope: s.Scope, Breaker: &auto, Reason: fmt.Sprintf("release %d at %d", i, w.now)})
		}
	}
	w.after(2*second, func() {
		if !w.ended {
			w.release()
		}
	})
}

// alter has a scope changed as the engine does, and remembers what was asked for and
// what was said.
func (w *world) alter(p *process, req unwind.ControlRequest) {
	s := w.scope(req.Scope)
	req.Actor = "operator"
	var r *rule
	var resumes int
	w.request(p, func(m node.Moment, t node.Token) {
		s.fill(w.now, m.Now)
		a, err := p.node.Alter(m, &req)
		if err != nil {
			p.tokens[t](node.Reply{Err: err}, false)
			delete(p.tokens, t)
			return
		}
		if req.Paused != nil {
			if p.paused[s.Scope] = *req.Paused; !*req.Paused {
				s.paused = false
				s.resumes++
			}
			resumes = s.resumes
		} else {
			r = &rule{reason: req.Reason, reset: req.Reset}
			if req.Limits != nil {
				r.limits = *req.Limits
			}
			if req.Breaker != nil {
				r.breaker = *req.Breaker
			}
			if req.ExpiresIn > 0 {
				r.until = m.Now + machine.Micros(req.ExpiresIn/1000)
			}
			s.rules = append(s.rules, r)
		}
		data, _ := json.Marshal(a.Data)
		a.Token, a.Audit = t, &store.Audit{At: int64(m.Now), Actor: req.Actor, Action: a.Action, Target: req.Scope.String(), Reason: req.Reason, Data: data}
		p.node.SetControl(m, a.ControlChange)
	}, func(reply node.Reply, lost bool) {
		w.tracef("%s of %s: %v lost=%v", req.Reason, s.Scope, reply.Err, lost)
		if lost {
			return
		}
		s.fill(w.now, p.moment0())
		switch {
		case reply.Err == nil && r != nil:
			s.acknowledged(r)
		case reply.Err == nil:
			s.paused = *req.Paused && s.resumes == resumes
		case r != nil:
			s.withdraw(r)
		}
	})
}

// inForce notes what a batch brought into force that is durable.
func (p *process) inForce(m node.Moment, b *store.Batch, results []store.Result) {
	for i := range b.Transitions {
		if b.Transitions[i].Start != nil && results[i].Outcome == store.Committed {
			p.begun(m, b.Transitions[i].Saga)
		}
	}
	for i := range b.Controls {
		s := p.w.scope(b.Controls[i].Scope)
		s.fill(p.w.now, m.Now)
		s.stored(&b.Controls[i])
	}
}

// takeOver begins with what is durable: what was acknowledged is.
func (p *process) takeOver(m node.Moment, controls []store.Control) {
	rows := map[unwind.Scope]*store.Control{}
	for i := range controls {
		rows[controls[i].Scope] = &controls[i]
	}
	for _, s := range p.w.named {
		c := rows[s.Scope]
		if c == nil {
			c = &store.Control{Scope: s.Scope}
		}
		s.fill(p.w.now, m.Now)
		s.settle(c, m.Now)
		p.paused[s.Scope] = c.Paused
		if s.paused && !c.Paused {
			p.w.fail(history.G10, "", "the pause of %s was acknowledged, and process %s finds none", s.Scope, p.name)
			s.paused = false
		}
	}
}

// sendNow has a waiting call sent at once, of the first saga from the act's on that has one.
func (w *world) sendNow(p *process, a *act) {
	for n := range w.lives {
		l := w.lives[(a.Saga+n)%len(w.lives)]
		if l.ended != "" {
			continue
		}
		row, err := w.store.Load(context.Background(), l.saga)
		if err != nil {
			continue // it was purged
		}
		state, err := machine.DecodeState(row.State)
		if err != nil {
			panic(err)
		}
		for i := range state.Steps {
			for _, dir := range []unwind.Direction{unwind.Action, unwind.Compensation} {
				at := place{l.saga, i, dirIndex(dir)}
				if _, out := p.flying[at]; out || !state.Side(i, dir).Ordered {
					continue
				}
				w.sendThis(p, l, at, dir)
				return
			}
		}
	}
}

func (w *world) sendThis(p *process, l *life, at place, dir unwind.Direction) {
	step := l.recipe.def.Steps[at.step].Name
	x := w.urgent[at]
	if x == nil || x.p != p {
		x = &urgent{p: p}
		w.urgent[at] = x
	}
	x.asked++
	w.operation(l.wish, history.Line{Op: history.OpSend, Step: step, Direction: dir}, node.Operation{
		Saga: l.saga, StepName: step, Event: machine.Event{Kind: machine.Hastened, Dir: dir, Actor: "operator", Reason: "to see whether it goes"},
		Audit: &store.Audit{Actor: "operator", Action: history.OpSend, Target: l.saga.String() + "/" + step + "/" + string(dir), Reason: "to see whether it goes"},
	}, func(err error, lost bool) {
		x.asked--
		x.sure = x.sure || err == nil && !lost && x.left != w.now
	})
}

// An urgent call is one that an operator has sent now.
type urgent struct {
	p     *process
	asked int   // requests without an answer: any call may be the one
	sure  bool  // one was granted, and the next call is the one
	left  int64 // when a call left while nobody knew
}

// sendsNow reports whether a call that leaves may be the one that is sent now.
func (p *process) sendsNow(at place) bool {
	x := p.w.urgent[at]
	switch {
	case x == nil || x.p != p || !x.sure && x.asked == 0:
		return false
	case x.asked > 0:
		x.left = p.w.now
	default:
		x.sure = false
	}
	return true
}
