package machine

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/unwindhq/unwind"
)

// A dice decides. The properties run on rapid's, which shrinks, and on seeds.
type dice interface {
	// pick returns a number below n.
	pick(n int, what string) int
}

func chance(d dice, percent int, what string) bool { return d.pick(100, what) >= 100-percent }

// A world is one saga, the node that drives it, and what really happened at its
// participants, which the machine can't see. Every judgement is made against the
// latter.
type world struct {
	d     dice
	def   *unwind.Definition
	order unwind.Order
	plan  *Plan
	state State
	facts Facts
	now   Micros
	sides map[side]*truth
	trace []string
	// following: events that a transition brought about are being applied.
	following int
	healing   bool // from now on every answer is a good one
	startedAt []Micros
	dead      []bool // the compensation was a dead letter at some time
}

type side struct {
	step int
	dir  unwind.Direction
}

// A truth is what really became of one direction of a step.
type truth struct {
	executed     bool // it took effect, under some key
	acknowledged bool // and its participant said so
	resolved     string
	uncertain    bool // the engine was left without knowing
	counted      int
	allowed      int
	generation   uint32
	order        *Effect // the node's: waits to be sent, or is in flight
	inFlight     bool
	answered     bool // its participant has completed the call in flight
	resent       bool
	operator     bool // an operator has just ordered it
	sentAt       Micros
	settled      Micros // not before this can an uncertain call be over
	earliest     Micros // what the policy allows as the next send
	firstMaybe   Micros // the first send that may have executed under this key
	queuedAt     Micros
	bodies       map[string]string // by key
}

const hugeNumber = "12345678901234567890.10"

// newWorld draws a definition of one to eight steps.
func newWorld(d dice) *world {
	w := &world{d: d, now: begin, sides: map[side]*truth{}}
	def := &unwind.Definition{
		Name: "saga", Deadline: draw(d, "deadline", unwind.Minute, 10*unwind.Minute, 24*unwind.Hour),
		GiveUpAfter: draw(d, "give up", 5*unwind.Minute, 72*unwind.Hour), OnDeadLetter: draw(d, "on dead letter", unwind.Continue, unwind.Block),
	}
	parts := map[string]unwind.Participant{}
	n := 1 + d.pick(8, "steps")
	pivot := -1
	if chance(d, 40, "with a pivot") {
		pivot = d.pick(n, "pivot")
	}
	for i := range n {
		name := fmt.Sprint("s", i)
		def.Steps = append(def.Steps, drawStep(d, name, i, pivot))
		parts[name] = unwind.Participant{
			Settle: draw(d, "settle", 0, 30*unwind.Second), Timeout: draw(d, "timeout", unwind.Second, 10*unwind.Second),
			Status: draw(d, "status path", "", "/status"), KeyLifetime: draw(d, "key lifetime", 0, 0, 30*unwind.Second, 20*unwind.Minute),
		}
	}
	for _, f := range def.Validate(parts) {
		if !f.Warning {
			panic(f.Pointer + ": " + f.Message)
		}
	}
	plan, err := Compile(def, parts)
	if err != nil {
		panic(err)
	}
	w.def, w.plan = def, plan
	w.order, _ = def.Order()
	w.facts = Facts{ID: "saga-1", Key: "k", Input: json.RawMessage(`{"amount":` + hugeNumber + `}`), Outputs: make([]json.RawMessage, n)}
	w.startedAt, w.dead = make([]Micros, n), make([]bool, n)
	for i := range n {
		for _, dir := range []unwind.Direction{unwind.Action, unwind.Compensation} {
			w.sides[side{i, dir}] = &truth{allowed: plan.Call(i, dir).Retry.Attempts, bodies: map[string]string{}}
		}
	}
	return w
}

func draw[T any](d dice, what string, from ...T) T { return from[d.pick(len(from), what)] }

// drawStep makes a step. Steps before the pivot come before it, steps after it
// after it, so that it stands alone.
func drawStep(d dice, name string, i, pivot int) unwind.Step {
	s := unwind.Step{Name: name, After: []string{}, Pivot: i == pivot}
	first := 0
	switch {
	case i == pivot:
		for k := range i {
			s.After = append(s.After, fmt.Sprint("s", k))
		}
	case pivot >= 0 && i > pivot:
		first = pivot
		s.After = append(s.After, fmt.Sprint("s", pivot))
		fallthrough
	default:
		for k := first; k < i; k++ {
			if k != pivot && chance(d, 40, "after") {
				s.After = append(s.After, fmt.Sprint("s", k))
			}
		}
	}
	if i != pivot && chance(d, 15, "waits") {
		if chance(d, 50, "delay") {
			s.Kind, s.For = unwind.DelayStep, 40*unwind.Second
		} else {
			s.Kind, s.Timeout = unwind.SignalStep, draw(d, "signal timeout", 0, 50*unwind.Second)
		}
		return s
	}
	s.Action = &unwind.Call{Service: name, Path: "/do", Async: chance(d, 15, "async")}
	s.Retry = &unwind.Retry{Attempts: 1 + d.pick(4, "attempts")}
	if chance(d, 20, "body") {
		s.Action.Body = json.RawMessage(`{"amount":"${input.amount}","text":"pay ${input.amount}"}`)
	}
	if pivot >= 0 && i >= pivot {
		return s
	}
	s.Compensation = &unwind.Call{Service: name, Path: "/undo", Async: chance(d, 15, "async undo")}
	if chance(d, 15, "none") {
		s.Compensation = unwind.None
	}
	s.CompensationRetry = &unwind.Retry{Attempts: 1 + d.pick(4, "undo attempts")}
	return s
}

func (w *world) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%v "+format, append([]any{w.now - begin}, args...)...))
}

// describe prints the definition and what happened.
func (w *world) describe() string {
	def, err := json.Marshal(w.def)
	if err != nil {
		panic(err)
	}
	return string(def) + "\n" + strings.Join(w.trace, "\n")
}
