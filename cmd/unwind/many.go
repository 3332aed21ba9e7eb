package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
)

// replayFlags select dead letters, and say how they are replayed.
func replayFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "group", Usage: "instead of an ID: all open ones of this cause"},
		&cli.StringFlag{Name: "saga", Usage: "instead of an ID: all open ones of this definition"},
		&cli.StringFlag{Name: "service", Usage: "instead of an ID: all open ones of this service"},
		&cli.StringFlag{Name: "before", Usage: "only those that died before, as in 2026-01-02T15:04:05Z"},
	}, manyFlags()...)
}

// cancelFlags select sagas, and say how they are cancelled.
func cancelFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "saga", Usage: "instead of an ID: all of this definition that run forward"},
		&cli.StringFlag{Name: "tenant", Usage: "with --saga: only those of this tenant"},
		&cli.StringFlag{Name: "before", Usage: "with --saga: only those begun before, as in 2026-01-02T15:04:05Z"},
	}, manyFlags()...)
}

// manyFlags are those of every act on many.
func manyFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "rate", Usage: "how many a second at most, as in 20/s; the limits of the services hold in any case"},
		&cli.StringFlag{Name: "selection", Usage: "instead of an ID: what a dry run has frozen"},
		&cli.BoolFlag{Name: "dry-run", Usage: "freeze what is meant, and say what would be done"},
		&cli.IntFlag{Name: "canary", Usage: "how many come first, alone; then it pauses for you"},
		&cli.BoolFlag{Name: "auto", Usage: "with --canary: go on by itself if all of them succeeded"},
		&cli.BoolFlag{Name: "detach", Usage: "don't watch it"},
	}
}

// many reports whether more than one is meant.
func many(c *cli.Command) bool {
	return anySet(c, "group", "saga", "service", "tenant", "before", "selection") != ""
}

// anySet is the first of the flags that is set.
func anySet(c *cli.Command, names ...string) string {
	for _, name := range names {
		if c.IsSet(name) {
			return name
		}
	}
	return ""
}

// onlyOne refuses what is for many where one is meant, and the other way round where
// nothing is named.
func onlyOne(c *cli.Command, what, by string) error {
	if !c.Args().Present() {
		return usagef("%s needs %s, or %s", c.FullName(), what, by)
	}
	if name := anySet(c, "dry-run", "rate", "canary", "auto", "detach"); name != "" {
		return usagef("--%s is for many; select them by %s", name, by)
	}
	return nil
}

func operationRequest(c *cli.Command, kind unwind.OperationKind) (unwind.OperationRequest, error) {
	req := unwind.OperationRequest{
		Kind: kind, SelectionID: c.String("selection"), Canary: c.Int("canary"), Auto: c.Bool("auto"), Reason: c.String("reason"),
	}
	if req.SelectionID == "" {
		req.Selection = &unwind.Selection{Group: c.String("group"), Saga: c.String("saga"), Service: c.String("service"), Tenant: c.String("tenant")}
	}
	if text := c.String("before"); text != "" {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return req, usagef("--before %s: write a time as in 2026-01-02T15:04:05Z", text)
		}
		if req.Selection == nil {
			return req, usagef("--selection is frozen already; --before can't narrow it down")
		}
		req.Selection.Before = &unwind.Time{Time: t.UTC()}
	}
	if text := c.String("rate"); text != "" {
		req.Rate = new(unwind.Rate)
		if err := req.Rate.UnmarshalText([]byte(text)); err != nil {
			return req, usagef("--rate: %v", err)
		}
	}
	return req, nil
}

// operate begins an operation and watches it, or says what it would do.
func (a *app) operate(ctx context.Context, c *cli.Command, kind unwind.OperationKind) error {
	req, err := operationRequest(c, kind)
	if err != nil {
		return err
	}
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		plan, err := cl.PlanOperation(ctx, req)
		if err != nil {
			return err
		}
		return showOne(a, plan, func(w io.Writer) { writePlan(w, kind, plan) })
	}
	if req.Reason == "" {
		return usagef("it needs --reason; %s --help shows its flags", c.FullName())
	}
	req.Key = rand.Text() // should the answer be lost, it is asked for again
	op, err := cl.StartOperation(ctx, req)
	if err != nil {
		return err
	}
	if c.Bool("detach") {
		return a.showOperation(op)
	}
	return a.watchOperation(ctx, cl, op.ID)
}

// wouldBe is what a dry run says.
var wouldBe = map[unwind.OperationKind]string{unwind.OperationReplay: "replayed", unwind.OperationCancel: "cancelled: what they did is undone"}

func writePlan(w io.Writer, kind unwind.OperationKind, plan *unwind.OperationPlan) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	p("%d would be %s%s\n", plan.Eligible, wouldBe[kind], map[bool]string{true: "; skipped" + printable(whyText(plan.Skipped))}[len(plan.Skipped) > 0])
	if len(plan.AmountAtRisk) > 0 {
		p("amount at risk %s\n", printable(string(plan.AmountAtRisk)))
	}
	for i := range plan.Lanes {
		l := &plan.Lanes[i]
		rate := "no limit"
		if l.Rate != nil {
			rate = unwind.RateText(*l.Rate)
		}
		p("through the %s lane of %s: %s, %d waiting already%s\n", l.Lane, printable(l.Service), rate, l.Waiting,
			map[bool]string{true: ", held: " + printable(l.Held)}[l.Held != ""])
	}
	if plan.EstimateMS != nil {
		p("at %s it would take about %s\n", unwind.RateText(*plan.Rate), roundUp(*plan.EstimateMS))
	}
	if plan.Eligible == 0 {
		return
	}
	p("frozen until %s; to run it:\n%s\n", when(plan.ExpiresAt), printable(plan.Command))
}
