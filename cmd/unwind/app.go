package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
	"github.com/unwindhq/unwind/config"
)

// The exit codes. They are part of the contract.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitAuth        = 4
	exitConflict    = 5
	exitPartial     = 6
	exitUnreachable = 7
	exitInterrupted = 130
)

// An app is one run of the command.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) (string, bool)
	format         string
	columns        int // that the terminal has which stdout is; 0: it is none
}

// errQuiet ends the run with a code; everything has been said.
type errQuiet int

func (e errQuiet) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func (a *app) command() *cli.Command {
	cmd := &cli.Command{
		Name:  "unwind",
		Usage: "a durable saga engine that treats undo as production traffic",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "server", Usage: "the server that client commands talk to", Value: "http://" + config.DefaultListen, Sources: cli.EnvVars("UNWIND_SERVER")},
			&cli.StringFlag{Name: "token", Usage: "the token to show it", Sources: cli.EnvVars("UNWIND_TOKEN")},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "table, json or jsonl", Value: "table", Destination: &a.format, Validator: knownFormat},
		},
		Commands: []*cli.Command{
			a.demoCommand(), a.devCommand(), a.serveCommand(), a.validateCommand(),
			a.sagaCommand(), a.dlqCommand(), a.opCommand(), a.serviceCommand(), a.alertsCommand(), a.auditCommand(), a.reconcileCommand(), a.releaseCommand(),
			a.benchCommand(), a.stormCommand(), a.exportCommand(), a.checkCommand(), a.versionCommand(), a.participantCommand(),
		},
		Writer: a.stdout, ErrWriter: a.stderr, Reader: a.stdin,
		EnableShellCompletion:           true,
		ConfigureShellCompletionCommand: a.configureCompletion,
		ExitErrHandler:                  func(context.Context, *cli.Command, error) {},
		OnUsageError:                    usageError,
		CommandNotFound:                 func(_ context.Context, _ *cli.Command, _ string) {},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return usagef("there is no command %q; unwind help lists them", c.Args().First())
			}
			return cli.ShowRootCommandHelp(c)
		},
	}
	refuseStrays(cmd)
	return cmd
}

func knownFormat(f string) error {
	switch f {
	case "table", "json", "jsonl":
		return nil
	}
	return fmt.Errorf("%q is not an output format; use table, json or jsonl", f)
}

// client connects to the server that the flags name.
func (a *app) client(c *cli.Command) (*client.Client, error) {
	cl, err := client.New(client.Config{URL: c.String("server"), Token: c.String("token")})
	if err != nil {
		return nil, errUsage{err}
	}
	return cl, nil
}

// exit tells an error, once, and turns it into the exit code.
func (a *app) exit(ctx context.Context, err error) int {
	var (
		usage  errUsage
		quiet  errQuiet
		faults *config.Error
		known  *unwind.Error
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &quiet):
		return int(quiet)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage):
		a.say("unwind: %s", strings.TrimPrefix(err.Error(), "unwind "))
		return exitUsage
	case errors.As(err, &faults):
		a.say("%v", faults)
		return exitUsage
	}
	a.say("unwind: %s", strings.TrimSpace(err.Error()))
	if !errors.As(err, &known) {
		return exitError
	}
	if len(known.Faults) > 1 || len(known.Faults) == 1 && !strings.Contains(known.Message, known.Faults[0].Message) {
		for _, f := range known.Faults {
			a.say("  %s", config.Format(f))
		}
	}
	if hint := hintOf(known.Code); hint != "" {
		a.say("%s", hint)
	}
	return codeOf(known.Code)
}

// hintOf says what to do where the server can't.
func hintOf(code unwind.Code) string {
	switch code {
	case unwind.Unreachable:
		return "is a server running there? unwind serve starts one; --server or UNWIND_SERVER names another"
	case unwind.Unauthenticated:
		return "name a token of the server's auth.tokens with --token or UNWIND_TOKEN"
	case unwind.Forbidden:
		return "use a token whose role may do this"
	}
	return ""
}

func codeOf(code unwind.Code) int {
	switch code {
	case unwind.InvalidRequest:
		return exitUsage
	case unwind.NotFound, unwind.UnknownSaga:
		return exitNotFound
	case unwind.Unauthenticated, unwind.Forbidden:
		return exitAuth
	case unwind.Conflict, unwind.PastPivot, unwind.KeyReused:
		return exitConflict
	case unwind.Unreachable:
		return exitUnreachable
	}
	return exitError
}
