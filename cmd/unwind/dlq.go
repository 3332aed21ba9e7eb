package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
)

func (a *app) dlqCommand() *cli.Command {
	why := &cli.StringFlag{Name: "reason", Usage: "why, for those who read the audit", Required: true}
	return &cli.Command{
		Name: "dlq", Usage: "dead letters: calls that wait for a person",
		Commands: []*cli.Command{{
			Name: "list", Usage: "list dead letters, newest first",
			Flags: append([]cli.Flag{
				&cli.StringFlag{Name: "state", Usage: "open, replaying, replayed or resolved; empty: all", Value: "open"},
				&cli.StringFlag{Name: "saga", Usage: "of this definition"},
				&cli.StringFlag{Name: "service", Usage: "of this service"},
				&cli.StringFlag{Name: "group", Usage: "of this cause"},
			}, pageFlags()...),
			Action: a.dlqList,
		}, {
			Name: "groups", Usage: "count dead letters by their cause, those with most open ones first",
			Description: "AT RISK adds up what the saga's definition names as amount:, in the unit of that,\nover those that are open or being replayed.",
			Flags: append([]cli.Flag{
				&cli.StringFlag{Name: "state", Usage: "groups that hold one that is open, replaying, replayed or resolved; empty: all", Value: "open"},
				&cli.StringFlag{Name: "saga", Usage: "of this definition"},
				&cli.StringFlag{Name: "service", Usage: "of this service"},
			}, pageFlags()...),
			Action: a.dlqGroups,
		}, {
			Name: "show", Usage: "show one: whether to replay it, what people noted, every attempt", ArgsUsage: "ID", Action: a.dlqShow,
		}, {
			Name: "replay", Usage: "have one call made again under the same key, or many by an operation", ArgsUsage: "[ID]",
			Description: "unwind dlq replay ID --reason 'the gateway is back'\n" +
				"unwind dlq replay --group G --dry-run\n" +
				"unwind dlq replay --saga place-order --service payments --rate 20/s --canary 10 --reason 'the gateway is back'",
			Flags: append([]cli.Flag{
				&cli.StringFlag{Name: "reason", Usage: "why, for those who read the audit; required but for a dry run"},
				&cli.BoolFlag{Name: "new-key", Usage: "under a new key: only where the old one is known to have done nothing"},
				&cli.StringFlag{Name: "evidence", Usage: "how that is known"},
			}, replayFlags()...),
			Action: a.dlqReplay,
		}, {
			Name: "resolve", Usage: "settle it by hand; nobody is called", ArgsUsage: "ID",
			Description: "unwind dlq resolve ID --reason 'refunded in the bank's page' --evidence 'slip 4711'",
			Flags: []cli.Flag{why,
				&cli.StringFlag{Name: "evidence", Usage: "what shows that it is settled", Required: true},
				&cli.StringFlag{Name: "as", Usage: "of an action past its pivot: done or refused"},
				&cli.StringFlag{Name: "result", Usage: "of an action resolved as done, its output: JSON, @FILE or -"},
			},
			Action: a.dlqResolve,
		}, {
			Name: "reopen", Usage: "take back that a compensation was settled by hand", ArgsUsage: "ID",
			Description: "unwind dlq reopen ID --reason 'slip 4711 was of another order'",
			Flags:       []cli.Flag{why},
			Action:      a.dlqReopen,
		}, {
			Name: "note", Usage: "write down what there is to know, and who looks after it", ArgsUsage: "ID",
			Description: "unwind dlq note ID --text 'the bank is asked' --owner ann",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "text", Usage: "what there is to know"},
				&cli.StringFlag{Name: "owner", Usage: "who looks after it from now on"},
			},
			Action: a.dlqNote,
		}},
	}
}

