package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/unwindhq/unwind"
)

// An Error holds every fault of a file, warnings among them, in the order of
// the file.
type Error struct {
	Faults []unwind.Fault
}

// Error returns the faults, one a line, as [Format] writes them.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = Format(f)
	}
	return strings.Join(lines, "\n")
}

// refuses returns an Error where a fault is more than a warning, else nil.
func refuses(faults []unwind.Fault) error {
	if slices.ContainsFunc(faults, func(f unwind.Fault) bool { return !f.Warning }) {
		return &Error{Faults: faults}
	}
	return nil
}

// Format writes a fault as a compiler does, with what is known of its place:
//
//	unwind.yaml:12:9: sagas.place-order.steps[1].action.service: the service "paymets" is not declared
//	unwind.yaml:14:5: warning: services.payments: …
func Format(f unwind.Fault) string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
		}
		b.WriteString(": ")
	}
	if strings.HasPrefix(f.File, "--") {
		f.Pointer = "" // the flag says it
	}
	if f.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(f.String())
	return b.String()
}

// clip shortens what a file says to what a message can hold.
func clip(s string) string {
	const longest = 80
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}

// inOrder sorts faults as they stand in the file and drops repetitions, which
// aliases bring about. What stands in no file comes first.
func inOrder(faults []unwind.Fault) []unwind.Fault {
	slices.SortStableFunc(faults, func(a, b unwind.Fault) int {
		if (a.Line == 0) != (b.Line == 0) {
			return cmp.Compare(a.Line, b.Line)
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.File, b.File))
	})
	type said struct {
		file, message string
		line, column  int
	}
	seen := map[said]bool{}
	return slices.DeleteFunc(faults, func(f unwind.Fault) bool {
		key := said{f.File, f.Message, f.Line, f.Column}
		repeated := seen[key] && f.Line > 0
		seen[key] = true
		return repeated
	})
}
