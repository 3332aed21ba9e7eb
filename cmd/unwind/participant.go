package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind/internal/demo"
)

func (a *app) participantCommand() *cli.Command {
	return &cli.Command{
		Name: "demo-participant", Hidden: true, Usage: "one of the demo's services",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "name"}, &cli.StringFlag{Name: "dir"}, &cli.StringFlag{Name: "listen"},
			&cli.FloatFlag{Name: "gateway-rate"}, &cli.BoolFlag{Name: "gateway-undo"}, &cli.BoolFlag{Name: "call-log"},
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			go func() { // the parent holds the other end: when it is gone, so are we
				_, _ = io.Copy(io.Discard, a.stdin)
				cancel()
			}()
			return demo.RunParticipant(ctx, demo.Options{
				Name: c.String("name"), Dir: c.String("dir"), Listen: c.String("listen"),
				GatewayRate: c.Float("gateway-rate"), GatewayBurst: 5, GatewayUndo: c.Bool("gateway-undo"), CallLog: c.Bool("call-log"), Log: logTo(slog.NewTextHandler(a.stderr, nil)),
			}, a.stdout)
		},
	}
}
