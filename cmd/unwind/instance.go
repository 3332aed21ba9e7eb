package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/unwindhq/unwind"
)

// writeInstance draws a saga for people.
func writeInstance(w io.Writer, inst *unwind.Instance) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	p("%s  %s  key %s  %s\n", inst.ID, printable(inst.Saga), orDash(printable(inst.Key)), inst.Status)
	p("begun %s, last change %s\n", when(inst.CreatedAt), when(inst.UpdatedAt))
	if c := inst.Cancelled; c != nil {
		p("cancelled by %s at %s: %s\n", printable(c.By), when(c.At), printable(orDash(c.Reason)))
	}
	if inst.Purged {
		p("past its retention: its steps are deleted, and its key is kept\n")
	}
	width := len("undo") + 2 // the undoing of a step stands below it, two further in
	for _, s := range inst.Steps {
		width = max(width, runewidth.StringWidth(printable(s.Name)))
	}
	for _, s := range inst.Steps {
		p("  %s %s  %-13s  %s", mark(string(s.Status)), runewidth.FillRight(printable(s.Name), width), s.Status, attempts(s.Attempts, s.Throttled, s.Uncertain))
		if s.Error != nil {
			p("  %s", printable(callError(s.Error)))
		}
		p("\n")
		switch s.Status {
		case unwind.StepRunning:
			p("      %s\n", nextAttempt(s.Attempts, s.AttemptLimit, s.NextAt, s.WaitingFor))
		case unwind.StepAwaiting:
			p("      waits for %s%s\n", printable(s.WaitingFor), until(s.NextAt))
		}
		if s.CallToken != "" {
			p("      awaits POST /v1/calls/%s\n", s.CallToken)
		}
		if c := s.Compensation; c != nil && c.Status != unwind.CompensationNone {
			p("    ↩ %-*s  %-13s  %s", width-2, "undo", c.Status, attempts(c.Attempts, c.Throttled, c.Uncertain))
			if c.Error != nil {
				p("  %s", printable(callError(c.Error)))
			}
			p("\n")
			if c.Status == unwind.CompensationQueued || c.Status == unwind.CompensationRunning {
				p("      %s\n", nextAttempt(c.Attempts, c.AttemptLimit, c.NextAt, c.WaitingFor))
			}
		}
	}
}

// nextAttempt says which attempt comes, when, and what it waits for.
func nextAttempt(made, limit int, at *unwind.Time, waiting string) string {
	text := fmt.Sprintf("attempt %d of %d", made+1, limit)
	switch {
	case at == nil && waiting == "":
		return text + " is under way"
	case at != nil:
		text += " at " + when(*at)
	default:
		text += " waits"
	}
	if waiting != "" {
		text += ": " + printable(waiting)
	}
	return text
}

// until says when a wait ends, where that is known.
func until(t *unwind.Time) string {
	if t == nil {
		return ""
	}
	return ", until " + when(*t)
}

func mark(status string) string {
	switch status {
	case "succeeded":
		return "✓"
	case "failed":
		return "✗"
	case "running", "awaiting":
		return "…"
	}
	return "·"
}

func attempts(n, throttled int, uncertain bool) string {
	text := fmt.Sprintf("attempts %d", n)
	if throttled > 0 {
		text += fmt.Sprintf(", throttled %d", throttled)
	}
	if uncertain {
		text += ", uncertain"
	}
	return text
}

func callError(e *unwind.CallError) string {
	if e.Status == 0 {
		return fmt.Sprintf("[%s] %s", e.Class, e.Message)
	}
	return fmt.Sprintf("[%d %s] %s", e.Status, e.Class, e.Message)
}

// progress says how far a saga came: a mark per step.
func progress(i *unwind.Instance) string {
	var b strings.Builder
	for _, s := range i.Steps {
		switch {
		case s.Compensation != nil && (s.Compensation.Status == unwind.CompensationCompensated || s.Compensation.Status == unwind.CompensationResolved):
			b.WriteString("↩")
		case s.Compensation != nil && s.Compensation.Status == unwind.CompensationDeadLettered:
			b.WriteString("†")
		default:
			b.WriteString(mark(string(s.Status)))
		}
	}
	return b.String()
}
