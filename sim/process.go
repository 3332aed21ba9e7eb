package sim

import (
	"context"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/sagatest/history"
)

// A process is one life of a node: what the engine's shell does around it.
type process struct {
	w      *world
	name   string
	epoch  int64
	offset int64 // of its clock
	node   *node.Node
	dead   bool
	frozen bool     // it is paused
	inbox  []func() // what came meanwhile
	wake   int64    // when it acts by itself; -1: never
	spins  int
	drains bool

	tokens  map[node.Token]func(r node.Reply, lost bool)
	token   node.Token
	lanes   [services][2]lane
	watch   backlogs
	paused  map[unwind.Scope]bool // those that it knows to be
	out     map[unwind.Scope]int  // calls
	hints   map[place]int64       // throttled calls wait at least so long
	muddled map[id.ID]bool        // sagas that somebody else wrote
	calls   int                   // out
	flying  map[place]uint32      // the last attempt that is out
}

// join brings a process up.
func (w *world) join() {
	ctx := context.Background()
	if w.swarm.Has(ClockStep) {
		w.stepClock()
	}
	epoch, err := w.store.Join(ctx, "n")
	if err != nil {
		panic(err)
	}
	p := &process{w: w, name: nodeName(epoch), epoch: epoch, offset: w.offset, tokens: map[node.Token]func(node.Reply, bool){}, hints: map[place]int64{}, muddled: map[id.ID]bool{}, flying: map[place]uint32{}, watch: backlogs{held: map[id.ID]bool{}, freed: map[id.ID]int64{}}, paused: map[unwind.Scope]bool{}, out: map[unwind.Scope]int{}, wake: -1}
	for int64(len(w.offsets)) <= epoch {
		w.offsets = append(w.offsets, 0)
	}
	w.offsets[epoch] = w.offset
	s := w.plan
	m := p.moment()
	lease := machine.Micros(0)
	if w.plan.Swarm.Has(TakeOver) {
		lease = machine.Micros(takeOver)
	}
	p.node = node.New(node.Config{Lease: lease, Name: p.name, Epoch: p.epoch, MaxActive: s.MaxActive, Horizon: machine.Micros(s.Horizon), ClaimPage: s.ClaimPage, Heads: s.Heads}, m)
	p.configure(m)
	queues, err := w.store.Queues(ctx, int64(m.Now))
	if err != nil {
		panic(err)
	}
	controls, err := w.store.Controls(ctx)
	if err != nil {
		panic(err)
	}
	p.takeOver(m, controls)
	p.depths(m, queues)
	p.node.Recover(m, queues, controls, w.kept(p))
	w.all = append(w.all, p)
	w.current = p
	w.tracef("%s joins", p.name)
	p.look()
	p.watchDepths()
}

func nodeName(epoch int64) string {
	const names = "abcdefghijklmnopqrstuvwxyz"
	return names[epoch%26 : epoch%26+1]
}

// configure sets the limits, as the engine does from its configuration.
func (p *process) configure(m node.Moment) {
	for i := range kinds[:services-1] {
		p.node.SetBacklog(kinds[i].name, p.w.plan.Limits[i].backlog)
		l, hold := &p.w.plan.Limits[i], kinds[i].Timeout+unwind.Duration(kinds[i].settle())*1000
		p.limit(m, unwind.Scope{Kind: unwind.ScopeForward, Name: kinds[i].name}, node.Limits{Limits: l.forward, Breaker: l.breaker, Hold: hold})
		p.limit(m, unwind.Scope{Kind: unwind.ScopeCompensation, Name: kinds[i].name}, node.Limits{Limits: l.compensation, Breaker: l.breaker, Hold: hold})
	}
	for i := range p.w.plan.Sagas {
		def := recipeOf(p.w.plan.Sagas[i].Recipe, p.w.plan.safe()).def
		if def.Compensation != nil {
			l := node.Limits{Limits: unwind.Limits{Rate: def.Compensation.Rate}}
			p.w.scope(unwind.Scope{Kind: unwind.ScopeSagaType, Name: def.Name}).configured = l
			p.node.ConfigureType(m, def.Name, l, nil)
		}
	}
}

