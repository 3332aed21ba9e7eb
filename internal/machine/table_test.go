package machine

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
)

const tableFile = "../../docs/state-table.md"

// The table in docs is what the machine does, row by row. `go generate` writes it.
func TestStateTableIsCurrent(t *testing.T) {
	got := stateTable()
	if *rewrite {
		if err := os.WriteFile(tableFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("docs/state-table.md is stale; run go generate ./internal/machine and read the difference:\n%s", difference(string(want), got))
	}
}

func stateTable() string {
	var out strings.Builder
	out.WriteString(tableHead)
	for _, s := range answerSituations {
		fmt.Fprintf(&out, "\n### %s\n\n%s\n\n| answer | means | counted | may have executed | step | saga | then |\n|---|---|---|---|---|---|---|\n", s.title, s.setting())
		for _, a := range tableAnswers {
			out.WriteString(s.answerRow(a.name, a.answer))
		}
	}
	out.WriteString("\n## What the status path says\n")
	for _, s := range askSituations {
		fmt.Fprintf(&out, "\n### %s\n\n%s\n\n| status path | step | saga | then |\n|---|---|---|---|\n", s.title, s.setting())
		for _, a := range tableWords {
			out.WriteString(s.askRow(a.name, a.answer))
		}
	}
	out.WriteString("\n## What operators and time do\n\nAn event that is not refused and finds nothing to do changes nothing.\n")
	for _, s := range phaseSituations {
		fmt.Fprintf(&out, "\n### %s\n\n%s\n\n| event | saga | then |\n|---|---|---|\n", s.title, s.setting())
		for _, e := range tableEvents {
			out.WriteString(s.eventRow(e))
		}
	}
	return out.String()
}

// A situation is reached by a script; call is what the rows are about.
type situation struct {
	title  string
	saga   string
	script string
	call   string
}

func (s *situation) setting() string {
	return "`" + strings.ReplaceAll(s.saga, "\n", "; ") + "` after `" + strings.ReplaceAll(s.script, "\n", ", ") + "`:"
}

// reach plays the script.
func (s *situation) reach() *session {
	var at session
	if out := at.run("saga place-order", strings.Split(s.saga, "\n")); out != "ok\n" {
		panic(s.title + ": " + out)
	}
	for _, command := range strings.Split("start\n"+s.script, "\n") {
		at.run(command, nil)
	}
	return &at
}

func (s *situation) answerRow(name string, a Answer) string {
	at := s.reach()
	step, dir := at.call(s.call)
	side := at.state.Side(step, dir)
	v := judge(a, at.plan.Call(step, dir).Call.Async, side.Uncertain)
	at.now = max(at.now, side.NotBefore)
	t, err := Next(at.plan, at.state, Event{Kind: Answered, At: at.now, SentAt: at.now, Step: step, Dir: dir, Attempt: side.Attempts + 1, Generation: side.Generation, Answer: a})
	if err != nil {
		panic(err)
	}
	means := string(v.class)
	if v.done {
		means = "done"
	} else if v.awaiting {
		means = "accepted"
	}
	if counted := t.State.Side(step, dir).Attempts > side.Attempts; counted != v.counted {
		panic(s.title + ", " + name + ": counted otherwise than judged")
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |\n", name, means, mark(v.counted), mark(v.executed), at.standingOf(&t.State, step, dir), t.State.Phase, at.then(&t))
}

func (s *situation) askRow(name string, a Answer) string {
	at := s.reach()
	step, dir := at.call(s.call)
	t, err := Next(at.plan, at.state, Event{Kind: StatusAnswered, At: at.now, Step: step, Dir: dir, Answer: a})
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", name, at.standingOf(&t.State, step, dir), t.State.Phase, at.then(&t))
}

func (s *situation) eventRow(command string) string {
	at := s.reach()
	verb, rest, _ := strings.Cut(command, " ")
	ev := Event{Kind: DeadlineReached}
	if verb == "deadline" {
		at.now = max(at.now, at.state.DeadlineAt)
	} else {
		ev = at.event(verb, strings.Fields(rest))
	}
	ev.At = at.now
	t, err := Next(at.plan, at.state, ev)
	switch {
	case err != nil:
		return fmt.Sprintf("| %s | | %s: %s |\n", command, unwind.CodeOf(err), err)
	case len(t.Entries) == 0:
		return fmt.Sprintf("| %s | %s | nothing |\n", command, t.State.Phase)
	}
	return fmt.Sprintf("| %s | %s | %s |\n", command, t.State.Phase, at.then(&t))
}

func mark(on bool) string {
	if on {
		return "yes"
	}
	return ""
}

// standingOf is where one direction of a step stands.
func (s *session) standingOf(state *State, step int, dir unwind.Direction) string {
	st := &state.Steps[step]
	text := string(st.Comp.Status())
	if dir == unwind.Action {
		text = string(st.Status.Status())
		if st.Dead {
			text += ", dead letter"
		}
	}
	return text
}

// then is what a transition has done, in a line.
func (s *session) then(t *Transition) string {
	var parts []string
	for _, e := range t.Effects {
		text := strings.TrimPrefix(strings.TrimSpace(s.effect(e)), "-> ")
		if before, after, ok := strings.Cut(text, " key "); ok {
			text = before
			if _, wait, ok := strings.Cut(after, " not before "); ok && wait != "" {
				text += fmt.Sprintf(" in %v", (unwind.Duration(e.NotBefore-s.now) * 1000).String())
			}
		}
		if before, _, ok := strings.Cut(text, ": 0 "); ok && e.Kind == OpenDeadLetter {
			text = before
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return t.Entries[len(t.Entries)-1].Kind
	}
	return strings.Join(parts, "; ")
}
