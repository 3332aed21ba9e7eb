package history

import (
	"fmt"
	"io"
	"strings"

	"github.com/unwindhq/unwind"
)

// A Report is what came of a check.
type Report struct {
	// Violations in the order of their guarantees, at most [MaxViolations];
	// Dropped counts those beyond.
	Violations []Violation `json:"violations"`
	Dropped    int         `json:"dropped,omitempty"`

	Lines int `json:"lines"`
	// Sagas by where they stand, by their journals.
	Sagas map[unwind.Status]int `json:"sagas"`
	// Calls that participants answered, by outcome. Unanswered ones have no return.
	Calls      map[Outcome]int `json:"calls"`
	Unanswered int             `json:"unanswered"`
	// Incomplete counts sagas of whose journal lines may be missing: they are
	// judged in part.
	Incomplete int `json:"incomplete"`
	// Late counts actions that took effect after their compensation was
	// acknowledged: the window that a participant closes with a barrier.
	Late int `json:"late"`
}

// OK reports whether no promise was broken.
func (r *Report) OK() bool { return len(r.Violations) == 0 }

func (c *checker) result() *Report {
	sortViolations(c.violations)
	r := &Report{
		Violations: c.violations, Dropped: c.dropped, Late: c.late,
		Lines: len(c.h.Client) + len(c.h.Participants) + len(c.h.Engine),
		Sagas: make(map[unwind.Status]int, 5), Calls: make(map[Outcome]int, 3),
	}
	for _, s := range c.sagas {
		if s.plan == nil {
			continue
		}
		r.Sagas[s.stands()]++
		if s.holed || s.cutOff {
			r.Incomplete++
		}
	}
	invokes, returns := 0, 0
	for i := range c.h.Participants {
		switch l := &c.h.Participants[i]; {
		case l.Op != "" || l.Event == Cut:
		case l.Event == Invoke:
			invokes++
		default:
			returns++
			r.Calls[l.Outcome]++
		}
	}
	r.Unanswered = max(invokes-returns, 0)
	return r
}

var statuses = []unwind.Status{unwind.Completed, unwind.Compensated, unwind.DeadLettered, unwind.Running, unwind.Compensating}

// mostShown is how many violations of one kind a text shows: where a log is
// missing, each call that it would have held is one.
const mostShown = 3

// WriteText writes the report for people: what was judged, then violations with
// their lines, kind by kind, the first three of each.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	sagas := 0
	for _, n := range r.Sagas {
		sagas += n
	}
	fmt.Fprintf(&b, "%d lines, %d sagas;", r.Lines, sagas)
	between := " "
	for _, s := range statuses {
		if n := r.Sagas[s]; n > 0 {
			fmt.Fprintf(&b, "%s%d %s", between, n, s)
			between = ", "
		}
	}
	fmt.Fprintf(&b, "\ncalls: %d ok, %d fail, %d unknown, %d unanswered\n", r.Calls[OK], r.Calls[Fail], r.Calls[Unknown], r.Unanswered)
	if r.Incomplete > 0 {
		fmt.Fprintf(&b, "%d sagas are judged in part: lines of their journal may be missing\n", r.Incomplete)
	}
	if r.Late > 0 {
		fmt.Fprintf(&b, "%d actions took effect after their compensation; their participants need a barrier\n", r.Late)
	}
	if r.OK() {
		b.WriteString("no violation\n")
	} else {
		fmt.Fprintf(&b, "%s\n", violations(len(r.Violations)+r.Dropped))
	}
	for _, same := range kinds(r.Violations) {
		for _, v := range same[:min(len(same), mostShown)] {
			v.write(&b)
		}
		if more := len(same) - mostShown; more > 0 {
			fmt.Fprintf(&b, "\nand %d more of this kind (%s), in the report as JSON\n", more, same[0].Guarantee)
		}
	}
	if r.Dropped > 0 {
		fmt.Fprintf(&b, "\nand %d more that no report holds: the first %d are kept\n", r.Dropped, MaxViolations)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// kinds parts violations by what they say, in the order in which they come.
func kinds(all []Violation) (parts [][]*Violation) {
	type kind struct {
		guarantee Guarantee
		form      string
	}
	places := map[kind]int{}
	for i := range all {
		k := kind{all[i].Guarantee, all[i].form}
		at, known := places[k]
		if !known {
			at = len(parts)
			places[k], parts = at, append(parts, nil)
		}
		parts[at] = append(parts[at], &all[i])
	}
	return parts
}

func violations(n int) string {
	if n == 1 {
		return "1 violation"
	}
	return fmt.Sprintf("%d violations", n)
}

func (v *Violation) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s", v.Guarantee)
	if v.Saga != "" {
		fmt.Fprintf(b, " saga %s", v.Saga)
	}
	fmt.Fprintf(b, ": %s\n", v.Message)
	for _, p := range v.Proof {
		fmt.Fprintf(b, "  %s\n", p)
	}
}
