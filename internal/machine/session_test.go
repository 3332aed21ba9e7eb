package machine

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/unwindhq/unwind"
)

// begin is when every transcript starts; times are shown as distances from it.
const begin Micros = 1_700_000_000_000_000

// roundTrip is how long an answer takes.
const roundTrip Micros = 10_000

// A session is a saga under the commands of a transcript. Calls are sent as soon
// as they may be; the clock follows.
type session struct {
	plan   *Plan
	state  State
	facts  Facts
	now    Micros
	resent map[*PlanCall]bool // ordered when the process ended
}

func (s *session) run(command string, body []string) string {
	verb, rest, _ := strings.Cut(command, " ")
	args := strings.Fields(rest)
	switch verb {
	case "saga":
		return s.define(args[0], body)
	case "wait":
		s.now += micros(duration(args[0]))
		return s.clock() + "\n"
	case "body":
		step, dir := s.call(args[0])
		return Key(s.facts.ID, s.plan.Steps[step].Name, dir, s.state.Side(step, dir).Generation) + "\n" +
			string(Body(s.plan, &s.facts, &s.state, step, dir)) + "\n"
	case "crash":
		return s.crash()
	}
	times := 1
	if n := len(args); n > 1 && args[n-2] == "times" {
		times, args = atoi(args[n-1]), args[:n-2]
	}
	var out string
	for range times {
		ev := s.event(verb, args)
		ev.At = s.now
		t, err := Next(s.plan, s.state, ev)
		if err != nil {
			return fmt.Sprintf("%s: %v\n", unwind.CodeOf(err), err)
		}
		s.remember(t.Entries)
		s.state = t.State
		out = s.show(t)
	}
	return out
}

func (s *session) define(name string, lines []string) string {
	plan, err := parsePlan(name, lines)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	*s = session{plan: plan, now: begin, facts: Facts{ID: "saga-1", Key: "ORD-1", Input: json.RawMessage(`{"amount":12345678901234567890.10}`), Outputs: make([]json.RawMessage, len(plan.Steps))}}
	return "ok\n"
}

// crash ends the process: the state is read back, and what was ordered is made
// again; actions of a saga that has turned back are lost.
func (s *session) crash() string {
	var err error
	if s.state, err = DecodeState(AppendState(nil, &s.state)); err != nil {
		return err.Error() + "\n"
	}
	s.resent = map[*PlanCall]bool{}
	var out strings.Builder
	for _, e := range Outstanding(&s.state, nil) {
		s.resent[s.plan.Call(e.Step, e.Dir)] = true
		out.WriteString(s.effect(e))
	}
	return out.String() + s.standing()
}

// remember keeps the outputs that the journal holds.
func (s *session) remember(entries []Entry) {
	for _, e := range entries {
		if e.Output != nil && (e.Kind == unwind.EntryActionSucceeded || e.Kind == unwind.EntryResolved) {
			s.facts.Outputs[e.Step] = e.Output
		}
	}
}

// call finds a step and a direction by the name of its call.
func (s *session) call(name string) (int, unwind.Direction) {
	for i := range s.plan.Steps {
		if s.plan.Steps[i].Name == name {
			return i, unwind.Action
		}
		if u := &s.plan.Steps[i].Undo; u.Exists && u.Call.Path == "/"+name {
			return i, unwind.Compensation
		}
	}
	panic("no call " + name)
}

// event makes the event of a command and moves the clock to when it happens.
func (s *session) event(verb string, args []string) Event {
	switch verb {
	case "start":
		return Event{Kind: Started}
	case "timer":
		timer, ok := NextTimer(s.plan, &s.state)
		if !ok {
			panic("no timer")
		}
		s.now = max(s.now, timer.At)
		return Event{Kind: timer.Kind, Step: timer.Step, Dir: timer.Dir}
	case "cancel":
		return Event{Kind: CancelRequested, Actor: "ann", Reason: "changed my mind"}
	}
	ev := Event{}
	ev.Step, ev.Dir = s.call(args[0])
	side := s.state.Side(ev.Step, ev.Dir)
	ev.Attempt, ev.Generation = side.Attempts+1, side.Generation
	switch verb {
	case "answer", "status":
		s.now = max(s.now, side.NotBefore)
		call := s.plan.Call(ev.Step, ev.Dir)
		ev.SentAt, ev.Resent = s.now, s.resent[call]
		delete(s.resent, call)
		s.now += roundTrip
		ev.Kind, ev.Answer = Answered, s.answer(&ev, args[1:])
		if verb == "status" {
			ev.Kind = StatusAnswered
		}
	case "late":
		ev.Kind, ev.Attempt = Answered, uint32(atoi(args[1]))
		ev.Answer = s.answer(&ev, args[2:])
	case "early":
		ev.Kind = TimerFired
	case "withdrawn":
		ev.Kind = Withdrawn
	case "lost":
		ev.Kind = Lost
	case "signal":
		ev.Kind, ev.Actor, ev.Output = Signalled, "ann", json.RawMessage(args[1])
	case "complete":
		ev.Kind = CallCompleted
		ev.Answer = s.answer(&ev, args[1:])
		ev.Output = ev.Answer.Output
	case "replay":
		ev.Kind, ev.Actor, ev.Reason = Replayed, "ann", "fixed"
		if len(args) > 1 {
			ev.NewKey, ev.Evidence = args[1] == "new_key", strings.Join(args[2:], " ")
		}
	case "resolve":
		ev.Kind, ev.Actor, ev.Reason, ev.Evidence = Resolved, "ann", "settled by hand", "ticket 7"
		if len(args) > 1 {
			ev.As = args[1]
		}
		if len(args) > 2 {
			ev.Output = json.RawMessage(args[2])
		}
	case "hasten":
		ev.Kind, ev.Actor, ev.Reason = Hastened, "ann", "is it there?"
	case "reopen":
		ev.Kind, ev.Actor, ev.Reason = Reopened, "ann", "the slip was of another order"
	default:
		panic("unknown command " + verb)
	}
	return ev
}

// answer reads an answer: a status, a fault or an outcome, then an output, a
// Retry-After or a message.
func (s *session) answer(ev *Event, args []string) (a Answer) {
	switch word := args[0]; word {
	case "timeout":
		a.Fault, a.Message = FaultTimeout, "no answer in time"
		s.now += s.plan.Call(ev.Step, ev.Dir).Timeout - roundTrip
	case "broken":
		a.Fault = FaultBroken
	case "not_sent":
		a.Fault, a.Message = FaultNotSent, "connection refused"
	case "done":
		a.Outcome = OutcomeDone
	case "refused", "not_done":
		a.Outcome = OutcomeRefused
	case "in_progress":
		a.Outcome = OutcomeInProgress
	case "unreachable":
		a.Message = "the status path could not be asked"
	default:
		a.Status = atoi(word)
	}
	for i := 1; i < len(args); i++ {
		switch {
		case args[i] == "retry_after":
			i++
			a.Hint = micros(duration(args[i]))
		case args[i][0] == '"' && a.Status >= 300:
			a.Message = strings.Trim(strings.Join(args[i:], " "), `"`)
			return a
		default:
			a.Output = json.RawMessage(args[i])
		}
	}
	return a
}
