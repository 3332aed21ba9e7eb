package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind/internal/storm"
)

func (a *app) demoStormCommand() *cli.Command {
	return &cli.Command{
		Name: "storm", Usage: "watch a thousand sagas being undone at once", ArgsUsage: "[STORM]",
		Description: "A thousand orders were paid, and then shipping refuses every one of them. The payments gateway takes 50 calls\n" +
			"a second and answers 429 above that; the engine does not know. Another storm: unwind storm list.",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "quick", Usage: "few orders, and a faster gateway"}},
		Action: func(ctx context.Context, c *cli.Command) error {
			names := c.Args().Slice()
			if len(names) == 0 {
				names = []string{"policer"}
			}
			if len(names) > 1 {
				return usagef("unwind demo storm shows one storm at a time")
			}
			if err := storm.Check(names); err != nil {
				return errUsage{err}
			}
			return a.demoStorm(ctx, names, c.Bool("quick"))
		},
	}
}

func (a *app) demoStorm(ctx context.Context, names []string, quick bool) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's file: %w", err)
	}
	l := stormLog{app: a, terminal: isTerminal(a.stderr)}
	a.say("the orders are paid for, and reach shipping…")
	report, err := storm.Run(ctx, storm.Config{Command: []string{self}, Only: names, Quick: quick, Seed: 1, Alone: true, Watch: l.tick})
	if l.terminal && l.seen {
		a.say("")
	}
	if err != nil {
		return err
	}
	v := &report.Verdicts[0]
	return showOne(a, v, func(w io.Writer) { writeStormBooks(w, v) })
}

// A stormLog tells where a drain stands: on a terminal in one line that is drawn anew.
type stormLog struct {
	app      *app
	terminal bool
	seen     bool
	last     storm.Tick
}

func (l *stormLog) tick(t storm.Tick) {
	if !l.seen {
		l.app.say("shipping refuses all of them: %s are owed", count(t.Owed, "refund"))
	}
	l.seen = true
	rate := 0.0
	if gone := t.Elapsed - l.last.Elapsed; gone > 0 {
		rate = float64(t.Accepted-l.last.Accepted) / gone.Seconds()
	}
	line := fmt.Sprintf("%5.1f s  %s  %4d owed, %3.0f/s get through, %d rejected", t.Elapsed.Seconds(), stormBar(t.Done, t.Owed), t.Owed-t.Done, rate, t.Rejected)
	if p := t.Lane.Rate.Effective; p != nil {
		line += fmt.Sprintf("; pace %.1f/s", *p)
	}
	if g := t.Lane.Gate; g != nil {
		line += fmt.Sprintf("; closed by a %s for %.1f s more", g.Reason, max(time.Until(g.Until.Time).Seconds(), 0))
	}
	l.last = t
	if l.terminal {
		_, _ = fmt.Fprint(l.app.stderr, "\r\x1b[K\x1b[?7l", line, "\x1b[?7h")
		return
	}
	l.app.say("%s", line)
}

func stormBar(done, all int) string {
	const width = 10
	full := width * done / max(all, 1)
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

func writeStormBooks(w io.Writer, v *storm.Verdict) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	o := &v.Ours
	p("\nThe gateway's books: %s, %s, %d of them twice.\n", count(o.Owed, "charge"), count(o.Done+o.Duplicated, "refund"), o.Duplicated)
	p("It bore %d calls and rejected %d. %.1f s from the first refund; who knows all would take %.1f s.\n",
		o.Accepted, o.Rejected, o.Drain.Std().Seconds(), v.Ideal.Std().Seconds())
	switch {
	case o.Lost+o.Duplicated > 0:
		p("✗ the books do not add up: %d are lost; that should not be, please report it\n", o.Lost)
	case o.Drained():
		p("✓ every charge is refunded, once\n")
	default:
		p("✓ nothing is lost: %d still wait, %s\n", o.Left, count(o.Dead, "dead letter"))
	}
	p("\nTry next:\n\n")
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	name := programName()
	for _, line := range [][2]string{
		{name + " demo storm kill", "the same while the server is killed every two seconds"},
		{name + " demo storm capacity-drop", "a gateway that gets slower and recovers"},
		{name + " storm " + v.Scenario, "this storm judged, beside a naive retry loop"},
		{name + " storm list", "the others"},
		{name + " demo", "a server to look around in"},
	} {
		_, _ = fmt.Fprintf(t, "  %s\t%s\n", line[0], line[1])
	}
	_ = t.Flush()
}
