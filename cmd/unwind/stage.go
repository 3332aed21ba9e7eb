package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/internal/demo"
)

// A stage is where one demo takes place.
type stage struct {
	app      *app
	cmd      *cli.Command
	dir, url string
	terminal bool
	troupe   *demo.Troupe
}

// interrupt says a line between two drawings of the progress.
func (st *stage) interrupt(line string) {
	if st.terminal {
		line = "\r\x1b[K" + line
	}
	st.app.say("%s", line)
}

// tell places the orders and compares the books.
func (st *stage) tell(ctx context.Context) error {
	a := st.app
	cl, err := client.New(client.Config{URL: st.url})
	if err != nil {
		return err
	}
	run, resumed := a.demoRun(st.cmd, st.dir)
	a.say("the server is at %s, process %d:\nkill -9 it at any time, and start it again", st.url, os.Getpid())
	switch {
	case resumed:
		a.say("the last run was cut short: what was begun goes on, and its %d orders are placed again under their keys", run.Orders)
	case run.Seed > 1:
		a.say("placing %s; those of earlier runs are in the books too (--fresh begins anew)", count(run.Orders, "order"))
	default:
		a.say("placing %s", count(run.Orders, "order"))
	}
	begin := time.Now()
	d := demo.Drive{
		Service: cl, Orders: demo.Orders(run.Orders, run.Seed), Progress: a.stderr,
		Note: func(ctx context.Context) string { return st.note(ctx, cl) },
	}
	if st.terminal {
		d.Redrawn = func(line string) string {
			columns := columnsOf(a.stderr)
			return redrawn(fitting(line, columns), columns)
		}
	}
	outcomes, err := d.Run(ctx)
	if err != nil {
		a.say("stopped; start the demo again and it goes on where it is")
		return err
	}
	a.say("all orders are at rest after %s; reading the services' books", time.Since(begin).Round(100*time.Millisecond))
	books, err := readBooks(ctx, cl, st.troupe, outcomes)
	if err != nil {
		return err
	}
	run.Finished = true
	saveDemoRun(st.dir, run)
	return a.showBooks(books, st.dir)
}

// books are those of the services, and what the engine's word on every order is
// beside them.
type books struct {
	report demo.Report
	ledger demo.Ledger
}

// readBooks compares all orders that the server knows of; outcomes are of this run.
func readBooks(ctx context.Context, cl *client.Client, troupe *demo.Troupe, outcomes []demo.Outcome) (*books, error) {
	past, err := pastOutcomes(ctx, cl, outcomes)
	if err != nil {
		return nil, err
	}
	urls := troupe.URLs()
	ledger, err := demo.Gather(ctx, nil, urls[demo.Inventory], urls[demo.Payments], urls[demo.Shipping])
	if err != nil {
		return nil, fmt.Errorf("reading the services' books: %w", err)
	}
	return &books{demo.Audit(append(past, outcomes...), ledger), ledger}, nil
}

func (a *app) showBooks(b *books, dir string) error {
	if err := showOne(a, b.report, func(w io.Writer) { writeAudit(w, &b.report, b.ledger) }); err != nil {
		return err
	}
	if !b.report.OK() {
		return errors.New("the books do not add up; that should not be: keep the folder " + dir + " and report it")
	}
	return nil
}

// note says what waits, and how often the gateway has said 429.
func (st *stage) note(ctx context.Context, cl *client.Client) string {
	var parts []string
	if g, ok := st.troupe.Gateway(ctx); ok && g.Rejected > 0 {
		parts = append(parts, fmt.Sprintf("429s: %d", g.Rejected))
	}
	services, err := cl.Participants(ctx)
	if err != nil {
		return strings.Join(parts, "; ")
	}
	for _, s := range services {
		forward, undo := s.Lanes.Forward.Depth, s.Lanes.Compensation.Depth
		if calls, undos := forward.Ready+forward.BackingOff, undo.Ready+undo.BackingOff; calls+undos > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d calls, %d undos wait", s.Name, calls, undos))
		}
	}
	return strings.Join(parts, "; ")
}

// pastOutcomes are the orders of earlier runs in the same folder.
func pastOutcomes(ctx context.Context, cl *client.Client, now []demo.Outcome) ([]demo.Outcome, error) {
	known := map[string]bool{}
	for _, o := range now {
		known[o.Saga] = true
	}
	var past []demo.Outcome
	err := each(func(p unwind.Page) (unwind.List[unwind.Instance], error) {
		return cl.List(ctx, unwind.Filter{Saga: "place-order", Page: p})
	}, func(inst *unwind.Instance) error {
		var o demo.Order
		// Sagas that a visitor began by hand are no orders of the demo's.
		if !known[inst.ID] && json.Unmarshal(inst.Input, &o) == nil && o.OrderID != "" && o.OrderID == inst.Key {
			past = append(past, demo.Outcome{Order: o, Saga: inst.ID, Status: string(inst.Status)})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the orders of earlier runs: %w", err)
	}
	return past, nil
}

func writeAudit(w io.Writer, r *demo.Report, l demo.Ledger) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	p("\n%s: %d completed, %d undone, %d dead letters\n", count(r.Orders, "order"), r.Completed, r.Compensated, r.DeadLettered)
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

// whatNext says what can be tried now.
func (st *stage) whatNext() {
	name, again := programName(), ""
	if st.cmd.IsSet("dir") {
		again += " --dir " + st.dir
	}
	flag := ""
	if st.cmd.String("listen") != config.DefaultListen {
		flag = " --server " + st.url
		again += " --listen " + st.cmd.String("listen")
	}
	w := st.app.stdout
	_, _ = fmt.Fprintf(w, "\nThe server goes on at %s (API: %s/docs). In another terminal:\n\n", st.url, st.url)
	writeTries(w, [][2]string{
		{name + flag + " saga list", "what became of the orders"},
		{name + flag + " saga list --status compensated", "those that were undone"},
		{name + flag + " saga history ID", "one saga's journal, call by call"},
		{name + flag + " service list", "the lanes and what waits in them"},
		{name + flag + " dlq list", "calls that wait for a person"},
		{fmt.Sprintf("kill -9 %d", st.troupe.PID(demo.Payments)), "the payments service: it comes back"},
		{fmt.Sprintf("kill -9 %d", os.Getpid()), "this process; then start it again:"},
		{name + " demo" + again, "nothing is lost, and more orders are placed"},
	})
	_, _ = fmt.Fprintf(w, "\nCtrl-C stops everything. The folder is %s\n", st.dir)
}

// programName is how this program can be begun, from another folder too.
func programName() string {
	self, err := os.Executable()
	switch {
	case err == nil && strings.Contains(self, "go-build"):
		return "go run ./cmd/unwind"
	case err == nil && strings.Contains(os.Args[0], string(filepath.Separator)):
		return shellWord(self)
	}
	return "unwind"
}

// shellWord is a word as a shell reads it.
func shellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[\w./:@%+,=-]+$`)
