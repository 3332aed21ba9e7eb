package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
)

func (a *app) opCommand() *cli.Command {
	why := &cli.StringFlag{Name: "reason", Usage: "why, for those who read the audit"}
	return &cli.Command{
		Name: "op", Usage: "operations: many dead letters replayed, many sagas cancelled",
		Commands: []*cli.Command{{
			Name: "list", Usage: "list operations, newest first",
			Flags: append([]cli.Flag{
				&cli.StringFlag{Name: "state", Usage: "running, paused, finished or aborted; empty: all"},
			}, pageFlags()...),
			Action: a.opList,
		}, {
			Name: "watch", Usage: "follow one to its end; Ctrl-C leaves it alone", ArgsUsage: "ID", Action: a.opWatch,
		}, {
			Name: "set-rate", Usage: "change how fast one goes", ArgsUsage: "ID",
			Description: "unwind op set-rate ID --rate 5/s --reason 'the bank asked'",
			Flags:       []cli.Flag{&cli.StringFlag{Name: "rate", Usage: "as in 20/s", Required: true}, why},
			Action: func(ctx context.Context, c *cli.Command) error {
				var rate unwind.Rate
				if err := rate.UnmarshalText([]byte(c.String("rate"))); err != nil {
					return usagef("--rate: %v", err)
				}
				return a.changeOperation(ctx, c, unwind.OperationChange{Rate: &rate})
			},
		}, {
			Name: "pause", Usage: "take up no more, until it is resumed", ArgsUsage: "ID", Flags: []cli.Flag{why},
			Action: func(ctx context.Context, c *cli.Command) error {
				paused := true
				return a.changeOperation(ctx, c, unwind.OperationChange{Paused: &paused})
			},
		}, {
			Name: "resume", Usage: "let one go on, past its canary too", ArgsUsage: "ID", Flags: []cli.Flag{why},
			Action: func(ctx context.Context, c *cli.Command) error {
				paused := false
				return a.changeOperation(ctx, c, unwind.OperationChange{Paused: &paused})
			},
		}, {
			Name: "abort", Usage: "end one; what is being called again goes on", ArgsUsage: "ID", Flags: []cli.Flag{why},
			Action: func(ctx context.Context, c *cli.Command) error {
				cl, id, err := a.named(c, "the operation's id")
				if err != nil {
					return err
				}
				op, err := cl.AbortOperation(ctx, id, unwind.AbortRequest{Reason: c.String("reason")})
				if err != nil {
					return err
				}
				return a.showOperation(op)
			},
		}},
	}
}

func (a *app) opList(ctx context.Context, c *cli.Command) error {
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	f := unwind.OperationFilter{State: unwind.OperationState(c.String("state"))}
	items, next, err := pages(c, func(p unwind.Page) (unwind.List[unwind.Operation], error) {
		f.Page = p
		return cl.Operations(ctx, f)
	})
	if err != nil {
		return err
	}
	head := []string{"ID", "KIND", "STATE", "DONE", "SUCCEEDED", "FAILED AGAIN", "SKIPPED", "RATE", "BY", "BEGUN", "REASON"}
	err = show(a, head, items, func(o unwind.Operation) []string {
		n := &o.Counts
		return []string{
			o.ID, string(o.Kind), string(o.State), fmt.Sprintf("%d/%d", n.Done(), n.Total), fmt.Sprint(n.Succeeded), fmt.Sprint(n.FailedAgain),
			fmt.Sprint(n.Skipped), rateOf(&o), o.By, when(o.CreatedAt), short(o.Reason, 60),
		}
	})
	a.more(next)
	return err
}

func rateOf(o *unwind.Operation) string {
	if o.Rate == nil {
		return "-"
	}
	return o.Rate.String()
}

func (a *app) changeOperation(ctx context.Context, c *cli.Command, req unwind.OperationChange) error {
	cl, id, err := a.named(c, "the operation's id")
	if err != nil {
		return err
	}
	req.Reason = c.String("reason")
	op, err := cl.ChangeOperation(ctx, id, req)
	if err != nil {
		return err
	}
	return a.showOperation(op)
}

func (a *app) showOperation(op *unwind.Operation) error {
	return showOne(a, op, func(w io.Writer) { _, _ = fmt.Fprintln(w, printable(operationLine(op, false))) })
}

func (a *app) opWatch(ctx context.Context, c *cli.Command) error {
	cl, id, err := a.named(c, "the operation's id")
	if err != nil {
		return err
	}
	return a.watchOperation(ctx, cl, id)
}

