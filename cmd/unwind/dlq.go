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

func (a *app) dlqCommand() *cli.Command {
	why := &cli.StringFlag{Name: "reason", Usage: "why, for those who read the audit", Required: true}
	return &cli.Command{
		Name: "dlq", Usage: "dead letters: calls that wait for a person",
		Commands: []*cli.Command{{
			Name: "list", Usage: "list dead letters, newest first",
			Flags: append([]cli.Flag{
				&cli.StringFlag{Name: "state", Usage: "open, replaying, replayed or resolved; empty: all", Value: "open"},
				&cli.StringFlag{Name: "saga", Usage: "of this definition"},
				&cli.StringFlag{Name: "service", Usage: "of this service"},
				&cli.StringFlag{Name: "group", Usage: "of this cause"},
			}, pageFlags()...),
			Action: a.dlqList,
		}, {
			Name: "show", Usage: "show one with its history", ArgsUsage: "ID", Action: a.dlqShow,
		}, {
			Name: "replay", Usage: "have the call made again, under the same key", ArgsUsage: "ID",
			Description: "unwind dlq replay ID --reason 'the gateway is back'",
			Flags: []cli.Flag{why,
				&cli.BoolFlag{Name: "new-key", Usage: "under a new key: only where the old one is known to have done nothing"},
				&cli.StringFlag{Name: "evidence", Usage: "how that is known"},
			},
			Action: a.dlqReplay,
		}, {
			Name: "resolve", Usage: "settle it by hand; nobody is called", ArgsUsage: "ID",
			Description: "unwind dlq resolve ID --reason 'refunded in the bank's page' --evidence 'slip 4711'",
			Flags: []cli.Flag{why,
				&cli.StringFlag{Name: "evidence", Usage: "what shows that it is settled", Required: true},
				&cli.StringFlag{Name: "as", Usage: "of an action past its pivot: done or refused"},
				&cli.StringFlag{Name: "result", Usage: "of an action resolved as done, its output: JSON, @FILE or -"},
			},
			Action: a.dlqResolve,
		}},
	}
}

func (a *app) dlqList(ctx context.Context, c *cli.Command) error {
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	f := unwind.DeadLetterFilter{State: unwind.DeadLetterState(c.String("state")), Saga: c.String("saga"), Service: c.String("service"), Group: c.String("group")}
	items, next, err := pages(c, func(p unwind.Page) (unwind.List[unwind.DeadLetter], error) {
		f.Page = p
		return cl.DeadLetters(ctx, f)
	})
	if err != nil {
		return err
	}
	now := time.Now()
	err = show(a, []string{"ID", "SAGA/STEP", "DIRECTION", "SERVICE", "ATTEMPTS", "DIED", "STATE", "ERROR"}, items, func(d unwind.DeadLetter) []string {
		return []string{d.ID, d.Saga + "/" + d.Step, string(d.Direction), orDash(d.Service), fmt.Sprint(d.Attempts), age(d.DeadAt, now) + " ago", string(d.State), short(callError(&d.Error), 80)}
	})
	a.more(next)
	return err
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
	p("%s  %s\n", d.ID, d.State)
	p("the %s of step %s of saga %s (%s), by service %s\n", d.Direction, d.Step, d.Saga, d.SagaID, orDash(d.Service))
	p("key %s\n", d.Key)
	p("first tried %s, dead since %s: %d attempts, %d throttled\n", when(d.FirstAt), when(d.DeadAt), d.Attempts, d.Throttled)
	p("last error %s\n", printable(callError(&d.Error)))
	if len(d.Amount) > 0 {
		p("amount at risk %s\n", printable(string(d.Amount)))
	}
	if d.By != "" {
		p("last handled by %s: %s %s\n", printable(d.By), printable(d.Reason), printable(d.Evidence))
	}
	for _, e := range d.History {
		p("  %s  %-24s attempt %-3d %s\n", e.At.Format("15:04:05.000"), e.Kind, e.Attempt, printable(short(string(e.Data), 140)))
	}
	if d.State == unwind.DeadLetterOpen {
		p("to try again:       unwind dlq replay %s --reason …\n", d.ID)
		p("to settle by hand:  unwind dlq resolve %s --reason … --evidence …\n", d.ID)
	}
}

func (a *app) dlqReplay(ctx context.Context, c *cli.Command) error {
	cl, id, err := a.named(c, "the dead letter's id")
	if err != nil {
		return err
	}
	d, err := cl.Replay(ctx, id, unwind.ReplayRequest{Reason: c.String("reason"), NewKey: c.Bool("new-key"), Evidence: c.String("evidence")})
	if err != nil {
		return err
	}
	return showOne(a, d, func(w io.Writer) {
		_, _ = fmt.Fprintf(w, "%s  %s\nto see what came of it: unwind saga watch %s\n", d.ID, d.State, d.SagaID)
	})
}

func (a *app) dlqResolve(ctx context.Context, c *cli.Command) error {
	id, err := arg(c, "the dead letter's id")
	if err != nil {
		return err
	}
	var output json.RawMessage
	if word := c.String("result"); word != "" {
		if output, err = a.input(word); err != nil {
			return err
		}
	}
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	d, err := cl.Resolve(ctx, id, unwind.ResolveRequest{Reason: c.String("reason"), Evidence: c.String("evidence"), As: c.String("as"), Output: output})
	if err != nil {
		return err
	}
	return showOne(a, d, func(w io.Writer) { _, _ = fmt.Fprintf(w, "%s  %s\n", d.ID, d.State) })
}
