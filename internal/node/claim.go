package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// A claim is how far the node has read the unfinished sagas.
type claim struct {
	all     reader         // brings all of them while there is room
	pressed reader         // goes through what all has left, and brings those that need none
	until   machine.Micros // what the read under way, or the last one, goes up to
	reading bool
	gone    map[id.ID]bool // sagas that left memory while the read was under way
}

// A reader stands at (due, id): what it looks for up to there is in memory, or has
// moved on.
type reader struct {
	due   int64
	id    id.ID
	next  machine.Micros // when to read on; 0: not yet begun
	out   bool           // pressed is on its way; if not, it sets out at next
	spent machine.Micros // on the reads since then
}

// longestRead is what a page of sagas takes at most. One that comes later has waited
// for the store, which cost nobody anything.
const longestRead = 100_000

// A Claim asks for unfinished sagas: store.ClaimDue.
type Claim struct {
	AfterDue int64
	After    id.ID
	Until    int64
	Limit    int
	at       machine.Micros
	pressed  bool // there was no room
}

// A Claimed saga comes with its plan; Err says why it has none. One that comes
// without its journal is read once more, by Output.Loads.
type Claimed struct {
	Row  store.Saga
	Plan *machine.Plan
	Err  error
}

// Recover begins the work after a start: every unfinished saga is read and its
// orders are made again; the queues that hold compensations are read.
func (n *Node) Recover(m Moment, queues []store.QueueDepth, controls []store.Control, kept []Kept) {
	for i := range controls {
		if planted.On(planted.ForgetPause) {
			controls[i].Paused = false
		}
		n.force(m, &controls[i])
	}
	n.restore(m, kept)
	n.Depths(m, queues)
	if n.halt.on {
		n.halt.queues = queues
		return
	}
	n.takeUpAll(m, queues)
}

// takeUpAll begins to read the unfinished sagas and the queues.
func (n *Node) takeUpAll(m Moment, queues []store.QueueDepth) {
	first := reader{due: store.AtRest, next: m.Now}
	n.claim.all, n.claim.pressed, n.claim.until = first, first, m.Now+n.cfg.Horizon
	if planted.On(planted.ForgetTasksOnRestart) {
		return
	}
	for _, q := range queues {
		n.sched.Refill(flowQueue(q.Queue), nil, 0, nanos(m.Now))
	}
}

// reader is whose turn it is to read; nil: nobody's. Without room for the work of
// more sagas there is still some, of a page, for those that only time holds: they
// leave again by themselves.
func (n *Node) reader() *reader {
	sagas, page := len(n.sagas)+len(n.loading), n.cfg.ClaimPage
	switch {
	case sagas < n.cfg.MaxActive && n.bytes < n.cfg.MaxBytes:
		return &n.claim.all
	case sagas < n.cfg.MaxActive+page && n.bytes < n.cfg.MaxBytes+n.cfg.MaxBytes/8:
		return &n.claim.pressed
	}
	return nil
}

// seek reads on when it is time and there is room.
func (n *Node) seek(m Moment) {
	c, r := &n.claim, n.reader()
	if n.draining || c.reading || r == nil || r.next == 0 || m.Now < r.next {
		return
	}
	pressed := r == &c.pressed
	if pressed && !r.out {
		*r = reader{due: c.all.due, id: c.all.id, next: r.next, out: true}
	}
	c.reading = true
	c.gone = map[id.ID]bool{}
	c.until = max(c.until, m.Now+n.cfg.Horizon)
	limit := n.cfg.ClaimPage
	if !pressed { // what it brings stays
		limit = min(limit, max(n.cfg.MaxActive-len(n.sagas)-len(n.loading), limit/16, 1))
	}
	n.out.Claim = &Claim{AfterDue: r.due, After: r.id, Until: int64(c.until), Limit: limit, at: m.Now, pressed: pressed}
}

