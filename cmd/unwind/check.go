package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/config"
	"github.com/unwindhq/unwind/sagatest/history"
)

func (a *app) checkCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "judge a recorded history by the guarantees", ArgsUsage: "DIR",
		Description: "DIR holds client.jsonl, participant-*.jsonl, engine-*.jsonl and definitions.json",
		Action: func(_ context.Context, c *cli.Command) error {
			dir, err := arg(c, "the folder of a history")
			if err != nil {
				return err
			}
			h, err := history.Load(dir)
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%w; unwind export %s writes it", err, dir)
			}
			if err != nil {
				return err
			}
			if len(h.Participants) == 0 && len(h.Engine) > 0 {
				a.say("%s has no participant-*.jsonl: the engine's word alone proves no success (G7); add what the services saw, or say \"unlogged\": true of a service in definitions.json where nobody wrote that down", dir)
			}
			report, err := history.Check(h)
			if err != nil {
				return err
			}
			if report.Violations == nil {
				report.Violations = []history.Violation{} // a list for programs, also where it is empty
			}
			if err := showOne(a, report, func(w io.Writer) { err = report.WriteText(w) }); err != nil {
				return err
			}
			if !report.OK() {
				return errQuiet(exitError)
			}
			return err
		},
	}
}

func (a *app) validateCommand() *cli.Command {
	return &cli.Command{
		Name: "validate", Usage: "check configuration files: every fault at once", ArgsUsage: "FILE…",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "secrets", Usage: "also read the secrets that the files name"}},
		Action: func(_ context.Context, c *cli.Command) error {
			if !c.Args().Present() {
				return usagef("unwind validate needs the files to check")
			}
			var env func(string) (string, bool) // none: secrets stay unread
			if c.Bool("secrets") {
				env = a.env
			}
			bad := false
			for _, file := range c.Args().Slice() {
				faults, err := a.validate(file, env)
				if err != nil {
					return err
				}
				bad = bad || faults
			}
			if bad {
				return errQuiet(exitError)
			}
			return nil
		},
	}
}

// validate tells the faults and the warnings of a file, as lines or as JSON lines.
func (a *app) validate(file string, env func(string) (string, bool)) (bad bool, err error) {
	cfg, err := config.Load(file, env)
	var refused *config.Error
	if err != nil && !errors.As(err, &refused) {
		return true, err
	}
	var faults []unwind.Fault
	if refused != nil {
		faults = refused.Faults
	} else {
		faults = cfg.Warnings
	}
	if a.format != "table" {
		return refused != nil, show(a, nil, faults, nil)
	}
	for _, f := range faults {
		if _, err := fmt.Fprintln(a.stdout, config.Format(f)); err != nil {
			return true, err
		}
	}
	if refused != nil {
		return true, nil //nolint:nilerr // the faults are told
	}
	_, err = fmt.Fprintf(a.stdout, "%s: good: %s, %s\n", file, count(len(cfg.Services), "service"), count(len(cfg.Sagas), "saga"))
	return false, err
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// version is set by the build; without it the module's own is shown.
var version = ""

// versionText is the version as /livez says it.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "dev"
}

func (a *app) versionCommand() *cli.Command {
	return &cli.Command{Name: "version", Usage: "show the version", Action: func(context.Context, *cli.Command) error {
		v, revision, goVersion := versionText(), "", ""
		if info, ok := debug.ReadBuildInfo(); ok {
			goVersion = info.GoVersion
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" {
					revision = s.Value
				}
			}
		}
		out := struct {
			Version  string `json:"version"`
			Revision string `json:"revision,omitempty"`
			Go       string `json:"go"`
		}{v, revision, goVersion}
		return showOne(a, out, func(w io.Writer) {
			_, _ = fmt.Fprintf(w, "unwind %s", v)
			if revision != "" {
				_, _ = fmt.Fprintf(w, " (%.12s)", revision)
			}
			_, _ = fmt.Fprintf(w, ", %s\n", goVersion)
		})
	}}
}