func (p *process) limit(m node.Moment, name unwind.Scope, l node.Limits) {
	p.w.scope(name).configured = l
	p.node.Configure(m, name, l)
}

// moment0 is the time by its clock, without the chance.
func (p *process) moment0() machine.Micros { return p.w.micros() + machine.Micros(p.offset) }

func (p *process) moment() node.Moment {
	return node.Moment{Now: p.w.micros() + machine.Micros(p.offset), Rand: p.w.chance.next()}
}

// do gives the process an event, now or when it wakes up.
func (p *process) do(event func(node.Moment)) {
	switch {
	case p.dead:
	case p.frozen:
		p.inbox = append(p.inbox, func() { p.do(event) })
	default:
		event(p.moment())
		if p.w.plan.Lazy == 0 || p.w.calm {
			p.look()
		} else if p.wake < 0 || p.wake > p.w.now+p.w.plan.Lazy {
			p.wake = p.w.now + p.w.plan.Lazy
		}
	}
}

// wakeUp lets it act by itself.
func (p *process) wakeUp() {
	if p.dead || p.frozen {
		p.wake = -1
		return
	}
	p.look()
}

// look has the process do what is to be done.
func (p *process) look() {
	m := p.moment()
	p.node.Tick(m)
	out := p.node.Take(m)
	if p.carryOut(&out); p.dead {
		return
	}
	p.wake = -1
	if at := p.node.Wake(); at > 0 {
		p.wake = max(int64(at)-p.offset-epoch, p.w.now)
	}
	if p.wake != p.w.now {
		p.spins = 0
	} else if p.spins++; p.spins > 200 {
		p.w.fail(history.Liveness, "", "process %s wakes up again and again and does nothing", p.name)
		p.w.ended = true
	}
	if p.drains && p.node.Drained() {
		p.w.tracef("%s has ended", p.name)
		p.die()
		p.w.after(50*millis, p.w.comeBack)
	}
}

func (p *process) carryOut(out *node.Output) {
	if out.Stop != nil {
		p.w.tracef("%s stops: %v", p.name, out.Stop)
		p.die()
		p.w.after(100*millis, p.w.comeBack)
		return
	}
	if out.Commit != nil {
		p.commit(out.Commit)
	}
	for i := range out.Calls {
		p.call(&out.Calls[i])
	}
	for _, saga := range out.Loads {
		p.load(saga)
	}
	if out.Claim != nil {
		p.claim(*out.Claim)
	}
	for i := range out.Reads {
		p.readQueue(out.Reads[i])
	}
	for i := range out.Replies {
		p.reply(&out.Replies[i])
	}
}

func (p *process) reply(r *node.Reply) {
	if answer := p.tokens[r.Token]; answer != nil {
		delete(p.tokens, r.Token)
		answer(*r, false)
	} else if r.Token != 0 {
		p.w.fail(history.G2, "", "process %s answered request %d twice", p.name, r.Token)
	}
}

// ask notes who waits for a reply; a process that ends gives none.
func (p *process) ask(answer func(r node.Reply, lost bool)) node.Token {
	p.token++
	p.tokens[p.token] = answer
	return p.token
}

// die ends the process at once.
func (p *process) die() {
	p.dead, p.wake, p.inbox = true, -1, nil
	p.w.torn = p.w.torn || p.calls > 0
	if p.w.current == p {
		p.w.current = nil
	}
	for i, q := range p.w.all {
		if q == p {
			p.w.all = append(p.w.all[:i:i], p.w.all[i+1:]...)
			break
		}
	}
	for t := node.Token(1); t <= p.token; t++ {
		if answer := p.tokens[t]; answer != nil {
			delete(p.tokens, t)
			answer(node.Reply{}, true)
		}
	}
}

// comeBack brings a process up where none is.
func (w *world) comeBack() {
	if w.current == nil && !w.ended {
		w.join()
	}
}
