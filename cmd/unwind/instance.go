package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/unwindhq/unwind"
)

// writeInstance draws a saga for people.
func writeInstance(w io.Writer, inst *unwind.Instance) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	p("%s  %s  key %s  %s\n", inst.ID, inst.Saga, orDash(inst.Key), inst.Status)
	p("begun %s, last change %s\n", when(inst.CreatedAt), when(inst.UpdatedAt))
	for _, s := range inst.Steps {
		p("  %s %-20s %-10s %s", mark(string(s.Status)), printable(s.Name), s.Status, attempts(s.Attempts, s.Throttled, s.Uncertain))
		if s.Error != nil {
			p("  %s", printable(callError(s.Error)))
		}
		p("\n")
		if s.CallToken != "" {
			p("      awaits POST /v1/calls/%s\n", s.CallToken)
		}
		if c := s.Compensation; c != nil && c.Status != unwind.CompensationNone {
			p("    ↩ %-19s %-14s %s", "undo", c.Status, attempts(c.Attempts, c.Throttled, c.Uncertain))
			if c.Error != nil {
				p("  %s", printable(callError(c.Error)))
			}
			if c.WaitingFor != "" {
				p("  waits for %s", printable(c.WaitingFor))
			}
			p("\n")
		}
	}
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
