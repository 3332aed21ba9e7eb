package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
)

func (a *app) alertsCommand() *cli.Command {
	return &cli.Command{Name: "alerts", Usage: "what a person must know, newest first", Flags: pageFlags(), Action: func(ctx context.Context, c *cli.Command) error {
		cl, err := a.client(c)
		if err != nil {
			return err
		}
		items, next, err := pages(c, func(p unwind.Page) (unwind.List[unwind.Alert], error) { return cl.Alerts(ctx, p) })
		if err != nil {
			return err
		}
		err = show(a, []string{"AT", "KIND", "SERVICE", "DELIVERED", "MESSAGE"}, items, func(al unwind.Alert) []string {
			return []string{when(al.At), al.Kind, orDash(al.Service), fmt.Sprint(al.Delivered), short(al.Message, 140)}
		})
		a.more(next)
		return err
	}}
}
