package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/api"
	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/engine"
)

// The test binary is its own children, as the command is.
func TestMain(m *testing.M) {
	if os.Getenv(childMark) == "" {
		os.Exit(m.Run())
	}
	run := map[string]func(context.Context) error{
		"participant": func(ctx context.Context) error { return RunParticipant(ctx, os.Stdin, os.Stdout) },
		"worker":      func(ctx context.Context) error { return RunWorker(ctx, os.Stdin, os.Stdout) },
		"server":      runServer,
	}[os.Args[1]]
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runServer is the command's server without alerts.
func runServer(ctx context.Context) error {
	stop, err := Profile()
	if err != nil {
		return err
	}
	defer stop()
	cfg, err := config.Load(os.Args[3], func(string) (string, bool) { return "", false })
	if err != nil {
		return err
	}
	s, err := openStore(ctx, "sqlite", strings.TrimPrefix(cfg.Store, "sqlite:"))
	if err != nil {
		return err
	}
	var defs []unwind.Definition
	for _, name := range slices.Sorted(maps.Keys(cfg.Sagas)) {
		defs = append(defs, cfg.Sagas[name])
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	e, err := engine.Open(ctx, engine.Config{Store: s, Participants: cfg.Participants(), Definitions: defs, MaxActive: cfg.Limits.MaxActive, Logger: log})
	if err != nil {
		return errors.Join(err, s.Close())
	}
	h, err := api.New(api.Config{Service: e, Logger: log, MaxStarts: cfg.Limits.MaxStarts})
	if err != nil {
		return errors.Join(err, e.Close(ctx))
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return errors.Join(err, e.Close(ctx))
	}
	web := api.Server(h)
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	err = Converse(os.Stdin, os.Stdout, Ready{URL: "http://" + listener.Addr().String()}, Control)
	h.Close()
	_ = web.Close()
	<-served
	return errors.Join(err, e.Close(ctx))
}

// A quick run takes every figure; what they are worth a quick run can't say.
func TestAQuickRunTakesEveryFigure(t *testing.T) {
	var progress bytes.Buffer
	cfg := Config{Command: []string{os.Args[0]}, Quick: true, Dir: t.TempDir(), Progress: &progress}
	defer func() { t.Log(progress.String()) }()
	report, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	taken := map[string]int{}
	for _, f := range report.Figures {
		taken[f.Measurement]++
		if !(f.Value > 0) || f.Limit < 0 || (f.Goal == "") != (f.Reached == nil) {
			t.Errorf("this is no figure: %+v", f)
		}
	}
	for _, name := range Names() {
		if taken[name] == 0 {
			t.Errorf("%s took no figure", name)
		}
	}
	var page bytes.Buffer
	if err := report.Write(&page); err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Figures {
		if !strings.Contains(page.String(), f.Name) {
			t.Errorf("the page leaves %q out", f.Name)
		}
	}
	if _, err := json.Marshal(report); err != nil {
		t.Error(err)
	}
}
