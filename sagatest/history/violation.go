package history

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/unwindhq/unwind"
)

// A Guarantee is one of the numbered promises, or [Liveness].
type Guarantee int

// The guarantees that are judged.
const (
	G1  Guarantee = 1
	G2  Guarantee = 2
	G3  Guarantee = 3
	G4  Guarantee = 4
	G5  Guarantee = 5
	G6  Guarantee = 6
	G7  Guarantee = 7
	G8  Guarantee = 8
	G9  Guarantee = 9
	G10 Guarantee = 10
	G12 Guarantee = 12
	G13 Guarantee = 13
	G14 Guarantee = 14
	// Liveness: what was begun comes to rest, and every dead letter is told.
	Liveness Guarantee = 20
)

// String returns "G1" to "G14", or "L".
func (g Guarantee) String() string {
	if g == Liveness {
		return "L"
	}
	return fmt.Sprintf("G%d", int(g))
}

// MarshalText implements encoding.TextMarshaler.
func (g Guarantee) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// A Violation is one broken promise.
type Violation struct {
	Guarantee Guarantee `json:"guarantee"`
	// Where: a saga, or a service whose lane is meant.
	Saga      string           `json:"saga,omitempty"`
	Step      string           `json:"step,omitempty"`
	Direction unwind.Direction `json:"direction,omitempty"`
	Service   string           `json:"service,omitempty"`
	// Message says in one sentence what is wrong.
	Message string `json:"message"`
	// Proof has the lines that show it.
	Proof []Proof `json:"proof"`

	order int
	form  string // of Message, without what it is filled with
}

// A Proof is one line of a log.
type Proof struct {
	// Log is the file's name, or client, participant or engine for a history in memory.
	Log string `json:"log"`
	// Number of the line, from 1.
	Number int  `json:"number"`
	Line   Line `json:"line"`
}

// MaxViolations is how many violations a report holds; the others are counted.
const MaxViolations = 1000

// report records a violation. There is one per guarantee and place: the first.
func (c *checker) report(v Violation, proof ...*Line) {
	if len(c.violations) >= MaxViolations {
		c.dropped++
		return
	}
	for _, l := range proof {
		if l != nil {
			v.Proof = append(v.Proof, c.proof(l))
		}
	}
	v.order = len(c.violations)
	c.violations = append(c.violations, v)
}

// saga reports on a saga as a whole.
func (c *checker) saga(g Guarantee, s *saga, proof []*Line, format string, args ...any) {
	if s.flagged&(1<<g) != 0 {
		return
	}
	s.flagged |= 1 << g
	c.report(Violation{Guarantee: g, Saga: s.id, Message: fmt.Sprintf(format, args...), form: format}, proof...)
}

// step reports on one direction of a step.
func (c *checker) step(g Guarantee, s *saga, i, side int, proof []*Line, format string, args ...any) {
	sd := &s.steps[i].side[side]
	if sd.flagged&(1<<g) != 0 {
		return
	}
	sd.flagged |= 1 << g
	c.report(Violation{Guarantee: g, Saga: s.id, Step: s.plan.steps[i].name, Direction: directions[side], Message: fmt.Sprintf(format, args...), form: format}, proof...)
}

func (c *checker) proof(l *Line) Proof {
	p := Proof{Log: l.file, Number: l.number, Line: *l}
	if p.Log != "" {
		return p
	}
	for _, log := range []struct {
		name  string
		lines []Line
	}{{"client", c.h.Client}, {"participant", c.h.Participants}, {"engine", c.h.Engine}} {
		for i := range log.lines {
			if &log.lines[i] == l {
				p.Log, p.Number = log.name, i+1
			}
		}
	}
	return p
}

// String is the log, the number and the line as JSON.
func (p Proof) String() string {
	text, err := json.Marshal(p.Line)
	if err != nil {
		text = []byte(err.Error())
	}
	return fmt.Sprintf("%s:%d %s", p.Log, p.Number, text)
}

func sortViolations(vs []Violation) {
	slices.SortStableFunc(vs, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Guarantee, b.Guarantee), cmp.Compare(a.Saga, b.Saga), cmp.Compare(a.order, b.order))
	})
}
