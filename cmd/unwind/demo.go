package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/internal/demo"
)

func (a *app) demoCommand() *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "see real sagas run, fail and be undone; no set-up",
		Description: "Starts three services as processes of their own (inventory, payments behind a gateway that answers\n" +
			"429 above its rate, shipping), places orders of which some are refused, and in the end counts every\n" +
			"outcome against the services' own books. Kill it with -9 and start it again: nothing is lost.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dir", Usage: "where the store and the services' books are", Value: filepath.Join(os.TempDir(), "unwind-demo-"+strconv.Itoa(os.Getuid()))},
			&cli.IntFlag{Name: "orders", Usage: "how many orders are placed", Value: 300, Validator: between(1, 100_000)},
			&cli.FloatFlag{Name: "gateway-rate", Usage: "how many payments the gateway bears per second", Value: 60},
			&cli.StringFlag{Name: "listen", Usage: "the server's address", Value: config.DefaultListen},
			&cli.BoolFlag{Name: "exit", Usage: "end when the books are compared, instead of serving on"},
			&cli.BoolFlag{Name: "fresh", Usage: "begin anew, with empty books"},
		},
		Action: a.demo,
	}
}

func between(least, most int) func(int) error {
	return func(n int) error {
		if n < least || n > most {
			return fmt.Errorf("%d is not between %d and %d", n, least, most)
		}
		return nil
	}
}

// A demoRun is what a run remembers for the one after a crash.
type demoRun struct {
	Seed     uint64 `json:"seed"`
	Orders   int    `json:"orders"`
	Finished bool   `json:"finished"`
}

func (a *app) demo(ctx context.Context, c *cli.Command) error {
	dir := c.String("dir")
	if c.Bool("fresh") {
		if err := clearDemo(dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the demo's folder: %w", err)
	}
	run, resumed := a.demoRun(c, dir)
	logFile, err := os.OpenFile(filepath.Join(dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the demo's log: %w", err)
	}
	defer logFile.Close() //nolint:errcheck // a log
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's file: %w", err)
	}
	a.say("starting inventory, payments and shipping (books in %s)", dir)
	troupe, err := demo.StartTroupe(ctx, demo.TroupeOptions{
		Command: []string{self, "demo-participant"}, Dir: dir, GatewayRate: c.Float("gateway-rate"),
		Say: func(line string) { a.say("%s", line) },
	})
	if err != nil {
		return err
	}
	defer troupe.Stop()
	s, err := openServer(ctx, demoConfig(c.String("listen"), dir, troupe), slog.New(slog.NewTextHandler(logFile, nil)))
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- s.run(serving) }()
	if resumed {
		a.say("the last run was cut short: its %d orders are placed again under their keys; what was begun goes on", run.Orders)
	}
	story := a.tell(ctx, c, dir, s.url(), troupe, run)
	if story == nil && !c.Bool("exit") {
		a.whatNext(c, s.url(), dir, troupe)
		select {
		case <-ctx.Done():
		case err := <-served:
			stop()
			return err
		}
	}
	stop()
	return errors.Join(story, <-served)
}

// tell places the orders and compares the books.
func (a *app) tell(ctx context.Context, c *cli.Command, dir, url string, troupe *demo.Troupe, run demoRun) error {
	cl, err := client.New(client.Config{URL: url})
	if err != nil {
		return err
	}
	a.say("the server is at %s; placing %d orders", url, run.Orders)
	begin := time.Now()
	d := demo.Drive{Service: cl, Orders: demo.Orders(run.Orders, run.Seed), Progress: a.stderr, Terminal: isTerminal(a.stderr)}
	outcomes, err := d.Run(ctx)
	if err != nil {
		return err
	}
	a.say("all orders are at rest after %s; reading the services' books", time.Since(begin).Round(100*time.Millisecond))
	past, err := pastOutcomes(ctx, cl, outcomes)
	if err != nil {
		return err
	}
	urls := troupe.URLs()
	ledger, err := demo.Gather(ctx, nil, urls[demo.Inventory], urls[demo.Payments], urls[demo.Shipping])
	if err != nil {
		return fmt.Errorf("reading the services' books: %w", err)
	}
	report := demo.Audit(append(past, outcomes...), ledger)
	run.Finished = true
	saveDemoRun(dir, run)
	if err := showOne(a, report, func(w io.Writer) { writeAudit(w, &report, ledger) }); err != nil {
		return err
	}
	if !report.OK() {
		return errors.New("the books do not add up; that should not be: keep the folder " + dir + " and report it")
	}
	return nil
}

