package sim

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/sagatest/history"
	"github.com/unwindhq/unwind/store"
)

// openGate has the gate of a lane opened, the first one from a service on that is closed. What
// closes it from then on counts, whenever it opens.
func (w *world) openGate(p *process, from int) {
	for n := range 2 * services {
		service, dir := (from+n/2)%services, n%2
		l := &p.lanes[service][dir]
		if l.closed <= w.now || kinds[service].name == "" {
			continue
		}
		req := unwind.ControlRequest{Scope: unwind.Scope{Kind: unwind.ScopeKind(laneNames[dir]), Name: kinds[service].name}, OpenGate: true, Actor: "operator", Reason: "it asked for too long"}
		closes := -1
		w.request(p, func(m node.Moment, t node.Token) {
			a, err := p.node.Alter(m, &req)
			if err != nil {
				p.tokens[t](node.Reply{Err: err}, false)
				delete(p.tokens, t)
				return
			}
			l.closed, closes = 0, l.closes
			a.Token, a.Audit = t, &store.Audit{At: int64(m.Now), Actor: req.Actor, Action: a.Action, Target: req.Scope.String(), Reason: req.Reason}
			p.node.SetControl(m, a.ControlChange)
		}, func(r node.Reply, lost bool) {
			w.tracef("the gate of %s is opened: %v lost=%v", req.Scope, r.Err, lost)
			if now := p.moment0(); r.Err == nil && !lost && closes == l.closes && p.node.Snapshot(node.Moment{Now: now}, req.Scope).Closed > int64(now)*1000 {
				w.fail(history.G10, "", "the gate of %s was opened, nothing has closed it since, and it is closed", req.Scope)
			}
		})
		return
	}
}
