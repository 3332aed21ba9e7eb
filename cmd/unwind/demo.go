package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
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
		Commands: []*cli.Command{a.demoStormCommand()},
		Action:   a.demo,
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
	dir, err := filepath.Abs(c.String("dir"))
	if err != nil {
		return fmt.Errorf("finding the demo's folder: %w", err)
	}
	log, closeLog, err := demoFolder(dir, c.Bool("fresh"))
	if err != nil {
		return err
	}
	defer closeLog()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's file: %w", err)
	}
	if err := free(ctx, c.String("listen")); err != nil {
		return demoElsewhere(err)
	}
	st := &stage{app: a, cmd: c, dir: dir, terminal: isTerminal(a.stderr)}
	a.say("starting inventory, payments and shipping (books in %s)", dir)
	if st.troupe, err = demo.StartTroupe(ctx, demo.TroupeOptions{
		Command: []string{self, "demo-participant"}, Dir: dir, GatewayRate: c.Float("gateway-rate"), Say: st.interrupt,
	}); err != nil {
		return err
	}
	defer st.troupe.Stop()
	s, err := openServer(ctx, demoConfig(c.String("listen"), dir, st.troupe), log, false)
	if err != nil {
		return demoElsewhere(err)
	}
	st.url = s.url()
	serving, stop := serveDemo(ctx, s)
	story := st.tell(serving)
	if story == nil && !c.Bool("exit") {
		st.whatNext()
		<-serving.Done()
	}
	return errors.Join(stop(), story)
}

// demoFolder makes the demo's folder, or clears it, and opens the server's log there.
func demoFolder(dir string, fresh bool) (log *slog.Logger, closeLog func(), err error) {
	if err := ownsFolder(dir); err != nil {
		return nil, nil, err
	}
	if fresh {
		if err := clearDemo(dir); err != nil {
			return nil, nil, err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("making the demo's folder: %w", err)
	}
	mark, err := os.OpenFile(filepath.Join(dir, "run.json"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("marking the demo's folder: %w", err)
	}
	if err := mark.Close(); err != nil {
		return nil, nil, fmt.Errorf("marking the demo's folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the demo's log: %w", err)
	}
	return logTo(slog.NewTextHandler(file, nil)), func() { _ = file.Close() }, nil
}

// free finds out early that an address is taken.
func free(ctx context.Context, address string) error {
	l, err := listen(ctx, address)
	if err != nil {
		return err
	}
	return l.Close()
}

// demoElsewhere says what to do where another demo or server is in the way.
func demoElsewhere(err error) error {
	return fmt.Errorf("%w\nis another demo running? This one can run beside it: unwind demo --listen 127.0.0.1:7071 --dir FOLDER", err)
}

// serveDemo serves until the returned function is called, which says how that went;
// ctx ends early when the server stops by itself.
func serveDemo(ctx context.Context, s *server) (_ context.Context, stop func() error) {
	serving, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() {
		err := s.run(serving)
		cancel() // nobody is left to talk to
		served <- err
	}()
	return serving, func() error {
		cancel()
		return <-served
	}
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

// ownsFolder refuses a folder that holds something and is not a demo's: a run
// leaves run.json before anything else.
func ownsFolder(dir string) error {
	files, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(files) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the demo's folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "run.json")); err != nil {
		return usagef("the folder %s holds files and is not a demo's (it has no run.json); name an empty one with --dir", dir)
	}
	return nil
}

// clearDemo removes what earlier runs left in a folder of the demo's, by name,
// and nothing else.
func clearDemo(dir string) error {
	names := []string{"server.log"}
	for _, db := range []string{"unwind", demo.Inventory, demo.Payments, demo.Shipping} {
		names = append(names, db+".log", "participant-"+db+".jsonl")
		for _, end := range []string{"", "-wal", "-shm", ".lock"} {
			names = append(names, db+".db"+end)
		}
	}
	for _, name := range append(names, "run.json") { // the mark of the folder last
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("clearing the demo's folder: %w", err)
		}
	}
	return nil
}