// watchOperation follows an operation until it is over, or pauses. It only looks:
// who leaves off leaves the operation alone.
func (a *app) watchOperation(ctx context.Context, cl *client.Client, id string) error {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	live, shown := isTerminal(a.stderr), ""
	var w watch
	below := func() {
		if live && shown != "" {
			_, _ = fmt.Fprintln(a.stderr)
		}
	}
	for {
		var op *unwind.Operation
		err := a.read(ctx, &w, below, func() (err error) {
			op, err = cl.Operation(ctx, id)
			return err
		})
		if ctx.Err() != nil {
			return a.detached(ctx, live, id)
		}
		if err != nil {
			return err
		}
		line, news := printable(operationLine(op, live)), operationNews(op)
		switch {
		case live:
			_, _ = fmt.Fprint(a.stderr, redrawn(line, columnsOf(a.stderr)))
		case news != shown:
			_, _ = fmt.Fprintln(a.stderr, line)
		}
		shown = news
		settled := op.Counts.Replaying == 0
		if op.State.Over() && settled || op.State == unwind.OperationPaused && settled {
			if live {
				_, _ = fmt.Fprintln(a.stderr)
			}
			return a.outcome(op)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return a.detached(ctx, live, id)
		}
	}
}

// operationNews differs where a line of a log is worth it: a rate that moves is not.
func operationNews(o *unwind.Operation) string {
	n := &o.Counts
	return fmt.Sprint(o.State, n.Done(), n.FailedAgain, n.Replaying, o.WaitingFor)
}

func (a *app) detached(ctx context.Context, live bool, id string) error {
	if live {
		_, _ = fmt.Fprintln(a.stderr)
	}
	a.say("operation %s goes on without you: unwind op watch %s, or unwind op abort %s", id, id, id)
	return ctx.Err()
}

// outcome tells what an operation came to; exit code 6: some failed again.
func (a *app) outcome(op *unwind.Operation) error {
	err := showOne(a, op, func(w io.Writer) {
		n := &op.Counts
		_, _ = fmt.Fprintf(w, "operation %s %s: %d succeeded, %d failed again, %d skipped%s, %d not taken up\n",
			op.ID, op.State, n.Succeeded, n.FailedAgain, n.Skipped, printable(whyText(n.SkippedWhy)), n.Queued)
	})
	if err != nil {
		return err
	}
	if op.Paused != nil {
		a.say("paused by %s: %s\nto go on: unwind op resume %s   to leave it: unwind op abort %s", op.Paused.By, op.Paused.Reason, op.ID, op.ID)
	}
	if op.Kind == unwind.OperationCancel && op.Counts.Succeeded > 0 {
		a.say("those that were cancelled turn back; to see whose undoing is under way: unwind saga list --status compensating")
	}
	if op.Counts.FailedAgain > 0 {
		a.say("some failed again: unwind dlq groups")
		return errQuiet(exitPartial)
	}
	return nil
}

func whyText(why map[string]int64) string {
	var parts []string
	for _, text := range slices.Sorted(maps.Keys(why)) {
		parts = append(parts, fmt.Sprintf("%d %s", why[text], text))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// roundUp gives whole seconds: while something is left it is not none.
func roundUp(ms int64) time.Duration { return time.Duration((ms+999)/1000) * time.Second }

// operationLine is an operation in a line; the bar is for terminals.
func operationLine(o *unwind.Operation, bar bool) string {
	n := &o.Counts
	text := fmt.Sprintf("operation %s %s  %d/%d done", o.ID, o.State, n.Done(), n.Total)
	if bar {
		const width = 24
		full := 0
		if n.Total > 0 {
			full = int(n.Done() * width / n.Total)
		}
		text = fmt.Sprintf("operation %s %s [%s%s] %d/%d", o.ID, o.State, strings.Repeat("#", full), strings.Repeat(".", width-full), n.Done(), n.Total)
	}
	text += fmt.Sprintf("  %d failed again", n.FailedAgain)
	switch {
	case n.Replaying > 0 && o.WaitingFor != "":
		text += fmt.Sprintf("  %d waiting", n.Replaying)
	case n.Replaying > 0:
		text += fmt.Sprintf("  %d under way", n.Replaying)
	}
	if o.EffectiveRate != nil && !o.State.Over() {
		text += "  " + unwind.RateText(*o.EffectiveRate)
	}
	if !o.State.Over() {
		text += fmt.Sprintf("  429: %.0f%%", o.Throttled*100)
	}
	if o.EstimateMS != nil {
		text += "  about " + roundUp(*o.EstimateMS).String() + " left"
	}
	if o.WaitingFor != "" {
		text += "  waiting for " + o.WaitingFor
	}
	return text
}
