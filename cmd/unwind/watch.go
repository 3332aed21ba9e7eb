package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
)

func (a *app) sagaWatch(ctx context.Context, c *cli.Command) error {
	cl, id, err := a.named(c, "the saga's id")
	if err != nil {
		return err
	}
	seen, last := int64(0), "" // last is the cursor of the last page: those before it are full
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	var w watch
	for {
		var inst *unwind.Instance
		err := a.read(ctx, &w, func() {}, func() (err error) {
			if inst, err = cl.Get(ctx, id); err != nil {
				return err
			}
			return each(func(p unwind.Page) (unwind.List[unwind.Entry], error) {
				if p.Cursor == "" {
					p.Cursor = last
				}
				last = p.Cursor
				return cl.History(ctx, id, p)
			}, func(e *unwind.Entry) error {
				if e.Seq <= seen {
					return nil
				}
				seen = e.Seq
				return showOne(a, e, func(w io.Writer) {
					_, _ = fmt.Fprintf(w, "%s  %-24s %-20s %s\n", exactly(e.At), e.Kind, orDash(printable(e.Step)), printable(short(string(e.Data), 160)))
				})
			})
		})
		if err != nil {
			return err
		}
		if inst.Status.AtRest() {
			a.say("at rest: %s", inst.Status)
			return a.ended(inst)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
