package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/internal/bench"
)

func (a *app) benchCommand() *cli.Command {
	child := func(name string, run func(ctx context.Context, c *cli.Command) error) *cli.Command {
		return &cli.Command{Name: name, Hidden: true, Usage: "a process of the measurements", Flags: []cli.Flag{&cli.StringFlag{Name: "config"}}, Action: run}
	}
	return &cli.Command{
		Name: "bench", Usage: "measure this machine, and the engine beside what it allows",
		Description: "Starts a server and a participant as processes of their own, on loopback, and puts each figure beside a\n" +
			"limit taken in the same run. All of it takes some minutes. On a machine that does other things too the\n" +
			"figures say little; the report tells how much of the CPUs others used.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "only", Usage: "take only these: " + strings.Join(bench.Names(), ", ")},
			&cli.BoolFlag{Name: "quick", Usage: "take few of everything, to see that it works"},
			&cli.StringFlag{Name: "dir", Usage: "a folder for the stores, on the disk to be measured; default: a temporary one"},
			&cli.StringFlag{Name: "write", Usage: "write the report to this file as a page, too"},
			&cli.StringFlag{Name: "profiles", Usage: "an existing folder for CPU profiles of the processes"},
		},
		Commands: []*cli.Command{
			child("participant", func(ctx context.Context, _ *cli.Command) error { return bench.RunParticipant(ctx, a.stdin, a.stdout) }),
			child("worker", func(ctx context.Context, _ *cli.Command) error {
				tuneCollector() // an engine in a process of its own: as a server
				return bench.RunWorker(ctx, a.stdin, a.stdout)
			}),
			child("server", a.benchServer),
		},
		Action: a.bench,
	}
}

func (a *app) bench(ctx context.Context, c *cli.Command) error {
	if c.Args().Present() {
		return usagef("unwind bench takes no arguments; choose measurements with --only")
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's file: %w", err)
	}
	report, err := bench.Run(ctx, bench.Config{
		Command: []string{self, "bench"}, Only: c.StringSlice("only"), Quick: c.Bool("quick"),
		Dir: c.String("dir"), Profiles: c.String("profiles"), Progress: a.stderr,
	})
	if err != nil {
		return err
	}
	if file := c.String("write"); file != "" {
		var page bytes.Buffer
		if err := report.Write(&page); err != nil {
			return err
		}
		if err := os.WriteFile(file, page.Bytes(), 0o644); err != nil { //nolint:gosec // a page for everybody
			return fmt.Errorf("writing the report: %w", err)
		}
	}
	if err := showOne(a, report, func(w io.Writer) { writeFigures(w, report) }); err != nil {
		return err
	}
	for _, f := range report.Missed() {
		a.say("missed: %s: %s", f.Measurement, f.Name)
	}
	return nil
}

func writeFigures(w io.Writer, r *bench.Report) {
	rows := [][]string{upper(bench.Columns)}
	for i := range r.Figures {
		rows = append(rows, r.Figures[i].Cells())
	}
	_ = writeTable(w, rows)
}

// benchServer is the real server with a line to its parent.
func (a *app) benchServer(ctx context.Context, c *cli.Command) error {
	stop, err := bench.Profile()
	if err != nil {
		return err
	}
	defer stop()
	cfg, err := config.Load(c.String("config"), a.env) // nobody asked for its warnings
	if err != nil {
		return err
	}
	s, err := openServer(ctx, cfg, logTo(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), false)
	if err != nil {
		return err
	}
	serving, end := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- s.run(serving) }()
	err = bench.Converse(a.stdin, a.stdout, bench.Ready{URL: s.url()}, bench.Control)
	end()
	return errors.Join(err, <-served)
}