// pastOutcomes are the orders of earlier runs in the same folder.
func pastOutcomes(ctx context.Context, cl *client.Client, now []demo.Outcome) ([]demo.Outcome, error) {
	known := map[string]bool{}
	for _, o := range now {
		known[o.Saga] = true
	}
	var past []demo.Outcome
	f := unwind.Filter{Saga: "place-order", Page: unwind.Page{Limit: 1000}}
	for {
		list, err := cl.List(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("reading the orders of earlier runs: %w", err)
		}
		for _, inst := range list.Items {
			if known[inst.ID] {
				continue
			}
			var o demo.Order
			if json.Unmarshal(inst.Input, &o) == nil {
				past = append(past, demo.Outcome{Order: o, Saga: inst.ID, Status: string(inst.Status)})
			}
		}
		if f.Cursor = list.NextCursor; f.Cursor == "" {
			return past, nil
		}
	}
}

func writeAudit(w io.Writer, r *demo.Report, l demo.Ledger) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	p("\n%d orders: %d completed, %d undone, %d dead letters\n", r.Orders, r.Completed, r.Compensated, r.DeadLettered)
	for _, b := range l.Books {
		switch {
		case b.Inventory != nil:
			p("  inventory  reserved %d, released %d pieces: %d left the shelves\n", b.Inventory.Reserved, b.Inventory.Released, b.Inventory.Reserved-b.Inventory.Released)
		case b.Payments != nil:
			p("  payments   charged %s, refunded %s: %s kept\n", cents(b.Payments.ChargedCents), cents(b.Payments.RefundedCents), cents(b.Payments.NetCents))
		case b.Shipping != nil:
			p("  shipping   shipped %d, cancelled %d parcels\n", b.Shipping.Shipped, b.Shipping.Cancelled)
		}
	}
	for _, d := range r.Discrepancies {
		p("  ✗ %s\n", d)
	}
	if r.OK() {
		p("✓ every outcome agrees with the services' own books: stock and money add up\n")
	}
}

func cents(n int64) string { return fmt.Sprintf("%d.%02d EUR", n/100, n%100) }

func (a *app) whatNext(c *cli.Command, url, dir string, troupe *demo.Troupe) {
	flag := ""
	if c.String("listen") != config.DefaultListen {
		flag = " --server " + url
	}
	_, _ = fmt.Fprintf(a.stdout, `
The server goes on at %s (API: %s/docs). Try, in another terminal:

  unwind%s saga list                       what became of the orders
  unwind%s saga list --status compensated  those that were undone
  unwind%s saga history ID                 one saga's journal, call by call
  unwind%s service list                    the lanes and what waits in them
  unwind%s dlq list                        calls that wait for a person
  kill -9 %d                            this process, now or while orders run: then
  unwind demo                              start it again, nothing is lost
  kill -9 %d                            the payments service: it comes back, sagas wait

Ctrl-C stops everything. The folder is %s
`, url, url, flag, flag, flag, flag, flag, os.Getpid(), troupe.PID(demo.Payments), dir)
}

func demoConfig(listen, dir string, troupe *demo.Troupe) *config.Config {
	cfg := config.Config{Listen: listen, Store: "sqlite:" + filepath.Join(dir, "unwind.db"), Services: map[string]config.Service{}, Sagas: map[string]unwind.Definition{"place-order": demo.Definition()}}.WithDefaults()
	for name, p := range troupe.Participants() {
		cfg.Services[name] = config.Service{Participant: p}
	}
	return &cfg
}

// demoRun goes on with a run that was cut short, or begins another.
func (a *app) demoRun(c *cli.Command, dir string) (run demoRun, resumed bool) {
	b, err := os.ReadFile(filepath.Join(dir, "run.json"))
	if err == nil && json.Unmarshal(b, &run) == nil && !run.Finished && run.Orders > 0 {
		return run, true
	}
	run = demoRun{Seed: run.Seed + 1, Orders: c.Int("orders")}
	saveDemoRun(dir, run)
	return run, false
}

func saveDemoRun(dir string, run demoRun) {
	b, err := json.Marshal(run)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "run.json"), b, 0o600)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "remembering the run:", err)
	}
}

// clearDemo removes what earlier runs left, and nothing else.
func clearDemo(dir string) error {
	for _, pattern := range []string{"run.json", "*.log", "*.db", "*.db-wal", "*.db-shm", "*.db.lock", "participant-*.jsonl"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return fmt.Errorf("clearing the demo's folder: %w", err)
		}
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				return fmt.Errorf("clearing the demo's folder: %w", err)
			}
		}
	}
	return nil
}

func (a *app) say(format string, args ...any) {
	_, _ = fmt.Fprintf(a.stderr, format+"\n", args...)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

func (a *app) participantCommand() *cli.Command {
	return &cli.Command{
		Name: "demo-participant", Hidden: true, Usage: "one of the demo's services",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "name"}, &cli.StringFlag{Name: "dir"}, &cli.StringFlag{Name: "listen"},
			&cli.FloatFlag{Name: "gateway-rate"}, &cli.BoolFlag{Name: "call-log"},
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
				GatewayRate: c.Float("gateway-rate"), GatewayBurst: 5, CallLog: c.Bool("call-log"), Log: slog.New(slog.NewTextHandler(a.stderr, nil)),
			}, a.stdout)
		},
	}
}
