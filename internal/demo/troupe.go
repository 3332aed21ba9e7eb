package demo

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/gateway"
)

// Names are the participants in the order in which an order meets them.
var Names = []string{Inventory, Payments, Shipping}

// A Troupe runs the three participants as child processes. A child that dies is
// started again, on its old address and its old books; all end with the parent,
// even when that is killed, because their standard input ends.
type Troupe struct {
	options TroupeOptions
	cancel  context.CancelFunc
	done    sync.WaitGroup

	mu   sync.Mutex
	urls map[string]string
	pids map[string]int
}

// TroupeOptions describe a Troupe.
type TroupeOptions struct {
	// Command starts a child; the options of RunParticipant are added as
	// --name, --dir, --listen, --gateway-rate and --gateway-undo.
	Command []string
	// Dir has the books.
	Dir string
	// GatewayRate of payments, per second; with GatewayUndo of its refunds alone.
	GatewayRate float64
	GatewayUndo bool
	// Say is told what happens, in a line each.
	Say func(string)
}

// restart is how long a child that died stays away.
const restart = time.Second

// StartTroupe starts the participants and returns when all take calls. When ctx
// ends before that they are stopped; after that only Stop does, so that they
// outlive what calls them.
func StartTroupe(ctx context.Context, o TroupeOptions) (*Troupe, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the participants' books: %w", err)
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	up := context.AfterFunc(ctx, cancel)
	t := &Troupe{options: o, cancel: cancel, urls: map[string]string{}, pids: map[string]int{}}
	for _, name := range Names {
		child, err := t.startSomewhere(life, name)
		if err != nil {
			t.Stop()
			return nil, cmp.Or(ctx.Err(), err)
		}
		t.done.Add(1)
		go t.keep(life, name, child)
	}
	if !up() {
		t.Stop()
		return nil, ctx.Err()
	}
	return t, nil
}

// A child is one running participant.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ready Ready
}

// startSomewhere starts a participant at an address where it comes back when it has died.
// Somebody else may take that between looking for it and listening there.
func (t *Troupe) startSomewhere(ctx context.Context, name string) (c *child, err error) {
	for range 3 {
		var address string
		if address, err = gateway.FreeAddress(ctx); err != nil {
			return nil, err
		}
		if c, err = t.start(ctx, name, address); err == nil || ctx.Err() != nil {
			return c, err
		}
	}
	return nil, err
}

func (t *Troupe) start(ctx context.Context, name, listen string) (*child, error) {
	args := append(append([]string{}, t.options.Command[1:]...), "--name", name, "--dir", t.options.Dir, "--listen", listen)
	if name == Payments {
		args = append(args, "--gateway-rate", strconv.FormatFloat(t.options.GatewayRate, 'f', -1, 64), "--gateway-undo="+strconv.FormatBool(t.options.GatewayUndo))
	}
	cmd := exec.CommandContext(ctx, t.options.Command[0], args...) //nolint:gosec // it is this program itself
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = gateway.Apart()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting participant %s: %w", name, err)
	}
	cmd.Cancel = stdin.Close
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting participant %s: %w", name, err)
	}
	logFile, err := os.OpenFile(filepath.Join(t.options.Dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("starting participant %s: %w", name, err)
	}
	defer logFile.Close() //nolint:errcheck // the child has its own
	cmd.Stderr = logFile
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting participant %s: %w", name, err)
	}
	c := &child{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &c.ready)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, fmt.Errorf("starting participant %s: it did not come up (%w); see %s", name, err, logFile.Name())
	}
	t.mu.Lock()
	t.urls[name], t.pids[name] = c.ready.URL, c.ready.PID
	t.mu.Unlock()
	return c, nil
}

// keep starts a child again when it dies.
func (t *Troupe) keep(ctx context.Context, name string, c *child) {
	defer t.done.Done()
	for {
		err := c.cmd.Wait()
		if ctx.Err() != nil {
			return
		}
		t.options.Say(fmt.Sprintf("participant %s died (%v); it is started again on its old books", name, err))
		timer := time.NewTimer(restart)
		for {
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
			next, err := t.start(ctx, name, c.ready.Address)
			if err == nil {
				c = next
				break
			}
			if ctx.Err() != nil {
				return
			}
			t.options.Say(err.Error())
			timer.Reset(restart)
		}
	}
}

// Stop ends the participants and waits for them.
func (t *Troupe) Stop() {
	t.cancel()
	t.done.Wait()
}

// URLs are the participants' base URLs by name.
func (t *Troupe) URLs() map[string]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.urls)
}

// Gateway is what the payments gateway has counted since it was started last;
// false where it does not answer.
func (t *Troupe) Gateway(ctx context.Context) (stats gateway.Stats, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return stats, fetch(ctx, nil, t.URLs()[Payments]+"/gateway", &stats) == nil
}

// Payments reads the totals of the payments' books.
func (t *Troupe) Payments(ctx context.Context) (PaymentsBooks, error) {
	var books Books
	if err := fetch(ctx, nil, t.URLs()[Payments]+"/books", &books); err != nil {
		return PaymentsBooks{}, err
	}
	if books.Payments == nil {
		return PaymentsBooks{}, errors.New("demo: the payments' books are somebody else's")
	}
	return *books.Payments, nil
}

// Deploy puts a version of payments live, until the next one or until it dies.
func (t *Troupe) Deploy(ctx context.Context, v Version) error {
	return put(ctx, t.URLs()[Payments]+"/version", v)
}

// PID is a participant's process.
func (t *Troupe) PID(name string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pids[name]
}

// Participants declares the three to an engine.
func (t *Troupe) Participants() map[string]unwind.Participant {
	all := map[string]unwind.Participant{}
	for name, url := range t.URLs() {
		all[name] = unwind.Participant{
			URL: url, Timeout: 5 * unwind.Second, Status: "/status",
			Forward:      unwind.Limits{Concurrency: 32},
			Compensation: unwind.Limits{Rate: unwind.PerSecond(200), Concurrency: 10},
		}
	}
	return all
}

// Definition is the demo's saga: reserve stock, charge the payment, ship.
func Definition() unwind.Definition {
	step := func(name, service, do, undo string, priority unwind.Priority) unwind.Step {
		return unwind.Step{Name: name, Action: &unwind.Call{Service: service, Path: do}, Compensation: &unwind.Call{Service: service, Path: undo, Priority: priority}}
	}
	return unwind.Definition{
		Name: "place-order", Amount: "input.total_cents",
		Retry:             &unwind.Retry{Initial: 200 * unwind.Millisecond, Max: 5 * unwind.Second, Attempts: 8},
		CompensationRetry: &unwind.Retry{Initial: 500 * unwind.Millisecond, Max: 10 * unwind.Second, Attempts: 30},
		Steps: []unwind.Step{
			step("reserve-stock", Inventory, "/reserve", "/release", unwind.Normal),
			step("charge-payment", Payments, "/charge", "/refund", unwind.Money),
			step("create-shipment", Shipping, "/ship", "/cancel", unwind.Normal),
		},
	}
}
