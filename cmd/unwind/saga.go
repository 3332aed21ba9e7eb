package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
)

func (a *app) sagaCommand() *cli.Command {
	return &cli.Command{
		Name: "saga", Usage: "start sagas and look at them",
		Commands: []*cli.Command{{
			Name: "start", Usage: "start a saga", ArgsUsage: "NAME",
			Description: "unwind saga start place-order --key ORD-1 --input '{\"order_id\":1}' --wait 10s",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "key", Usage: "the start's idempotency key: the same key begins one saga"},
				&cli.StringFlag{Name: "tenant", Usage: "whose saga it is"},
				&cli.StringFlag{Name: "input", Usage: "JSON, @FILE, or - for standard input", Value: "{}"},
				&cli.DurationFlag{Name: "wait", Usage: "wait until it is at rest, at most 60s; the exit code is 6 unless it is completed then"},
			},
			Action: a.sagaStart,
		}, {
			Name: "get", Usage: "show one saga, step by step", ArgsUsage: "ID", Action: a.sagaGet,
		}, {
			Name: "history", Usage: "show its journal, oldest first", ArgsUsage: "ID", Action: a.sagaHistory,
		}, {
			Name: "list", Usage: "list sagas, newest first",
			Flags: append([]cli.Flag{
				&cli.StringFlag{Name: "status", Usage: "running, compensating, completed, compensated or dead_lettered"},
				&cli.StringFlag{Name: "saga", Usage: "of this definition"},
				&cli.StringFlag{Name: "tenant", Usage: "of this tenant"},
				&cli.StringFlag{Name: "key", Usage: "begun with this key"},
				&cli.DurationFlag{Name: "since", Usage: "begun within this time, as in 1h"},
			}, pageFlags()...),
			Action: a.sagaList,
		}, {
			Name: "watch", Usage: "follow one saga until it is at rest; the exit code is 6 unless it is completed then", ArgsUsage: "ID", Action: a.sagaWatch,
		}, {
			Name: "cancel", Usage: "turn a saga back: what it did is undone; or many by an operation", ArgsUsage: "[ID]",
			Description: "unwind saga cancel ID --reason 'the author withdrew it'\n" +
				"unwind saga cancel --saga place-order --tenant acme --dry-run\n" +
				"unwind saga cancel --saga place-order --before 2026-01-02T15:04:05Z --rate 20/s --canary 10 --reason 'sold out'",
			Flags:  append([]cli.Flag{&cli.StringFlag{Name: "reason", Usage: "why, for those who read the audit; required for many but for a dry run"}}, cancelFlags()...),
			Action: a.sagaCancel,
		}, {
			Name: "signal", Usage: "answer a step that waits for a signal", ArgsUsage: "ID STEP",
			Description: "unwind saga signal ID approval --data '{\"approved\":true}'",
			Flags:       []cli.Flag{&cli.StringFlag{Name: "data", Usage: "the step's output: JSON, @FILE, or - for standard input"}},
			Action:      a.sagaSignal,
		}, {
			Name: "send-now", Usage: "have one waiting call sent at once, whatever its lane says", ArgsUsage: "ID STEP",
			Description: "unwind saga send-now ID charge --reason 'to see whether the bank answers'",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "direction", Usage: "compensation or action", Value: string(unwind.Compensation)},
				&cli.StringFlag{Name: "reason", Usage: "why, for those who read the audit", Required: true},
			},
			Action: a.sagaSendNow,
		}},
	}
}

func pageFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "limit", Usage: "how many at most", Value: 50},
		&cli.StringFlag{Name: "cursor", Usage: "go on after an earlier list"},
		&cli.BoolFlag{Name: "all", Usage: "read to the end"},
	}
}

// maxPage is how many items the server gives at once.
const maxPage = 1000

// pages reads as many items as the flags ask for, page by page.
func pages[T any](c *cli.Command, read func(unwind.Page) (unwind.List[T], error)) (items []T, next string, err error) {
	limit := c.Int("limit")
	switch {
	case limit < 1:
		return nil, "", usagef("--limit: %d is not a number of items; write 1 or more, or use --all", limit)
	case c.Bool("all"):
		limit = math.MaxInt
	}
	next = c.String("cursor")
	for len(items) < limit {
		list, err := read(unwind.Page{Limit: min(limit-len(items), maxPage), Cursor: next})
		if err != nil {
			return nil, "", err
		}
		items = append(items, list.Items...)
		if next = list.NextCursor; next == "" {
			break
		}
	}
	return items, next, nil
}

