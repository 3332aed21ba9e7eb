package machine

import (
	"fmt"
	"strings"
	"time"

	"github.com/unwindhq/unwind"
)

// show prints a transition: its entries, its effects (->), where the saga stands
// now (=), and its next timer (~).
func (s *session) show(t Transition) string {
	var out strings.Builder
	for i := range t.Entries {
		out.WriteString(s.entry(&t.Entries[i]))
	}
	for i := range t.Effects {
		out.WriteString(s.effect(t.Effects[i]))
	}
	if len(t.Entries)+len(t.Effects) == 0 {
		out.WriteString("nothing to do\n")
	}
	return out.String() + s.standing()
}

func (s *session) clock() string { return s.since(s.now) }

func (s *session) since(t Micros) string { return "+" + (time.Duration(t-begin) * 1000).String() }

// callName is how a direction of a step is written: charge, refund.
func (s *session) callName(step int, dir unwind.Direction) string {
	if step < 0 {
		return ""
	}
	if dir == unwind.Compensation {
		return " " + s.plan.Steps[step].Undo.Call.Path[1:]
	}
	return " " + s.plan.Steps[step].Name
}

func (s *session) entry(e *Entry) string {
	text := fmt.Sprintf("%s %s%s", s.since(e.At), e.Kind, s.callName(e.Step, e.Dir))
	add := func(on bool, format string, args ...any) {
		if on {
			text += " " + fmt.Sprintf(format, args...)
		}
	}
	add(e.Attempt > 0, "#%d", e.Attempt)
	add(e.Generation > 0, "generation %d", e.Generation)
	add(e.Ask, "ask")
	add(e.Status > 0, "%d", e.Status)
	add(e.Class != "", "%s", e.Class)
	add(e.Counted, "counted")
	add(e.Executed, "may_have_executed")
	add(e.As != "", "as %s", e.As)
	add(e.NotBefore > e.At, "not before %s", s.since(e.NotBefore))
	add(e.Actor != "", "by %s: %s", e.Actor, e.Reason)
	add(e.NewKey, "new key")
	add(e.Evidence != "", "evidence: %s", e.Evidence)
	add(e.Message != "", "%q", e.Message)
	add(e.Group != "", "group %s", e.Group)
	add(e.Output != nil, "output %s", e.Output)
	return text + "\n"
}

func (s *session) effect(e Effect) string {
	name := s.callName(e.Step, e.Dir)
	switch e.Kind {
	case CallAction, QueueCompensation:
		verb := map[EffectKind]string{CallAction: "call", QueueCompensation: "queue"}[e.Kind]
		if e.Ask {
			verb = "ask about"
		}
		text := fmt.Sprintf("-> %s%s #%d key %s", verb, name, e.Attempt, Key(s.facts.ID, s.plan.Steps[e.Step].Name, e.Dir, e.Generation))
		if e.NotBefore > s.now {
			text += " not before " + s.since(e.NotBefore)
		}
		return text + "\n"
	case WithdrawAction:
		return fmt.Sprintf("-> withdraw%s #%d\n", name, e.Attempt)
	case DropCompensation:
		return fmt.Sprintf("-> drop%s\n", name)
	case OpenDeadLetter:
		return fmt.Sprintf("-> open dead letter%s: %d %s %q\n", name, e.Error.Status, e.Error.Class, e.Error.Message)
	case MoveDeadLetter:
		return fmt.Sprintf("-> move dead letter%s: %s\n", name, e.State)
	default:
		return fmt.Sprintf("-> alert %s: %s\n", e.Alert, e.Message)
	}
}

// standing prints the state: each step, and its compensation if it has one to make.
func (s *session) standing() string {
	text := "= " + s.state.Phase.String()
	if s.state.Cancelling {
		text += ", cancelling"
	}
	for i := range s.state.Steps {
		st := &s.state.Steps[i]
		text += fmt.Sprintf("; %s %s%s", s.plan.Steps[i].Name, st.Status.Status(), counts(&st.Action))
		if st.Dead {
			text += " dead"
		}
		if st.Comp != CompNone {
			text += fmt.Sprintf(", %s %s%s", strings.TrimSpace(s.callName(i, unwind.Compensation)), st.Comp.Status(), counts(&st.Undo))
		}
	}
	text += "\n"
	if timer, ok := NextTimer(s.plan, &s.state); ok {
		text += "~ " + timer.Kind.String()
		if timer.Kind == TimerFired {
			text += s.callName(timer.Step, timer.Dir)
		}
		text += " " + s.since(timer.At) + "\n"
	}
	return text
}

func counts(s *Side) (text string) {
	if s.Attempts > 0 {
		text += fmt.Sprintf(" %d", s.Attempts)
	}
	if s.Throttled > 0 {
		text += fmt.Sprintf(" throttled %d", s.Throttled)
	}
	if s.Uncertain {
		text += " uncertain"
	}
	return text
}
