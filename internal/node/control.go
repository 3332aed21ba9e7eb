package node

import (
	"slices"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/alarm"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// Limits are a scope's as configured.
type Limits struct {
	unwind.Limits
	// Weight of a saga type or a tenant in the fair share. Zero means 1.
	Weight int
	// Breaker of a service's lane.
	Breaker unwind.Breaker
	// Hold is how long after it was sent a call of a lane has surely ended: its timeout
	// and the time it takes to settle, of the slowest. All other scopes have the longest.
	Hold unwind.Duration
}

// A control is one scope's configuration and what operators have set above it.
type control struct {
	scope      unwind.Scope
	configured Limits
	set        store.Control // the last, durable or about to be
	settings   Settings      // in force: the last that are durable
	pause      *Pause        // the one that holds; nil: none
	ending     bool          // their time is over, and what takes their place is on its way
	unread     bool          // the settings can't be read, and an alert says so
}

// A ControlChange sets what operators want of a scope, in the place of what they
// wanted before.
type ControlChange struct {
	Token   Token
	Control store.Control
	// OpenGate instead opens the gate of the scope's lane.
	OpenGate bool
	Audit    *store.Audit
}

// find returns what is known of a scope, and where that stands or would.
func (n *Node) find(scope unwind.Scope) (c *control, at int) {
	at, found := slices.BinarySearchFunc(n.controls, scope, func(c *control, s unwind.Scope) int { return c.scope.Compare(s) })
	if !found {
		return &control{scope: scope, set: store.Control{Scope: scope}}, at
	}
	return n.controls[at], at
}

// control returns what is known of a scope, to be changed: it is kept from now on.
func (n *Node) control(scope unwind.Scope) *control {
	c, at := n.find(scope)
	if at == len(n.controls) || n.controls[at] != c {
		n.controls = slices.Insert(n.controls, at, c)
	}
	return c
}

// Control is what operators have set at a scope, durable or about to be. Settings that
// can't be read are none.
func (n *Node) Control(scope unwind.Scope) (store.Control, Settings) {
	c, _ := n.find(scope)
	set := c.set
	s, err := DecodeSettings(set.Settings)
	if err != nil {
		s = Settings{}
	}
	return set, s
}

// Scopes returns the global scope, the lanes of services, and those of saga types and
// tenants that have limits or that operators have set something at, in their order.
func (n *Node) Scopes() []unwind.Scope {
	scopes := make([]unwind.Scope, 0, len(n.controls))
	for _, c := range n.controls {
		shared := c.scope.Kind == unwind.ScopeSagaType || c.scope.Kind == unwind.ScopeTenant
		if !shared || !c.set.Empty() || c.configured != (Limits{}) {
			scopes = append(scopes, c.scope)
		}
	}
	return scopes
}

// Limits returns what holds at a scope: what operators have set, above what is
// configured.
func (n *Node) Limits(scope unwind.Scope) Limits {
	c, _ := n.find(scope)
	return c.settings.over(c.configured)
}

// Under returns what would hold at a scope with these settings.
func (n *Node) Under(scope unwind.Scope, s *Settings) Limits {
	c, _ := n.find(scope)
	return s.over(c.configured)
}

// Snapshot returns the state of a scope.
func (n *Node) Snapshot(m Moment, scope unwind.Scope) flow.Snapshot {
	return n.sched.Snapshot(flowScope(scope), nanos(m.Now))
}

// Explain says what an ordered call of a saga waits for; false where it is none, or
// where it is an action that is not in memory.
func (n *Node) Explain(m Moment, s *Snapshot, step int, dir unwind.Direction) (flow.Explanation, bool) {
	side := s.State.Side(step, dir)
	if !side.Ordered || s.Plan.Call(step, dir).Call == nil {
		return flow.Explanation{}, false
	}
	task := s.task(step, dir, side.NotBefore)
	if x, ok := n.sched.Explain(task.Key, nanos(m.Now)); ok || dir == unwind.Action {
		return x, ok
	}
	return n.sched.ExplainLeft(task, nanos(m.Now)), true
}

// Configure sets the limits of a scope as they are configured. What operators have
// set stands above them.
func (n *Node) Configure(m Moment, scope unwind.Scope, l Limits) {
	c := n.control(scope)
	c.configured = l
	if l.Hold > n.slowest {
		n.slowest = l.Hold
		for _, o := range n.controls {
			if !o.lane() {
				n.limit(m, o)
			}
		}
	}
	n.limit(m, c)
}

// lane reports whether it is a lane of a service.
func (c *control) lane() bool {
	return c.scope.Kind == unwind.ScopeForward || c.scope.Kind == unwind.ScopeCompensation
}

// ConfigureType sets the limits of a saga type and of its tenants, and takes those
// of tenants back that are not named.
func (n *Node) ConfigureType(m Moment, name string, l Limits, tenants []Tenant) {
	n.Configure(m, unwind.Scope{Kind: unwind.ScopeSagaType, Name: name}, l)
	for _, c := range n.controls {
		if c.scope.Kind == unwind.ScopeTenant && c.scope.Name == name && c.configured != (Limits{}) {
			n.Configure(m, c.scope, Limits{})
		}
	}
	for _, t := range tenants {
		n.Configure(m, unwind.Scope{Kind: unwind.ScopeTenant, Name: name, Tenant: t.Name}, t.Limits)
	}
}

// A Tenant is a tenant of a saga type with limits of its own.
type Tenant struct {
	Name string
	Limits
}

// limit puts the scope's limits into force.
func (n *Node) limit(m Moment, c *control) {
	l := c.settings.over(c.configured)
	if !c.lane() && !planted.On(planted.HoldLanesAlone) {
		l.Hold = n.slowest // any service's call may be out under it
	}
	if c.scope.Kind == unwind.ScopeGlobal && l.Burst == 0 {
		l.Burst = together(l.Rate)
	}
	n.sched.Configure(flowScope(c.scope), flowLimits(l), nanos(m.Now))
	if c.lane() {
		n.sched.SetBreaker(flowScope(c.scope).Target(), breakerModes[c.settings.Breaker()], nanos(m.Now))
	}
	if c.scope.Kind == unwind.ScopeSagaType || c.scope.Kind == unwind.ScopeTenant {
		n.sched.Weight(flowScope(c.scope), max(l.Weight, 1))
	}
}

// together is the burst of all compensations at the rate that holds for them. No service
// sees this scope, so that what a late timer kept back may go at once: at 5,000 a second
// two calls are less than that.
func together(r unwind.Rate) int {
	const late = 10 * time.Millisecond
	return max(unwind.DefaultBurst, int(r.CallsPerSecond()*late.Seconds()))
}

var breakerModes = map[unwind.BreakerMode]flow.BreakerMode{
	unwind.BreakerAuto: flow.BreakerAuto, unwind.BreakerOpen: flow.BreakerOpen, unwind.BreakerClosed: flow.BreakerClosed,
}

func flowLimits(l Limits) flow.Limits {
	return flow.Limits{
		Rate: flow.Rate{N: l.Rate.Calls, Per: int64(l.Rate.Per)}, Concurrency: l.Concurrency, Burst: l.Burst,
		Window: flow.Rate{N: l.Window.Calls, Per: int64(l.Window.Per)}, Hold: int64(l.Hold), Adaptive: l.Adaptive, Strict: l.Strict, HintCap: int64(l.HintCap),
		Breaker: flow.Breaker{Failures: l.Breaker.Failures, Minimum: l.Breaker.Minimum, Open: int64(l.Breaker.Open)},
	}
}

// SetControl changes a control. A pause holds from now on, everything else once it
// is durable; the reply comes then.
func (n *Node) SetControl(m Moment, c ControlChange) {
	if c.OpenGate {
		n.sched.OpenGate(flowScope(c.Control.Scope).Target(), nanos(m.Now))
	} else {
		n.write(m, c.Control)
	}
	b := n.building
	if c.Audit != nil {
		b.rows.Audit = append(b.rows.Audit, *c.Audit)
	}
	b.controls = append(b.controls, c.Token)
}

// write puts a control into the next batch.
func (n *Node) write(m Moment, set store.Control) {
	n.later(m, &set)
	n.building.rows.Controls = append(n.building.rows.Controls, set)
}

// force puts a control into force that is durable.
func (n *Node) force(m Moment, set *store.Control) {
	c := n.control(set.Scope)
	s, err := DecodeSettings(set.Settings)
	key := alarm.Key(unwind.AlertStuck, "limits", set.Scope.String())
	if err == nil && c.unread {
		n.alert(store.Alert{At: int64(m.Now), Key: key, Ends: true, Message: "the limits that an operator set at " + set.Scope.String() + " are in force"})
	}
	if c.unread = err != nil; c.unread {
		n.alert(store.Alert{At: int64(m.Now), Kind: unwind.AlertStuck, Key: key, Message: "the limits that an operator set at " + set.Scope.String() + " are not in force: " + err.Error() + "; set them again"})
	}
	c.set, c.settings, c.ending = *set, s, false
	if p := pauseOf(set, &s); p != nil {
		n.pause(m, c, p)
	} else {
		n.resume(m, c)
	}
	n.limit(m, c)
	n.endsAt(s.Next())
}

// later puts a control back in its place that is about to be durable.
func (n *Node) later(m Moment, set *store.Control) {
	c := n.control(set.Scope)
	c.set = *set
	_, s := n.Control(set.Scope)
	if p := pauseOf(set, &s); p != nil {
		n.pause(m, c, p)
	}
}

// endsAt notes when settings end.
func (n *Node) endsAt(at machine.Micros) {
	if at > 0 && (n.expiry == 0 || at < n.expiry) {
		n.expiry = at
	}
}

// expire takes back the settings whose time is over, unless others are on their way.
func (n *Node) expire(m Moment) {
	if n.expiry == 0 || m.Now < n.expiry || planted.On(planted.EndNever) {
		return
	}
	n.expiry = 0
	for _, c := range n.controls {
		at := c.settings.Next()
		if c.ending {
			continue
		}
		if at == 0 || m.Now < at {
			n.endsAt(at)
			continue
		}
		c.ending = true
		set, s := n.Control(c.scope)
		ended := s.End(m.Now)
		if len(ended) == 0 {
			continue
		}
		set.Settings = s.Encode()
		n.write(m, set)
		for i := range ended {
			gone := Settings{Changes: ended[i : i+1]}
			n.building.rows.Audit = append(n.building.rows.Audit, store.Audit{
				At: int64(m.Now), Actor: "unwind", Action: "expire", Target: c.scope.String(), Reason: ended[i].Reason, Data: gone.Encode()})
		}
	}
}

// controlsSet: the controls in a batch are durable. What was asked for since stands
// above them, and a pause of it holds already.
func (n *Node) controlsSet(m Moment, b *batch) {
	for i := range b.rows.Controls {
		c := &b.rows.Controls[i]
		latest := n.control(c.Scope).set
		if slices.ContainsFunc(b.rows.Controls[i+1:], func(o store.Control) bool { return o.Scope == c.Scope }) {
			continue
		}
		later := slices.ContainsFunc(n.building.rows.Controls, func(o store.Control) bool { return o.Scope == c.Scope })
		if later && planted.On(planted.WaitForLater) {
			continue
		}
		if n.force(m, c); later {
			n.later(m, &latest)
		}
	}
	for _, token := range b.controls {
		n.out.Replies = append(n.out.Replies, Reply{Token: token})
	}
}

var scopeKinds = [...]unwind.ScopeKind{
	flow.ScopeAll: unwind.ScopeGlobal, flow.ScopeForward: unwind.ScopeForward,
	flow.ScopeCompensation: unwind.ScopeCompensation, flow.ScopeSagaType: unwind.ScopeSagaType,
	flow.ScopeTenant: unwind.ScopeTenant,
}

// storeScope returns the name under which the store keeps a scope.
func storeScope(s flow.Scope) unwind.Scope {
	return unwind.Scope{Kind: scopeKinds[s.Kind], Name: s.Name, Tenant: s.Tenant}
}

// known reports whether flow control has scopes of the kind.
func known(s unwind.Scope) bool { return slices.Contains(scopeKinds[:], s.Kind) }

// flowScope is the reverse of storeScope.
func flowScope(s unwind.Scope) flow.Scope {
	return flow.Scope{Kind: flow.ScopeKind(slices.Index(scopeKinds[:], s.Kind)), Name: s.Name, Tenant: s.Tenant}
}
