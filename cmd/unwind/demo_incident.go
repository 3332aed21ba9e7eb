package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/alert"
	"github.com/unwindhq/unwind/client"
	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/internal/demo"
	"github.com/unwindhq/unwind/internal/storm"
)

// demoIncident plays the incident to its end, which is an operator's.
func (a *app) demoIncident(ctx context.Context, c *cli.Command) error {
	dir, err := filepath.Abs(c.String("dir"))
	if err != nil {
		return fmt.Errorf("finding the demo's folder: %w", err)
	}
	listen := c.String("listen")
	if err := free(ctx, listen); err != nil { // what another one uses is not cleared
		return stormElsewhere(err)
	}
	log, closeLog, err := demoFolder(dir, true)
	if err != nil {
		return err
	}
	defer closeLog()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's file: %w", err)
	}
	l := &stormLog{app: a, terminal: isTerminal(a.stderr)}
	sink, err := demo.OpenSink(ctx, func(p alert.Payload) { l.say("%s", alertLine(&p)) })
	if err != nil {
		return err
	}
	defer sink.Close() //nolint:errcheck // what it was told is told
	orders, rate := 1000, 50.0
	if c.Bool("quick") {
		orders, rate = 120, 100
	}
	a.say("starting inventory, payments and shipping (books in %s)", dir)
	troupe, err := demo.StartTroupe(ctx, demo.TroupeOptions{
		Command: []string{self, "demo-participant"}, Dir: dir, GatewayRate: rate, GatewayUndo: true, Say: func(line string) { l.say("%s", line) },
	})
	if err != nil {
		return err
	}
	defer troupe.Stop()
	s, err := openServer(ctx, incidentConfig(listen, dir, troupe, sink), log, false)
	if err != nil {
		return stormElsewhere(err)
	}
	serving, stop := serveDemo(ctx, s)
	return errors.Join(a.incident(serving, c, l, &demo.Incident{Troupe: troupe, Sink: sink, Orders: demo.Undeliverable(orders, 1)}, s.url()), stop())
}

func stormElsewhere(err error) error {
	return fmt.Errorf("%w\nis another demo running? This one can run beside it: unwind demo storm --listen 127.0.0.1:7071 --dir FOLDER", err)
}

// incidentConfig is the demo's, with a lane that finds the rate of the gateway, and
// alerts.
func incidentConfig(listen, dir string, troupe *demo.Troupe, sink *demo.Sink) *config.Config {
	cfg := demoConfig(listen, dir, troupe)
	payments := cfg.Services[demo.Payments]
	payments.Compensation.Adaptive = true
	cfg.Services[demo.Payments] = payments
	cfg.Alerts.Sinks = []config.Sink{{Webhook: sink.URL, Secret: config.NewSecret(sink.Secret)}}
	return cfg
}

// incident tells the story, on a server that runs.
func (a *app) incident(ctx context.Context, c *cli.Command, l *stormLog, in *demo.Incident, url string) error {
	cl, err := client.New(client.Config{URL: url})
	if err != nil {
		return err
	}
	owed := len(in.Orders)
	in.Service, in.Say = cl, l.say
	in.Watch = func(d demo.Drain) {
		l.tick(storm.Tick{Elapsed: d.Elapsed, Owed: d.Owed, Done: d.Refunded, Accepted: d.Accepted, Rejected: d.Rejected, Lane: d.Lane})
	}
	a.say("the server is at %s\nalerts go to %s, which checks their signatures", url, in.Sink.URL)
	a.say("%s are placed: stock is reserved, payments are charged", count(owed, "order"))
	if err := in.Prepare(ctx); err != nil {
		return err
	}
	situation, err := in.Strike(ctx)
	l.end()
	if err != nil {
		return err
	}
	situation.Commands = recovery(c, url, situation.Group)
	if err := showOne(a, situation, func(w io.Writer) { writeSituation(w, situation) }); err != nil {
		return err
	}
	switch err := in.Recover(ctx); {
	case ctx.Err() != nil && !c.Bool("exit"):
		l.end()
		return nil // it was left as it is
	case err != nil:
		l.end()
		return err
	}
	if err := in.Sink.WaitEnd(ctx, unwind.AlertDeadLetter, unwind.AlertLaneGuard); err != nil {
		return err
	}
	l.end()
	books, err := readBooks(ctx, cl, in.Troupe, nil)
	if err != nil {
		return err
	}
	end := "the money is back."
	if g, ok := in.Troupe.Gateway(ctx); ok {
		end += fmt.Sprintf(" The gateway bore %d refund calls and rejected %d", g.CompensationsAccepted, g.CompensationsRejected)
	}
	l.say("%s", end)
	if err := a.showBooks(books, c.String("dir")); err != nil {
		return err
	}
	if c.Bool("exit") {
		return nil
	}
	if a.format == "table" {
		_, _ = fmt.Fprintf(a.stdout, "\nThe server goes on at %s, until Ctrl-C. Try:\n\n", url)
		writeTries(a.stdout, [][2]string{
			{commandLine(c, url, "audit"), "who did what"},
			{commandLine(c, url, "alerts"), "what has fired"},
			{commandLine(c, url, "dlq list --state replayed"), "what had died"},
			{programName() + " storm policer", "the storm judged, beside a naive retry loop"},
		})
	}
	<-ctx.Done()
	return nil
}

// recovery are the commands that bring the money back.
func recovery(c *cli.Command, url, group string) []string {
	why := "--reason " + shellWord(demo.Reason)
	return []string{
		commandLine(c, url, "dlq groups"),
		commandLine(c, url, "service resume "+demo.Payments+" "+why),
		commandLine(c, url, "dlq replay --group "+group+" --canary 3 --auto "+why),
	}
}

// commandLine is a command for this server, as it can be copied to a shell.
func commandLine(c *cli.Command, url, words string) string {
	name := programName()
	if _, elsewhere := os.LookupEnv("UNWIND_SERVER"); elsewhere || c.String("listen") != config.DefaultListen {
		name += " --server " + shellWord(url)
	}
	return name + " " + words
}

func writeSituation(w io.Writer, s *demo.Situation) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	p("\n%d of %s are still charged: %s\n", s.StillCharged, count(s.Orders, "customer"), cents(s.ChargedCents))
	p("  %d of the refunds died, of %s: %s at risk\n", s.DeadLetters, s.Error, cents(s.RiskCents))
	p("  %d wait: after five deaths of one cause their lane has paused itself\n", s.Waiting)
	p("  alerts that fire: %s\n\n", strings.Join(s.Alerts, ", "))
	p("The payments team has rolled its version back. In another terminal, these three\ncommands bring the money back: look, let the lane go on, replay what died.\n\n")
	for _, line := range s.Commands {
		p("  %s\n", line)
	}
	p("\n")
}

// alertLine is what a sink was told, in a line.
func alertLine(p *alert.Payload) string {
	if strings.HasSuffix(p.Type, ".resolved") {
		return fmt.Sprintf("alert over: %s, after %s (signature good)", p.Data.Kind, p.Data.ResolvedAt.Sub(p.Data.At.Time).Round(time.Second))
	}
	return fold(fmt.Sprintf("ALERT %s (signature good): %s", p.Data.Kind, printable(p.Data.Message)), 78)
}
