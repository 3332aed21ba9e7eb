package history

import (
	"fmt"

	"github.com/unwindhq/unwind"
)

// A History is what happened, as three parties wrote it down. The lines of one
// writer are in the order in which it wrote them.
type History struct {
	// Client has the calls to the engine and their answers.
	Client []Line
	// Participants has the calls that came in and how they were answered.
	Participants []Line
	// Engine has the journal, the audit rows and the alerts.
	Engine []Line
	Definitions
}

// Definitions is what the lines are judged against; in a folder definitions.json.
type Definitions struct {
	// Sagas by name, or by name@version where a version differs.
	Sagas map[string]*unwind.Definition `json:"sagas"`
	// Services by name. One that is missing has the defaults.
	Services map[string]Service `json:"services,omitempty"`
	Options  Options            `json:"options,omitzero"`
}

// A Service is a participant as far as a history is judged. Limits that are not
// declared are not judged.
type Service struct {
	unwind.Participant
	// Unlogged: nobody wrote down what this participant saw, so that the engine's
	// word stands. The service "" stands for Go functions.
	Unlogged bool `json:"unlogged,omitempty"`
}

// Options are the allowances of a history. The zero value allows nothing.
type Options struct {
	// Complete: the history was written until nothing was left to do, so that
	// what is not at rest never comes to rest.
	Complete bool `json:"complete,omitempty"`
	// Skew is by how much two writers' times may differ: their clocks, and the
	// time between an event and its line.
	Skew unwind.Duration `json:"skew,omitempty"`
	// InFlight is how long after the turn back or the end a call may still come
	// in at a participant: the network holds it, or the process that sends it was
	// paused and replaced. Zero: the settle time of the service, and no pauses.
	InFlight unwind.Duration `json:"in_flight,omitempty"`
	// Slack is how much closer two calls may come in than they left, where a
	// lane's limits are judged.
	Slack unwind.Duration `json:"slack,omitempty"`
	// KeyRetention is how long a request key names one saga. Zero: for ever.
	KeyRetention unwind.Duration `json:"key_retention,omitempty"`
}

func micros(d unwind.Duration) Micros { return Micros(d / 1000) }

// check says what is wrong with a line, of the log that is named.
func (l *Line) check(log string) error {
	switch {
	case l.Event == Cut:
		return nil
	case log == "engine" && l.Event != Invoke && l.Event != Return:
		return l.checkEngine()
	case l.Event != Invoke && l.Event != Return:
		return fmt.Errorf("event %q does not belong in the %s's log; write invoke, return or cut", l.Event, log)
	}
	switch l.Outcome {
	case OK, Fail, Unknown:
	case "":
		if l.Event == Return {
			return fmt.Errorf("a return needs an outcome: ok, fail or unknown")
		}
	default:
		return fmt.Errorf("outcome %q is not known; write ok, fail or unknown", l.Outcome)
	}
	if log == "client" {
		if l.Op == "" {
			return fmt.Errorf("a client's line needs op, as in start")
		}
		return nil
	}
	return l.checkPlace()
}

func (l *Line) checkPlace() error {
	if l.Saga == "" || l.Step == "" {
		return fmt.Errorf("a call needs saga and step")
	}
	if l.Direction != unwind.Action && l.Direction != unwind.Compensation {
		return fmt.Errorf("direction %q is not known; write action or compensation", l.Direction)
	}
	return nil
}

func (l *Line) checkEngine() error {
	switch l.Event {
	case Audit:
		if l.Op == "" {
			return fmt.Errorf("an audit line needs op, as in replay")
		}
		return nil
	case Alert:
		return nil
	case Journal:
	default:
		return fmt.Errorf("event %q is not known; the engine writes journal, audit, alert, cut, invoke and return", l.Event)
	}
	if l.Saga == "" || l.Seq < 1 {
		return fmt.Errorf("a journal line needs saga and seq, counted from 1")
	}
	switch l.Kind {
	case unwind.EntrySagaStarted:
		if l.Name == "" {
			return fmt.Errorf("saga_started needs name, the definition's")
		}
	case unwind.EntrySagaEnded:
		if !l.data().Ended.AtRest() {
			return fmt.Errorf("saga_ended needs data.status: completed, compensated or dead_lettered, not %q", l.data().Ended)
		}
	case unwind.EntrySagaCompensating, unwind.EntryLateAnswer, unwind.EntryTimerFired, unwind.EntrySignalReceived, unwind.EntryCancelRequested:
	case unwind.EntryActionOrdered, unwind.EntryActionSucceeded, unwind.EntryActionFailed, unwind.EntryActionThrottled, unwind.EntryActionAwaiting,
		unwind.EntryCompensationOrdered, unwind.EntryCompensationSucceeded, unwind.EntryCompensationFailed, unwind.EntryCompensationThrottled, unwind.EntryCompensationAwaiting:
		return l.checkPlace()
	case unwind.EntryDeadLettered, unwind.EntryReplayed, unwind.EntryResolved, unwind.EntryReopened:
		return l.checkPlace()
	default:
		return fmt.Errorf("kind %q is not known", l.Kind)
	}
	return nil
}
