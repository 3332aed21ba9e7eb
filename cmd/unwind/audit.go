package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
	"github.com/unwindhq/unwind/store"
)

func (a *app) auditCommand() *cli.Command {
	return &cli.Command{
		Name: "audit", Usage: "who did what when, newest first", Flags: auditFlags(), Action: a.auditList,
		Commands: []*cli.Command{
			{Name: "list", Usage: "the same", Flags: auditFlags(), Action: a.auditList},
			{
				Name: "export", Usage: "write the audit into a file, oldest first, with its head as the last line", ArgsUsage: "FILE",
				Description: "Lines of JSON, into a new FILE. Keep the file, or the head that is told, where whoever can write the store can't.",
				Action:      a.auditExport,
			},
			{
				Name: "verify", Usage: "find what was edited, deleted, moved or cut off", ArgsUsage: "[FILE]",
				Description: "Follows the chain of hashes of the server's audit, or of an exported file, which needs no server.\n" +
					"Whoever can write the store can write the chain anew; only a head that was kept elsewhere shows that.",
				Flags:  []cli.Flag{&cli.StringFlag{Name: "head", Usage: "a head that was kept, as HASH@ID"}},
				Action: a.auditVerify,
			},
		},
	}
}

func auditFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "action", Usage: "exactly this action, as in pause"},
		&cli.StringFlag{Name: "actor", Usage: "exactly this actor"},
		&cli.StringFlag{Name: "target", Usage: "exactly this target, as the column shows it"},
		&cli.StringFlag{Name: "since", Usage: "only what was done since, as in 24h or 2026-01-02T15:04:05Z"},
	}, pageFlags()...)
}

func auditFilter(c *cli.Command) (f unwind.AuditFilter, err error) {
	for name, into := range map[string]*string{"action": &f.Action, "actor": &f.Actor, "target": &f.Target, "since": new(string)} {
		if *into = c.String(name); c.IsSet(name) && *into == "" {
			return f, usagef("--%s is empty; write what it has to be, or leave it out", name)
		}
	}
	f.Since, err = since(c.String("since"), time.Now())
	return f, err
}

func (a *app) auditList(ctx context.Context, c *cli.Command) error {
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	f, err := auditFilter(c)
	if err != nil {
		return err
	}
	items, next, err := pages(c, func(p unwind.Page) (unwind.List[unwind.AuditRow], error) {
		f.Page = p
		return cl.Audit(ctx, f)
	})
	if err != nil {
		return err
	}
	err = show(a, []string{"ID", "AT", "ACTOR", "ACTION", "TARGET", "DETAIL", "REASON"}, items, func(r unwind.AuditRow) []string {
		return []string{strconv.FormatInt(r.ID, 10), when(r.At), r.Actor, r.Action, r.Target, orDash(auditDetail(r.Data)), short(r.Reason, 80)}
	})
	a.more(next)
	return err
}

// A headLine is the last line of an export.
type headLine struct {
	Head *unwind.AuditHead `json:"head,omitempty"`
}

func (a *app) auditExport(ctx context.Context, c *cli.Command) (err error) {
	cl, file, err := a.named(c, "the file to write")
	if err != nil {
		return err
	}
	head, err := cl.AuditHead(ctx)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return unwind.Errorf(unwind.Conflict, "writing the audit to %s: the file is there already, and may be what an edit of the store would be seen by; name another", file)
	}
	if err != nil {
		return fmt.Errorf("writing the audit: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(file)) // half of it proves nothing
		}
	}()
	buf := bufio.NewWriterSize(f, 256<<10)
	out := json.NewEncoder(buf)
	out.SetEscapeHTML(false) // what is in it keeps its bytes
	rows := 0
	err = trail(ctx, cl, func(r *unwind.AuditRow) error {
		if r.ID > head.ID {
			return nil // it was written meanwhile
		}
		rows++
		return out.Encode(r)
	})
	if err == nil {
		err = out.Encode(headLine{&head})
	}
	if err == nil {
		err = buf.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing the audit to %s: %w", file, err)
	}
	a.say("%s written to %s; the head is %s@%d: keep it elsewhere", count(rows, "row"), file, head.Hash, head.ID)
	return nil
}

// trail reads the server's audit, oldest first.
func trail(ctx context.Context, cl *client.Client, do func(*unwind.AuditRow) error) error {
	return each(func(p unwind.Page) (unwind.List[unwind.AuditRow], error) {
		if p.Cursor == "" {
			p.Cursor = store.AuditOldest
		}
		return cl.Audit(ctx, unwind.AuditFilter{Page: p})
	}, do)
}
