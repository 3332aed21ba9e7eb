package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind/config"
)

func serverFlags() []cli.Flag {
	variables, _ := config.Variables()
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "the configuration file; before it go " + strings.Join(variables, ", ")},
		&cli.StringFlag{Name: "listen", Usage: "the address to listen on, in place of the file's"},
		&cli.StringFlag{Name: "store", Usage: "where sagas are kept, in place of the file's: sqlite:PATH or memory:"},
		&cli.BoolFlag{Name: "log-json", Usage: "log as JSON lines"},
	}
}

func (a *app) serveCommand() *cli.Command {
	return &cli.Command{
		Name: "serve", Usage: "run the server",
		Flags:       append(serverFlags(), &cli.BoolFlag{Name: "hold", Usage: "call nobody and move no saga until unwind release: for a store that was restored from a backup"}),
		Description: "unwind serve --config unwind.yaml",
		Action: func(ctx context.Context, c *cli.Command) error {
			cfg, err := a.loadConfig(c)
			if err != nil {
				return err
			}
			return a.serve(ctx, c, cfg)
		},
	}
}

// loadConfig reads the file, with the flags over it.
func (a *app) loadConfig(c *cli.Command) (*config.Config, error) {
	var flags []config.Flag
	for _, name := range [...]string{"listen", "store"} {
		if c.IsSet(name) {
			flags = append(flags, config.Flag{Name: "--" + name, Pointer: "/" + name, Value: c.String(name)})
		}
	}
	cfg, err := config.Load(c.String("config"), a.env, flags...)
	if err != nil {
		return nil, err
	}
	for _, w := range cfg.Warnings {
		a.say("%s", config.Format(w))
	}
	return cfg, nil
}

// logger logs to stderr, without the secrets.
func (a *app) logger(c *cli.Command, secrets []string) *slog.Logger {
	to := scrub(a.stderr, secrets)
	if c.Bool("log-json") {
		return logTo(slog.NewJSONHandler(to, nil))
	}
	return logTo(slog.NewTextHandler(to, nil))
}

// logTo is where this process logs. What libraries write to the standard log goes
// there as well: net/http has no other place for the faults of connections to
// participants.
func logTo(h slog.Handler) *slog.Logger {
	slog.SetLogLoggerLevel(slog.LevelWarn)
	slog.SetDefault(slog.New(h))
	return slog.Default()
}

func (a *app) serve(ctx context.Context, c *cli.Command, cfg *config.Config) error {
	log := a.logger(c, cfg.Secrets())
	s, err := openServer(ctx, cfg, log, c.Bool("hold"))
	if err != nil {
		return err
	}
	log.Info("serving", "url", s.url(), "store", cfg.Store, "sagas", len(cfg.Sagas), "services", len(cfg.Services))
	if s.engine.OnHold() {
		log.Warn("on hold: nobody is called and no saga moves; compare with the services (unwind reconcile), then: unwind release --reason …")
	}
	if text := descriptorWarning(cfg, descriptorLimit()); text != "" {
		log.Warn(text)
	}
	if err := s.run(ctx); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

func (a *app) devCommand() *cli.Command {
	return &cli.Command{
		Name: "dev", Usage: "run the server, and again whenever its file changes", Flags: serverFlags(),
		Description: "unwind dev --config unwind.yaml",
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.String("config") == "" {
				return usagef("unwind dev needs --config FILE: the file to watch")
			}
			return a.dev(ctx, c)
		},
	}
}

// dev serves until the file changes, then serves what it says now. A file with
// faults is told and waited for; what ran goes on until the file is good.
func (a *app) dev(ctx context.Context, c *cli.Command) error {
	file := c.String("config")
	seen, _ := os.ReadFile(file)
	cfg, err := a.loadConfig(c)
	var faulty *config.Error
	if errors.As(err, &faulty) {
		a.say("%v\nthe file has faults; the server begins once they are mended", err)
		if cfg, err = a.changed(ctx, c, file, &seen, nil); cfg == nil {
			return err
		}
	} else if err != nil {
		return err
	}
	for {
		serving, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- a.serve(serving, c, cfg) }()
		next, err := a.changed(ctx, c, file, &seen, done)
		stop()
		if next == nil {
			return err
		}
		if err := <-done; err != nil {
			return err
		}
		cfg = next
	}
}

// changed waits for a good change of the file while done, nil where nothing runs
// yet, has nothing to say. No configuration: it is over.
func (a *app) changed(ctx context.Context, c *cli.Command, file string, seen *[]byte, done chan error) (*config.Config, error) {
	ticker := time.NewTicker(300 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			if done == nil {
				return nil, nil
			}
			return nil, <-done
		case err := <-done:
			return nil, err
		case <-ticker.C:
		}
		now, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) || bytes.Equal(now, *seen) {
			continue
		}
		*seen = now
		cfg, err := a.loadConfig(c)
		switch {
		case err == nil:
			a.say("the file has changed; the server starts again")
			return cfg, nil
		case done == nil:
			a.say("%v\nthe file has faults still", err)
		default:
			a.say("%v\nthe file has faults; the server goes on as it was", err)
		}
	}
}
