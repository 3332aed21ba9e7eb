package main

import (
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
		err = show(a, []string{"SINCE", "STATE", "KIND", "SERVICE", "DELIVERED", "MESSAGE", "RUNBOOK", "LINK"}, items, func(al unwind.Alert) []string {
			state := "firing"
			if al.ResolvedAt != nil {
				state = "over " + when(*al.ResolvedAt)
			}
			return []string{when(al.At), state, al.Kind, orDash(al.Service), fmt.Sprint(al.Delivered), short(al.Message, 140), al.Runbook, al.Link}
		})
		a.more(next)
		return err
	}}
}
