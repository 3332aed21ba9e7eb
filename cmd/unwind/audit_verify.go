package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// A verified audit, as it is shown.
type verified struct {
	Rows   int64              `json:"rows"`
	Head   unwind.AuditHead   `json:"head"`
	Faults []store.AuditFault `json:"faults"`
}

// mostFaults bounds what is told of an audit that is broken everywhere.
const mostFaults = 1000

func (v *verified) add(faults []store.AuditFault) {
	if room := mostFaults - len(v.Faults); len(faults) > room {
		faults = faults[:room]
	}
	v.Faults = append(v.Faults, faults...)
}

func (a *app) auditVerify(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() > 1 {
		return usagef("%s takes one file, or none for the server's audit", c.FullName())
	}
	var check store.AuditCheck
	if text := c.String("head"); text != "" {
		head, err := parseHead(text)
		if err != nil {
			return err
		}
		check.Known = append(check.Known, head)
	}
	v := verified{Faults: []store.AuditFault{}}
	next := func(row *store.Audit) {
		v.Rows++
		v.add(check.Next(row))
	}
	var err error
	if file := c.Args().First(); file != "" {
		err = verifyFile(file, &check, &v, next)
	} else {
		err = a.verifyServer(ctx, c, &check, next)
	}
	if err != nil {
		return err
	}
	v.add(check.End())
	v.Head = unwind.AuditHead{ID: check.Head.ID, Hash: hex.EncodeToString(check.Head.Hash[:]), Count: check.Head.Count}
	return a.showVerified(&v)
}

func (a *app) showVerified(v *verified) error {
	var err error
	if a.format == "table" && len(v.Faults) > 0 {
		err = show(a, []string{"ROW", "WHAT IS WRONG"}, v.Faults, func(f store.AuditFault) []string {
			return []string{strconv.FormatInt(f.Row, 10), f.Message}
		})
	} else {
		err = showOne(a, v, func(w io.Writer) {
			_, _ = fmt.Fprintf(w, "%s, unbroken; the head is %s@%d\n", count(int(v.Rows), "row"), v.Head.Hash, v.Head.ID)
		})
	}
	if err == nil && len(v.Faults) > 0 {
		a.say("the audit is not what was written: %s in %s", count(len(v.Faults), "fault"), count(int(v.Rows), "row"))
		return errQuiet(exitError)
	}
	return err
}

func (a *app) verifyServer(ctx context.Context, c *cli.Command, check *store.AuditCheck, next func(*store.Audit)) error {
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	head, err := cl.AuditHead(ctx)
	if err != nil {
		return err
	}
	known, err := headOf(&head)
	if err != nil {
		return err
	}
	check.Known = append(check.Known, known)
	return trail(ctx, cl, func(r *unwind.AuditRow) error {
		row, err := rowOf(r)
		if err == nil {
			next(&row)
		}
		return err
	})
}

// verifyFile reads an export. Its last line is the head, without which its end was
// cut off.
func verifyFile(file string, check *store.AuditCheck, v *verified, next func(*store.Audit)) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("reading the audit: %w", err)
	}
	defer f.Close() //nolint:errcheck // closing what was only read
	whole := false
	err = exportLines(f, func(line *exportLine) {
		if whole = line.head != nil; whole {
			check.Known = append(check.Known, *line.head)
			v.add(misplaced(check, *line.head))
			return
		}
		next(&line.row)
	})
	if err != nil {
		return fmt.Errorf("reading %s: %w; is it what unwind audit export wrote?", file, err)
	}
	if !whole {
		v.add([]store.AuditFault{{Row: check.Head.ID + 1, Message: "the last line is not a head: the end of the file was cut off"}})
	}
	return nil
}

// misplaced compares a head with the row before it.
func misplaced(check *store.AuditCheck, head store.AuditHead) []store.AuditFault {
	if head.ID > check.Head.ID || head.ID == check.Head.ID && head.Hash == check.Head.Hash {
		return nil // End says what is missing
	}
	return []store.AuditFault{{Row: check.Head.ID, Message: fmt.Sprintf("row %d has another hash than the head behind it: rows up to it were written anew", check.Head.ID)}}
}

func parseHead(text string) (store.AuditHead, error) {
	hash, number, _ := strings.Cut(text, "@")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil || id < 0 {
		return store.AuditHead{}, usagef("--head %s: write HASH@ID, as unwind audit export says it", text)
	}
	head, err := headOf(&unwind.AuditHead{ID: id, Hash: hash})
	if err != nil {
		return head, usagef("--head %s: %v", text, err)
	}
	return head, nil
}

func headOf(h *unwind.AuditHead) (store.AuditHead, error) {
	hash, err := hashOf(h.Hash)
	return store.AuditHead{ID: h.ID, Hash: hash, Count: h.Count}, err
}

func rowOf(r *unwind.AuditRow) (store.Audit, error) {
	previous, err := hashOf(r.Previous)
	if err != nil {
		return store.Audit{}, err
	}
	hash, err := hashOf(r.Hash)
	return store.Audit{
		ID: r.ID, At: r.At.UnixMicro(), Actor: r.Actor, Action: r.Action, Target: r.Target, Reason: r.Reason, Data: r.Data,
		Previous: previous, Hash: hash,
	}, err
}

func hashOf(text string) (hash store.AuditHash, err error) {
	if n, err := hex.Decode(hash[:], []byte(text[:min(len(text), 2*len(hash))])); err != nil || n != len(hash) || len(text) != 2*len(hash) {
		return hash, fmt.Errorf("%q is not a hash of %d hexadecimal digits", short(text, 80), 2*len(hash))
	}
	return hash, nil
}
