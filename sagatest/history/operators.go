package history

import (
	"cmp"
	"strings"

	"github.com/unwindhq/unwind"
)

// actOps are the acts of operators and the entries that they leave.
var actOps = map[string]string{
	OpCancel: "turn back", OpSend: "order", OpReplay: unwind.EntryReplayed, OpResolve: unwind.EntryResolved, OpReopen: unwind.EntryReopened,
}

// opOf is the operator's act that an entry stands for, or "".
func opOf(l *Line) string {
	switch l.Kind {
	case unwind.EntryReplayed:
		return OpReplay
	case unwind.EntryResolved:
		return OpResolve
	case unwind.EntryReopened:
		return OpReopen
	case unwind.EntryActionOrdered, unwind.EntryCompensationOrdered:
		if l.data().Actor != "" {
			return OpSend
		}
	case unwind.EntrySagaCompensating, unwind.EntryCancelRequested:
		if strings.HasPrefix(cmp.Or(l.data().Cause, l.data().As), "cancel") {
			return OpCancel
		}
	}
	return ""
}

// checkAudit: every act of an operator has an audit row of its own (G14).
func (c *checker) checkAudit(s *saga) {
	if s.holed || s.cutOff || len(s.acts) == 0 {
		return
	}
	used := make([]bool, len(s.audits))
	cancelled := false
	for _, a := range s.acts {
		op := opOf(a)
		if op == "" || op == OpCancel && cancelled {
			continue
		}
		cancelled = cancelled || op == OpCancel // asked for, then carried out: one act
		if !s.audited(a, op, used) {
			c.saga(G14, s, []*Line{a}, "the %s of the saga%s has no audit row", op, of(a.Step))
		}
	}
}

func of(step string) string {
	if step == "" {
		return ""
	}
	return " at " + step
}

func (s *saga) audited(act *Line, op string, used []bool) bool {
	for i, l := range s.audits {
		if used[i] || l.Op != op || l.Step != "" && act.Step != "" && l.Step != act.Step || l.Direction != "" && act.Direction != "" && l.Direction != act.Direction {
			continue
		}
		used[i] = true
		return true
	}
	return false
}

// checkLiveness: in a complete history every saga is at rest, and every dead
// letter was told.
func (c *checker) checkLiveness(s *saga) {
	if !c.h.Options.Complete || s.holed || s.cutOff {
		return
	}
	if !s.stands().AtRest() {
		var last *Line
		if n := len(s.journal); n > 0 {
			last = s.journal[n-1]
		}
		c.saga(Liveness, s, []*Line{last}, "the history is complete and the saga is still %s", s.stands())
	}
	for _, l := range s.journal {
		if l.Kind == unwind.EntryDeadLettered && !c.alerted(s, l) {
			c.saga(Liveness, s, []*Line{l}, "no alert tells of the dead letter at %s", l.Step)
			return
		}
	}
}

// alerted looks for an alert on the saga (and step, where it names one) or on
// the dead letter's group.
func (c *checker) alerted(s *saga, dead *Line) bool {
	for _, l := range s.alerts {
		if l.Kind != "" && l.Kind != unwind.AlertDeadLetter {
			continue
		}
		if l.Step == "" || l.Step == dead.Step {
			return true
		}
	}
	group := dead.data().Group
	if group == "" {
		return false
	}
	for i := range c.h.Engine {
		l := &c.h.Engine[i]
		if l.Event != Alert || l.data().Group != group {
			continue
		}
		if over := l.data().Over; l.T+c.skew >= dead.T || over == 0 || over+c.skew >= dead.T {
			return true // it fired then, or did later
		}
	}
	return false
}
