package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind/internal/storm"
)

func (a *app) stormCommand() *cli.Command {
	return &cli.Command{
		Name: "storm", Usage: "let storms of failed sagas loose on services in trouble, and judge the undoing",
		ArgsUsage: "[STORM…]",
		Description: "In each storm a thousand sagas fail at once, and what they owe goes through a gateway model that rejects, slows\n" +
			"down, hangs or lies. What the gateway counted is put beside the ideal and beside a naive retry loop that meets\n" +
			"the same model. All of it is on loopback and takes some twenty minutes. Exit code 1: a storm missed a goal.\n" +
			"unwind storm list names the storms.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "quick", Usage: "few sagas and faster models, at most 5 s each; judges only losses, repetitions and limits"},
			&cli.Uint64Flag{Name: "seed", Usage: "of the naive loop's chance", Value: 1},
			&cli.StringFlag{Name: "dir", Usage: "an existing folder for the stores, and for what the gateway saw as STORM.jsonl; default: a temporary one"},
			&cli.StringFlag{Name: "write", Usage: "write the report to this file as a page, too, with pictures beside it"},
		},
		Commands: []*cli.Command{{
			Name: "list", Usage: "name the storms", Action: func(context.Context, *cli.Command) error { return a.stormList() },
		}},
		Action: a.storm,
	}
}

// A stormLine names a storm.
type stormLine struct {
	Storm string     `json:"storm"`
	About string     `json:"about"`
	Model storm.Spec `json:"model"`
}

func (a *app) stormList() error {
	var lines []stormLine
	for _, sc := range storm.Scenarios() {
		lines = append(lines, stormLine{sc.Name, sc.About, sc.Spec})
	}
	return show(a, []string{"STORM", "WHAT HAPPENS"}, lines, func(l stormLine) []string { return []string{l.Storm, l.About} })
}

func (a *app) storm(ctx context.Context, c *cli.Command) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's file: %w", err)
	}
	if err := storm.Check(c.Args().Slice()); err != nil {
		return errUsage{err}
	}
	report, err := storm.Run(ctx, storm.Config{
		Command: []string{self}, Only: c.Args().Slice(), Quick: c.Bool("quick"), Seed: c.Uint64("seed"), Dir: c.String("dir"), Progress: a.stderr,
	})
	if err != nil {
		return err
	}
	if file := c.String("write"); file != "" {
		if err := report.Write(file); err != nil {
			return err
		}
	}
	if err := showOne(a, report, func(w io.Writer) { writeVerdicts(w, report) }); err != nil {
		return err
	}
	if len(report.Failed()) > 0 {
		return errQuiet(exitError)
	}
	return nil
}

func writeVerdicts(w io.Writer, r *storm.Report) {
	rows := [][]string{upper(storm.Columns)}
	for i := range r.Verdicts {
		rows = append(rows, r.Verdicts[i].Rows()...)
	}
	_ = writeTable(w, rows)
	for i := range r.Verdicts {
		for _, m := range r.Verdicts[i].Missed() {
			_, _ = fmt.Fprintf(w, "missed: %s: %s\n", r.Verdicts[i].Scenario, m)
		}
	}
	failed := len(r.Failed())
	_, _ = fmt.Fprintf(w, "%d of %d storms pass\n", len(r.Verdicts)-failed, len(r.Verdicts))
	if r.Quick {
		_, _ = fmt.Fprintln(w, "a quick run: only losses, repetitions and limits were judged")
	}
}
