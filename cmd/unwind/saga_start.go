package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
)

// mostWait is the most that --wait takes, as wait does in the API.
const mostWait = time.Minute

func (a *app) sagaStart(ctx context.Context, c *cli.Command) error {
	name, err := arg(c, "the saga's name")
	if err != nil {
		return err
	}
	wait := c.Duration("wait")
	if wait < 0 || wait > mostWait {
		return usagef("--wait %s: wait at most 60s; unwind saga watch follows a saga for longer", wait)
	}
	input, err := a.input(c.String("input"))
	if err != nil {
		return err
	}
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	req := unwind.StartRequest{Saga: name, Key: c.String("key"), Tenant: c.String("tenant"), Input: input}
	inst, created, err := cl.Start(ctx, req)
	if ctx.Err() != nil && err != nil {
		a.mayHaveBegun(&req)
	}
	if err != nil {
		return err
	}
	if !created {
		a.say("the key began this saga before; no other was begun")
	}
	// It waits here and not at the server: who breaks off has to know the id.
	if inst, err = a.untilAtRest(ctx, cl, inst, wait); err != nil {
		return err
	}
	if err := showOne(a, inst, func(w io.Writer) { writeInstance(w, inst) }); err != nil {
		return err
	}
	switch {
	case wait == 0:
		return nil
	case !inst.Status.AtRest():
		a.say("%s have passed and the saga is %s; unwind saga watch %s follows it", wait, inst.Status, inst.ID)
		return errQuiet(exitPartial)
	}
	return a.ended(inst)
}

// mayHaveBegun tells who broke off a start how to find out what became of it.
func (a *app) mayHaveBegun(req *unwind.StartRequest) {
	const unknown = "it is not known whether the saga has begun; to look for it: unwind saga list --saga "
	if req.Key == "" {
		a.say(unknown+"%s --since 1m", shellWord(req.Saga))
		return
	}
	a.say(unknown+"%s --key %s\nthe same start with this key begins no second one", shellWord(req.Saga), shellWord(req.Key))
}

// untilAtRest returns a saga once it is at rest, or as it stands when the wait is over.
func (a *app) untilAtRest(ctx context.Context, cl *client.Client, inst *unwind.Instance, wait time.Duration) (*unwind.Instance, error) {
	ticker, over := time.NewTicker(100*time.Millisecond), time.NewTimer(wait)
	defer ticker.Stop()
	defer over.Stop()
	for wait > 0 && !inst.Status.AtRest() {
		select {
		case <-ticker.C:
		case <-over.C:
			return inst, nil
		case <-ctx.Done():
		}
		now, err := cl.Get(ctx, inst.ID)
		if err != nil {
			a.say("saga %s was begun and goes on: unwind saga watch %s follows it, unwind saga cancel %s turns it back", inst.ID, inst.ID, inst.ID)
			return nil, err
		}
		inst = now
	}
	return inst, nil
}

// ended says what became of a saga that was waited for; exit code 6: it is not completed.
func (a *app) ended(inst *unwind.Instance) error {
	switch inst.Status {
	case unwind.Compensated:
		a.say("the saga was turned back, and what it did is undone%s", because(inst))
	case unwind.DeadLettered:
		a.say("the saga has stopped at a dead letter, and a person decides: unwind dlq list%s", because(inst))
	default:
		return nil
	}
	return errQuiet(exitPartial)
}

// because says who cancelled the saga, or names the step that failed.
func because(inst *unwind.Instance) string {
	if c := inst.Cancelled; c != nil {
		return "; cancelled by " + c.By + ": " + orDash(c.Reason)
	}
	for _, s := range inst.Steps {
		if s.Status == unwind.StepFailed && s.Error != nil {
			return "; step " + s.Name + " failed: " + callError(s.Error)
		}
	}
	return ""
}

func (a *app) input(word string) (json.RawMessage, error) {
	read := func(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, unwind.MaxInput+1)) }
	var b []byte
	var err error
	switch {
	case word == "-":
		b, err = read(a.stdin)
	case strings.HasPrefix(word, "@"):
		var f *os.File
		if f, err = os.Open(word[1:]); err == nil {
			defer f.Close() //nolint:errcheck // closing what was only read
			b, err = read(f)
		}
	default:
		b = []byte(word)
	}
	if err != nil {
		return nil, usagef("reading the input: %w", err)
	}
	if !json.Valid(b) {
		return nil, usagef("the input is not JSON; quote it for the shell, as in --input '{\"order_id\":1}', or use --input @FILE")
	}
	return b, nil
}
