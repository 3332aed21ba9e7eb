package node

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// A backlog couples new sagas to the compensations that wait for a service they
// would need: forward work that could not be undone in time is shed, or held.
type backlog struct {
	service string
	unwind.Backlog
	oldest machine.Micros // when the oldest compensation was queued; 0: none waits
}

// late reports whether the service's oldest compensation is older than its objective.
func (b *backlog) late(now machine.Micros) bool {
	return b.Objective > 0 && b.oldest > 0 && now-b.oldest > machine.Micros(b.Objective/1000)
}

// SetBacklog says what new sagas do while compensations of a service are late.
func (n *Node) SetBacklog(service string, b unwind.Backlog) {
	if b.Objective > 0 {
		n.backlogs = append(n.backlogs, &backlog{service: service, Backlog: b})
	}
}

// Depths tells how old the compensations are that wait. It is called about once a
// second where a service has a backlog to keep.
func (n *Node) Depths(m Moment, rows []store.QueueDepth) {
	for _, b := range n.backlogs {
		if !planted.On(planted.KeepLate) {
			b.oldest = 0
		}
		for i := range rows {
			if q := &rows[i]; q.Target == b.service && q.Oldest > 0 && (b.oldest == 0 || machine.Micros(q.Oldest) < b.oldest) {
				b.oldest = machine.Micros(q.Oldest)
			}
		}
	}
	n.letGo(m)
}

// lateFor returns the backlog that is late and that sagas of the plan would add to;
// nil: none is.
func (n *Node) lateFor(p *machine.Plan, hold bool, now machine.Micros) *backlog {
	for _, b := range n.backlogs {
		if (b.Policy == unwind.HoldStarts) != hold || !b.late(now) {
			continue
		}
		for i := range p.Steps {
			if p.Steps[i].Undo.Exists && p.Call(i, unwind.Compensation).Service == b.service {
				return b
			}
		}
	}
	return nil
}

// Late returns what new sagas that might need a service's undo lane are up against;
// nil: its compensations are in time.
func (n *Node) Late(m Moment, service string) *unwind.Backlog {
	for _, b := range n.backlogs {
		if b.service == service && b.late(m.Now) {
			return &unwind.Backlog{Objective: b.Objective, Policy: cmp.Or(b.Policy, unwind.ShedStarts)}
		}
	}
	return nil
}

// shed refuses a start that would need an undo lane that is late.
func (n *Node) shed(m Moment, p *machine.Plan) error {
	b := n.lateFor(p, false, m.Now)
	if b == nil && (2*len(n.held) >= n.cfg.MaxActive || 2*n.bytes >= n.cfg.MaxBytes) {
		b = n.lateFor(p, true, m.Now) // the rest of the memory is for sagas that go on
	}
	if b == nil {
		return nil
	}
	if planted.On(planted.IgnoreBacklog) {
		return nil
	}
	err := unwind.Errorf(unwind.Overloaded,
		"starting a saga of type %s: the oldest compensation that waits for service %s is %s old and its objective is %s; new sagas that might need it are refused until the backlog is worked off, try again later",
		p.Name, b.service, unwind.Duration(m.Now-b.oldest)*1000/unwind.Second*unwind.Second, b.Objective)
	err.RetryAfter = min(max(b.Objective/4, unwind.Second), unwind.Minute)
	return err
}

// holds reports whether an order is to wait because its saga has done nothing yet and
// would need an undo lane that is late.
func (n *Node) holds(m Moment, sg *saga, e *machine.Effect) bool {
	if len(n.backlogs) == 0 || e.Dir != unwind.Action || sg.State.Phase != machine.Running || !sg.untouched() || n.lateFor(sg.Plan, true, m.Now) == nil {
		return false
	}
	if !sg.held {
		sg.held = true
		sg.pins++
		n.held = append(n.held, sg)
	}
	return true
}

// untouched reports whether no participant has answered anything for the saga yet. Its
// delays and signals may have begun or be over.
func (s *saga) untouched() bool {
	for i := range s.State.Steps {
		if s.Plan.Steps[i].Kind != unwind.ActionStep && !planted.On(planted.HoldActionsAlone) {
			continue
		}
		st := &s.State.Steps[i]
		if a := &st.Action; a.Attempts+a.Throttled+a.Waits > 0 || a.Uncertain || st.Status != machine.StepPending && st.Status != machine.StepRunning {
			return false
		}
	}
	return true
}

// letGo makes the orders of held sagas whose lanes are in time again, in the order of
// their starts: a restart reads them in another one.
func (n *Node) letGo(m Moment) {
	slices.SortFunc(n.held, func(a, b *saga) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	kept := n.held[:0]
	for _, sg := range n.held {
		if n.sagas[sg.ID] == sg && sg.State.Phase == machine.Running && n.lateFor(sg.Plan, true, m.Now) != nil {
			kept = append(kept, sg)
			continue
		}
		sg.held = false
		sg.pins--
		sg.behind = !planted.On(planted.ForgetHeld)
		n.catchUp(m, sg)
		n.release(sg)
	}
	clear(n.held[len(kept):])
	n.held = kept
}

// HeldFor names the service whose backlog holds a saga back; empty: none does.
func (n *Node) HeldFor(m Moment, saga [16]byte) string {
	sg := n.sagas[saga]
	if sg == nil || !sg.held {
		return ""
	}
	if b := n.lateFor(sg.Plan, true, m.Now); b != nil {
		return b.service
	}
	return ""
}
