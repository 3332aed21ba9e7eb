package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
)

func (a *app) dlqGroups(ctx context.Context, c *cli.Command) error {
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	f := unwind.GroupFilter{State: unwind.DeadLetterState(c.String("state")), Saga: c.String("saga"), Service: c.String("service")}
	items, next, err := pages(c, func(p unwind.Page) (unwind.List[unwind.DeadLetterGroup], error) {
		f.Page = p
		return cl.DeadLetterGroups(ctx, f)
	})
	if err != nil {
		return err
	}
	now := time.Now()
	head := []string{"GROUP", "OPEN", "REPLAYING", "DONE", "OLDEST", "SAGA/STEP", "DIRECTION", "SERVICE", "LANE", "AT RISK", "ERROR"}
	err = show(a, head, items, func(g unwind.DeadLetterGroup) []string {
		oldest := "-"
		if g.OldestAt != nil {
			oldest = age(*g.OldestAt, now)
		}
		return []string{
			g.Group, fmt.Sprint(g.Open), fmt.Sprint(g.Replaying), fmt.Sprint(g.Replayed + g.Resolved), oldest, g.Saga + "/" + g.Step, string(g.Direction),
			orDash(g.Service), laneWord(&g), orDash(string(g.AmountAtRisk)), short(callError(&g.Error), 80),
		}
	})
	a.more(next)
	return err
}

// laneWord says in a word whether a replay would go through.
func laneWord(g *unwind.DeadLetterGroup) string {
	switch {
	case g.Paused != nil:
		return "paused"
	case g.Breaker == "":
		return "-"
	case g.Breaker != "closed":
		return "breaker " + g.Breaker
	case g.Gate != nil:
		return "gate"
	}
	return "open"
}

func (a *app) dlqShow(ctx context.Context, c *cli.Command) error {
	cl, id, err := a.named(c, "the dead letter's id")
	if err != nil {
		return err
	}
	d, err := cl.DeadLetter(ctx, id)
	if err != nil {
		return err
	}
	return showOne(a, d, func(w io.Writer) { writeDeadLetter(w, d) })
}

func writeDeadLetter(w io.Writer, d *unwind.DeadLetter) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	writeStanding(w, d)
	p("the %s of step %s of saga %s (%s), by service %s\n", d.Direction, d.Step, d.Saga, d.SagaID, orDash(d.Service))
	p("key %s\n", d.Key)
	p("first tried %s, dead since %s: %s, %d throttled\n", when(d.FirstAt), when(d.DeadAt), count(d.Attempts, "attempt"), d.Throttled)
	if d.Replays > 0 {
		p("replayed %s\n", count(int(d.Replays), "time"))
	}
	p("last error %s\n", printable(callError(&d.Error)))
	if len(d.Amount) > 0 {
		p("amount at risk %s\n", printable(string(d.Amount)))
	}
	if d.By != "" {
		p("last handled by %s: %s %s\n", printable(d.By), printable(d.Reason), printable(d.Evidence))
	}
	if d.OperationID != "" {
		p("called again by operation %s\n", d.OperationID)
	}
	if d.Verdict != nil {
		p("\nverdict: %s\n%s\n\n", d.Verdict.Advice, printable(d.Verdict.Text))
	}
	for i := range d.Notes {
		p("  %s  %s\n", when(d.Notes[i].At), printable(noteText(&d.Notes[i])))
	}
	for i := range d.History {
		p("%s\n", printable(attemptText(&d.History[i])))
		if body := bodyOf(&d.History[i]); body != "" {
			p("      answered: %s\n", printable(short(body, 400)))
		}
	}
	if d.State == unwind.DeadLetterOpen {
		p("to try again:       unwind dlq replay %s --reason …\n", d.ID)
		p("to settle by hand:  unwind dlq resolve %s --reason … --evidence …%s\n", d.ID, map[bool]string{true: " --as done|refused"}[d.Direction == unwind.Action])
	}
	if d.State == unwind.DeadLetterResolved && d.Direction == unwind.Compensation {
		p("to take it back:    unwind dlq reopen %s --reason …\n", d.ID)
	}
}

func noteText(n *unwind.Note) string {
	text := n.By + ": " + n.Text
	if n.Owner != "" {
		text += " (owner: " + n.Owner + ")"
	}
	return text
}

// attemptText is an entry of the history as a line: what was meant by an answer
// comes before what was said.
func attemptText(e *unwind.Entry) string {
	var d struct {
		Class    string `json:"class"`
		Status   any    `json:"status"`
		Message  string `json:"message"`
		Executed bool   `json:"may_have_executed"`
		Actor    string `json:"actor"`
		Reason   string `json:"reason"`
	}
	_ = json.Unmarshal(e.Data, &d) // what can't be read is left out
	text := fmt.Sprintf("  %s  %-24s", exactly(e.At), e.Kind)
	if e.Attempt > 0 {
		text += fmt.Sprintf(" attempt %-3d", e.Attempt)
	}
	if d.Status != nil || d.Class != "" {
		text += fmt.Sprintf(" [%v %s]", orElse(d.Status, "-"), d.Class)
	}
	if d.Executed {
		text += " may have executed"
	}
	if d.Actor != "" {
		text += " by " + d.Actor + ": " + d.Reason
	}
	return text + " " + short(d.Message, 120)
}

func orElse(v any, word string) any {
	if v == nil {
		return word
	}
	return v
}

func bodyOf(e *unwind.Entry) string {
	var d struct {
		Body string `json:"body"`
	}
	_ = json.Unmarshal(e.Data, &d) // what can't be read is left out
	return d.Body
}
