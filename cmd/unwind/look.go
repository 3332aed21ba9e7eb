package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
)

func (a *app) serviceCommand() *cli.Command {
	return &cli.Command{
		Name: "service", Usage: "the services and their lanes",
		Commands: []*cli.Command{
			{Name: "list", Usage: "depth, rate, gate and pause of every lane", Action: a.serviceList},
			a.laneCommand("pause", "send nothing more through a lane, until it is resumed"),
			a.laneCommand("resume", "let a paused lane go on, whoever paused it"),
		},
	}
}

func (a *app) laneCommand(name, usage string) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: "SERVICE",
		Description: "unwind service " + name + " payments --lane compensation --reason '…'",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "lane", Usage: "compensation or forward", Value: unwind.CompensationLane},
			&cli.StringFlag{Name: "reason", Usage: "why, for those who read the audit", Required: true},
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			service, err := arg(c, "the service's name")
			if err != nil {
				return err
			}
			cl, err := a.client(c)
			if err != nil {
				return err
			}
			state, err := cl.SetLane(ctx, service, unwind.LaneRequest{Lane: c.String("lane"), Reason: c.String("reason"), Paused: name == "pause"})
			if err != nil {
				return err
			}
			return a.showLanes([]unwind.ServiceState{*state})
		},
	}
}

// A laneRow is one line of the list of services.
type laneRow struct {
	Service string           `json:"service"`
	Lane    string           `json:"lane"`
	State   unwind.LaneState `json:"state"`
}

func (a *app) serviceList(ctx context.Context, c *cli.Command) error {
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	services, err := cl.Participants(ctx)
	if err != nil {
		return err
	}
	return a.showLanes(services)
}

func (a *app) showLanes(services []unwind.ServiceState) error {
	if a.format != "table" {
		return show(a, nil, services, nil)
	}
	var rows []laneRow
	for _, s := range services {
		rows = append(rows, laneRow{s.Name, "compensation", s.Lanes.Compensation}, laneRow{s.Name, "forward", s.Lanes.Forward})
	}
	return show(a, []string{"SERVICE", "LANE", "RATE", "CONCURRENCY", "IN FLIGHT", "READY", "BACKING OFF", "OLDEST", "STATE"}, rows, func(r laneRow) []string {
		rate := "-"
		if r.State.Rate.Effective != nil {
			rate = strconv.FormatFloat(*r.State.Rate.Effective, 'f', -1, 64) + "/s"
		}
		return []string{r.Service, r.Lane, rate, bound(r.State.Concurrency), fmt.Sprint(r.State.InFlight), fmt.Sprint(r.State.Depth.Ready), fmt.Sprint(r.State.Depth.BackingOff),
			(time.Duration(r.State.OldestAgeMS) * time.Millisecond).Round(time.Millisecond).String(), laneState(&r.State)}
	})
}

func bound(n int) string {
	if n < 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func laneState(l *unwind.LaneState) string {
	switch {
	case l.Paused != nil:
		return fmt.Sprintf("PAUSED by %s since %s: %s", orDash(l.Paused.By), when(l.Paused.At), l.Paused.Reason)
	case l.Gate != nil:
		return "gate until " + l.Gate.Until.Format("15:04:05Z") + ": " + l.Gate.Reason
	}
	return "open"
}

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

func (a *app) auditCommand() *cli.Command {
	return &cli.Command{Name: "audit", Usage: "who did what when, newest first", Flags: pageFlags(), Action: func(ctx context.Context, c *cli.Command) error {
		cl, err := a.client(c)
		if err != nil {
			return err
		}
		items, next, err := pages(c, func(p unwind.Page) (unwind.List[unwind.AuditRow], error) { return cl.Audit(ctx, p) })
		if err != nil {
			return err
		}
		err = show(a, []string{"AT", "ACTOR", "ACTION", "TARGET", "REASON"}, items, func(r unwind.AuditRow) []string {
			return []string{when(r.At), r.Actor, r.Action, r.Target, short(r.Reason, 80)}
		})
		a.more(next)
		return err
	}}
}
