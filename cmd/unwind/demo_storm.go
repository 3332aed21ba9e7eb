package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/internal/storm"
)

func (a *app) demoStormCommand() *cli.Command {
	return &cli.Command{
		Name: "storm", Usage: "the incident: a thousand refunds at once, a bad deploy, and three commands that bring the money back", ArgsUsage: "[STORM]",
		Description: "A thousand orders are paid, and then shipping refuses every one of them. The payments gateway takes 50 refunds a\n" +
			"second and answers 429 above that; the engine does not know. Half-way through, a bad version of payments is\n" +
			"deployed: refunds become dead letters, the lane pauses itself, and an alert arrives at a webhook on loopback. Then\n" +
			"three commands are printed. Run them in another terminal; the demo sees it, and compares the services' books.\n" +
			"It begins anew each time. With the name of a STORM (unwind storm list) it shows that one, without the incident.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dir", Usage: "where the store and the services' books are", Value: filepath.Join(os.TempDir(), "unwind-demo-storm-"+strconv.Itoa(os.Getuid()))},
			&cli.StringFlag{Name: "listen", Usage: "the server's address", Value: config.DefaultListen},
			&cli.BoolFlag{Name: "exit", Usage: "end when the money is back, instead of serving on"},
			&cli.BoolFlag{Name: "quick", Usage: "few orders, and a faster gateway"},
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			names := c.Args().Slice()
			switch len(names) {
			case 0:
				return a.demoIncident(ctx, c)
			case 1:
			default:
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
	l := &stormLog{app: a, terminal: isTerminal(a.stderr)}
	a.say("the orders are paid for, and reach shipping…")
	begun := sync.OnceFunc(func() { l.say("shipping refuses all of them") })
	report, err := storm.Run(ctx, storm.Config{Command: []string{self}, Only: names, Quick: quick, Seed: 1, Alone: true, Watch: func(t storm.Tick) {
		begun()
		l.tick(t)
	}})
	l.end()
	if err != nil {
		return err
	}
	v := &report.Verdicts[0]
	return showOne(a, v, func(w io.Writer) { writeStormBooks(w, v) })
}

// A stormLog tells where a drain stands: on a terminal in one line that is drawn
// anew, else in a line whenever something has changed, at most twice a second. It is
// safe for concurrent use.
type stormLog struct {
	app      *app
	terminal bool

	mu    sync.Mutex
	drawn bool       // the line is on the terminal
	told  storm.Tick // what was told last, elsewhere
	from  storm.Tick // what the rate is counted from
	rate  float64
}

// say says a line between two drawings.
func (l *stormLog) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn {
		_, _ = fmt.Fprint(l.app.stderr, "\r\x1b[K")
	}
	l.drawn = false
	l.app.say(format, args...)
}

// end leaves the last drawing where it is.
func (l *stormLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn {
		l.app.say("")
	}
	l.drawn, l.told, l.from, l.rate = false, storm.Tick{}, storm.Tick{}, 0
}

func (l *stormLog) tick(t storm.Tick) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch gone := t.Elapsed - l.from.Elapsed; {
	case l.from.Owed == 0:
		l.from = t
	case gone >= 500*time.Millisecond:
		l.rate = float64(t.Accepted-l.from.Accepted) / gone.Seconds()
		l.from = t
	}
	switch {
	case l.terminal:
		_, _ = fmt.Fprint(l.app.stderr, redrawn(l.line(&t), columnsOf(l.app.stderr)))
		l.drawn = true
	case t.Done != l.told.Done && t.Elapsed-l.told.Elapsed >= 500*time.Millisecond:
		l.app.say("%s", l.line(&t))
		l.told = t
	}
}

func (l *stormLog) line(t *storm.Tick) string {
	line := fmt.Sprintf("%5.1f s  %s  %4d owed", t.Elapsed.Seconds(), stormBar(t.Done, t.Owed), t.Owed-t.Done)
	if t.Lane.Paused != nil {
		return line + "; the lane is paused by " + t.Lane.Paused.By
	}
	line += fmt.Sprintf(", %3.0f/s get through, %d rejected", l.rate, t.Rejected)
	switch g := t.Lane.Gate; {
	case g != nil:
		return line + fmt.Sprintf("; closed by a %s for %.1f s more", g.Reason, max(time.Until(g.Until.Time).Seconds(), 0))
	case t.Lane.Rate.Effective != nil:
		return line + fmt.Sprintf("; pace %.1f/s", *t.Lane.Rate.Effective)
	}
	return line
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
	name := programName()
	writeTries(w, [][2]string{
		{name + " demo storm kill", "while the server is killed every two seconds"},
		{name + " demo storm capacity-drop", "a gateway that gets slower and recovers"},
		{name + " storm " + v.Scenario, "this storm judged, beside a naive retry loop"},
		{name + " storm list", "the others"},
		{name + " demo storm", "the incident, with a server to look around in"},
	})
}
