package main

import (
	"bufio"
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
)

func (a *app) alertsCommand() *cli.Command {
	return &cli.Command{Name: "alerts", Usage: "what a person must know: what fires, since when, what is over", Flags: append(pageFlags(),
		&cli.BoolFlag{Name: "firing", Usage: "only what is not over"}), Action: func(ctx context.Context, c *cli.Command) error {
		cl, err := a.client(c)
		if err != nil {
			return err
		}
		items, next, err := pages(c, func(p unwind.Page) (unwind.List[unwind.Alert], error) {
			return cl.Alerts(ctx, unwind.AlertFilter{Page: p, Firing: c.Bool("firing")})
		})
		if err != nil {
			return err
		}
		if a.format != "table" {
			err = show(a, nil, items, nil)
		} else if err = a.writeAlerts(items); len(items) == 0 {
			a.say("no alert")
		}
		a.more(next)
		return err
	}}
}

// writeAlerts writes each alert over some lines: what it says is too long for a column.
func (a *app) writeAlerts(alerts []unwind.Alert) error {
	w := bufio.NewWriter(a.stdout)
	for _, al := range alerts {
		state := "firing"
		if al.ResolvedAt != nil {
			state = "over " + when(*al.ResolvedAt)
		}
		if !al.Delivered {
			state += "  not delivered yet"
		}
		subject := al.Service
		if subject == "" {
			subject = al.Saga
		}
		_, _ = fmt.Fprintf(w, "%s  %s %s  %s\n  %s\n  %s  %s\n", when(al.At), al.Kind, printable(orDash(subject)), state,
			fold(printable(al.Message), alertWidth), printable(al.Runbook), printable(al.Link))
	}
	return w.Flush() // it keeps the first error
}

// alertWidth is where the text of an alert is folded.
const alertWidth = 78