func (a *app) sagaGet(ctx context.Context, c *cli.Command) error {
	cl, id, err := a.named(c, "the saga's id")
	if err != nil {
		return err
	}
	inst, err := cl.Get(ctx, id)
	if err != nil {
		return err
	}
	return showOne(a, inst, func(w io.Writer) { writeInstance(w, inst) })
}

func (a *app) sagaHistory(ctx context.Context, c *cli.Command) error {
	cl, id, err := a.named(c, "the saga's id")
	if err != nil {
		return err
	}
	var all []unwind.Entry
	err = each(func(p unwind.Page) (unwind.List[unwind.Entry], error) { return cl.History(ctx, id, p) }, func(e *unwind.Entry) error {
		all = append(all, *e)
		return nil
	})
	if err != nil {
		return err
	}
	return show(a, []string{"SEQ", "AT", "KIND", "STEP", "ATTEMPT", "DATA"}, all, func(e unwind.Entry) []string {
		n := ""
		if e.Attempt > 0 {
			n = fmt.Sprint(e.Attempt)
		}
		return []string{fmt.Sprint(e.Seq), exactly(e.At), e.Kind, orDash(e.Step), orDash(n), short(string(e.Data), 120)}
	})
}

func (a *app) sagaList(ctx context.Context, c *cli.Command) error {
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	f := unwind.Filter{Status: unwind.Status(c.String("status")), Saga: c.String("saga"), Tenant: c.String("tenant"), Key: c.String("key")}
	if d := c.Duration("since"); d > 0 {
		f.Since = unwind.Time{Time: time.Now().Add(-d).UTC()}
	}
	items, next, err := pages(c, func(p unwind.Page) (unwind.List[unwind.Instance], error) {
		f.Page = p
		return cl.List(ctx, f)
	})
	if err != nil {
		return err
	}
	now := time.Now()
	err = show(a, []string{"ID", "SAGA", "KEY", "STATUS", "STEPS", "AGE"}, items, func(i unwind.Instance) []string {
		status := string(i.Status)
		if i.Damage != "" {
			status = "damaged"
		}
		return []string{i.ID, i.Saga, orDash(i.Key), status, progress(&i), age(i.CreatedAt, now)}
	})
	a.more(next)
	return err
}

const selectSagas = "--saga or --selection"

func (a *app) sagaCancel(ctx context.Context, c *cli.Command) error {
	if many(c) {
		if c.Args().Present() {
			return usagef("an ID is for one saga; select many by %s", selectSagas)
		}
		return a.operate(ctx, c, unwind.OperationCancel)
	}
	if err := onlyOne(c, "the saga's id", selectSagas); err != nil {
		return err
	}
	cl, id, err := a.named(c, "the saga's id")
	if err != nil {
		return err
	}
	inst, err := cl.Cancel(ctx, id, unwind.CancelRequest{Reason: c.String("reason")})
	if err != nil {
		return err
	}
	return showOne(a, inst, func(w io.Writer) { writeInstance(w, inst) })
}

func (a *app) sagaSignal(ctx context.Context, c *cli.Command) error {
	words, err := arguments(c, "the saga's id", "the name of the step that waits")
	if err != nil {
		return err
	}
	var data json.RawMessage
	if word := c.String("data"); word != "" {
		if data, err = a.input(word); err != nil {
			return err
		}
	}
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	inst, err := cl.Signal(ctx, words[0], unwind.SignalRequest{Name: words[1], Data: data})
	if err != nil {
		return err
	}
	return showOne(a, inst, func(w io.Writer) { writeInstance(w, inst) })
}

func (a *app) sagaSendNow(ctx context.Context, c *cli.Command) error {
	words, err := arguments(c, "the saga's id", "the name of the step whose call waits")
	if err != nil {
		return err
	}
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	req := unwind.SendNow{Step: words[1], Direction: unwind.Direction(c.String("direction")), Reason: c.String("reason")}
	inst, err := cl.SendNow(ctx, words[0], req)
	if err != nil {
		return err
	}
	return showOne(a, inst, func(w io.Writer) { writeInstance(w, inst) })
}