// Claimed takes in the answer to Output.Claim.
func (n *Node) Claimed(m Moment, asked Claim, sagas []Claimed, err error) {
	c := &n.claim
	c.reading = false
	r := &c.all
	if asked.pressed {
		r = &c.pressed
	}
	if err != nil {
		r.next = m.Now + sickStart
		return
	}
	r.spent += min(m.Now-asked.at, longestRead)
	page := store.ClaimPage{Limit: asked.Limit}
	for i := range sagas {
		s := &sagas[i]
		page.Add(&s.Row)
		r.due, r.id = s.Row.Due, s.Row.ID
		mine := s.Row.Epoch == n.cfg.Epoch && s.Row.Due == store.Active // it is, or was, in memory
		if mine && !planted.On(planted.TrustStaleClaim) || c.gone[s.Row.ID] || n.sagas[s.Row.ID] != nil {
			continue
		}
		if v := n.loading[s.Row.ID]; v != nil {
			v.taken = true // should that read fail, nobody else would read it again
			continue
		}
		if s.Err == nil && asked.pressed && n.awaitsRoom(s) {
			continue
		}
		if s.Err == nil && uint64(len(s.Row.Journal)) < s.Row.Version {
			n.visit(s.Row.ID).taken = true // its outputs are in the journal
			continue
		}
		if s.Err == nil {
			var sg *saga
			if sg, s.Err = n.adopt(s.Plan, &s.Row, false); s.Err == nil {
				n.takeUp(m, sg)
			}
		}
		if s.Err != nil {
			n.strand(m, s.Row.ID, s.Err)
		}
	}
	r.next = m.Now
	if page.Full() {
		return
	}
	// Caught up: what is parked from now on is parked past until.
	r.due, r.id = asked.Until, id.Last
	r.next = machine.Micros(asked.Until) - n.cfg.Horizon/2
	if asked.pressed { // what it passes over it reads again: for a tenth of the time at most
		r.next, r.out = max(r.next, m.Now+9*r.spent), false
	}
}

// awaitsRoom reports whether a stored saga has work for a lane of actions, and
// time alone does not turn it back before the next read.
func (n *Node) awaitsRoom(c *Claimed) bool {
	s, err := machine.DecodeState(c.Row.State)
	if err != nil || s.Phase != machine.Running || len(s.Steps) != len(c.Plan.Steps) {
		return false
	}
	return !machine.TurnsBack(c.Plan, &s, n.claim.until)
}

// adopt takes a stored saga into memory. Its orders may have been sent by an
// earlier process, or, with again, by this one.
func (n *Node) adopt(p *machine.Plan, row *store.Saga, again bool) (*saga, error) {
	s, err := Restore(p, row)
	if err != nil {
		return nil, err
	}
	delete(n.stuck, row.ID)
	sg := n.hold(s, row.Due)
	sg.resent, sg.behind = n.muddled[row.ID] || row.Epoch != n.cfg.Epoch, again
	if planted.On(planted.LoseTimers) {
		n.clearTimer(sg)
	}
	n.eachOrder(sg, func(o *order) {
		if o.sg == nil {
			n.tie(o, sg)
		}
	})
	return sg, nil
}

// takeUp makes the durable orders of a saga that was adopted again. Compensations
// wait in their queues.
func (n *Node) takeUp(m Moment, sg *saga) {
	if sg.State.Phase == machine.Compensating {
		for i := range sg.State.Steps {
			if a := &sg.saved.Steps[i].Action; a.Ordered && !a.Asking && sg.State.Steps[i].Action == *a {
				n.lose(m, sg, i, a)
			}
		}
	} else if !sg.resent || !planted.On(planted.ForgetOrdersOnRestart) {
		for _, e := range machine.Outstanding(&sg.saved, nil) {
			if e.Kind == machine.CallAction && n.orders[taskKey(sg.ID, e.Step, e.Dir)] == nil {
				n.enqueue(m, sg, &e, sg.resent)
			}
		}
	}
	n.catchUp(m, sg)
}

// lose: the saga has turned back, so the action that may have left with an
// earlier process is neither sent nor awaited any more.
func (n *Node) lose(m Moment, sg *saga, step int, a *machine.Side) {
	if planted.On(planted.ResendAfterTurn) {
		n.enqueue(m, sg, &machine.Effect{Step: step, Dir: unwind.Action, Attempt: a.Attempts + 1, Generation: a.Generation}, true)
		return
	}
	if n.orders[taskKey(sg.ID, step, unwind.Action)] == nil {
		n.apply(m, sg, machine.Event{Kind: machine.Lost, Step: step, Dir: unwind.Action, Attempt: a.Attempts + 1}, nil)
	}
}