func (a *app) dlqList(ctx context.Context, c *cli.Command) error {
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	f := unwind.DeadLetterFilter{State: unwind.DeadLetterState(c.String("state")), Saga: c.String("saga"), Service: c.String("service"), Group: c.String("group")}
	items, next, err := pages(c, func(p unwind.Page) (unwind.List[unwind.DeadLetter], error) {
		f.Page = p
		return cl.DeadLetters(ctx, f)
	})
	if err != nil {
		return err
	}
	now := time.Now()
	err = show(a, []string{"ID", "SAGA/STEP", "DIRECTION", "SERVICE", "ATTEMPTS", "DIED", "STATE", "ERROR"}, items, func(d unwind.DeadLetter) []string {
		return []string{d.ID, d.Saga + "/" + d.Step, string(d.Direction), orDash(d.Service), fmt.Sprint(d.Attempts), age(d.DeadAt, now) + " ago", string(d.State), short(callError(&d.Error), 80)}
	})
	a.more(next)
	return err
}

const selectLetters = "--group, --saga, --service or --selection"

func (a *app) dlqReplay(ctx context.Context, c *cli.Command) error {
	if many(c) {
		if c.Args().Present() || c.Bool("new-key") || c.IsSet("evidence") {
			return usagef("an ID, --new-key and --evidence are for one dead letter; select many by %s", selectLetters)
		}
		return a.operate(ctx, c, unwind.OperationReplay)
	}
	if err := onlyOne(c, "the dead letter's id", selectLetters); err != nil {
		return err
	}
	if c.String("reason") == "" {
		return usagef("it needs --reason; unwind dlq replay --help shows its flags")
	}
	cl, id, err := a.named(c, "the dead letter's id")
	if err != nil {
		return err
	}
	d, err := cl.Replay(ctx, id, unwind.ReplayRequest{Reason: c.String("reason"), NewKey: c.Bool("new-key"), Evidence: c.String("evidence")})
	if err != nil {
		return err
	}
	return showOne(a, d, func(w io.Writer) {
		_, _ = fmt.Fprintf(w, "%s  %s\nto see what came of it: unwind saga watch %s\n", d.ID, d.State, d.SagaID)
	})
}

func (a *app) dlqResolve(ctx context.Context, c *cli.Command) error {
	id, err := arg(c, "the dead letter's id")
	if err != nil {
		return err
	}
	var output json.RawMessage
	if word := c.String("result"); word != "" {
		if output, err = a.input(word); err != nil {
			return err
		}
	}
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	d, err := cl.Resolve(ctx, id, unwind.ResolveRequest{Reason: c.String("reason"), Evidence: c.String("evidence"), As: c.String("as"), Output: output})
	if err != nil {
		return err
	}
	return showOne(a, d, func(w io.Writer) { writeStanding(w, d) })
}

func (a *app) dlqReopen(ctx context.Context, c *cli.Command) error {
	return a.settle(c, func(cl *client.Client, id string) (*unwind.DeadLetter, error) {
		return cl.Reopen(ctx, id, unwind.ReopenRequest{Reason: c.String("reason")})
	})
}

func (a *app) dlqNote(ctx context.Context, c *cli.Command) error {
	req := unwind.NoteRequest{Text: c.String("text"), Owner: c.String("owner")}
	if req == (unwind.NoteRequest{}) {
		return usagef("write a --text, or name an --owner")
	}
	return a.settle(c, func(cl *client.Client, id string) (*unwind.DeadLetter, error) { return cl.Note(ctx, id, req) })
}

// settle does something to one dead letter, and tells how it stands then.
func (a *app) settle(c *cli.Command, do func(cl *client.Client, id string) (*unwind.DeadLetter, error)) error {
	cl, id, err := a.named(c, "the dead letter's id")
	if err != nil {
		return err
	}
	d, err := do(cl, id)
	if err != nil {
		return err
	}
	return showOne(a, d, func(w io.Writer) { writeStanding(w, d) })
}

// writeStanding writes how a dead letter stands, in a line.
func writeStanding(w io.Writer, d *unwind.DeadLetter) {
	owner := ""
	if d.Owner != "" {
		owner = "  owner " + printable(d.Owner)
	}
	_, _ = fmt.Fprintf(w, "%s  %s%s\n", d.ID, d.State, owner)
}
