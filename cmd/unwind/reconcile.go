package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

func (a *app) reconcileCommand() *cli.Command {
	return &cli.Command{
		Name: "reconcile", Usage: "compare the journal with what the services say", Flags: []cli.Flag{
			&cli.StringFlag{Name: "saga", Usage: "only sagas of this type"},
			&cli.StringFlag{Name: "service", Usage: "only calls of this service"},
			&cli.StringFlag{Name: "since", Usage: "only sagas that began since, as in 2026-01-02T15:04:05Z or 24h"},
			&cli.StringFlag{Name: "rate", Usage: "the most questions, as in 50/s; the services' forward lanes hold in any case"},
			&cli.StringFlag{Name: "cursor", Usage: "go on where an earlier run was left"},
		},
		Description: "Asks the services' status paths, through the server and within the limits of their forward lanes, about every\n" +
			"call that the journal knows as done, undone, uncertain or dead; while the server is on hold also about those that\n" +
			"are ordered or not begun. Lists what differs, with the money at risk. It changes nothing, and ends with 6 when\n" +
			"something differs or a service gave no usable answer. docs/restore.md says what each difference means.",
		Action: a.reconcile,
	}
}

func (a *app) reconcile(ctx context.Context, c *cli.Command) error {
	req := unwind.ReconcileRequest{Saga: c.String("saga"), Service: c.String("service"), Cursor: c.String("cursor")}
	if text := c.String("rate"); text != "" {
		req.Rate = new(unwind.Rate)
		if err := req.Rate.UnmarshalText([]byte(text)); err != nil {
			return usagef("--rate: %v", err)
		}
	}
	var err error
	if req.Since, err = since(c.String("since"), time.Now()); err != nil {
		return err
	}
	cl, err := a.client(c)
	if err != nil {
		return err
	}
	r := reconciling{app: a, atRisk: map[string]*store.Sum{}, unchecked: map[unwind.Unchecked]int64{}}
	for more := true; more; more = req.Cursor != "" {
		part, err := cl.Reconcile(ctx, req)
		if err != nil {
			if req.Cursor != "" {
				a.say("to go on: unwind reconcile --cursor %s", req.Cursor)
			}
			return err
		}
		req.Cursor = part.NextCursor
		if err := r.add(part); err != nil {
			return err
		}
	}
	return r.end()
}

// since reads a time, or how long ago it was.
func since(text string, now time.Time) (unwind.Time, error) {
	if text == "" {
		return unwind.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return unwind.Time{Time: now.Add(-d).UTC().Truncate(time.Microsecond)}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return unwind.Time{}, usagef("--since %s: write a time as in 2026-01-02T15:04:05Z, or how long ago, as in 24h", text)
	}
	return unwind.Time{Time: t.UTC()}, nil
}

// reconciling is what has been found so far. Differences are shown as they come, and
// not kept, but in one JSON document.
type reconciling struct {
	*app
	sagas, calls, differ int64
	kept                 []unwind.Difference
	atRisk               map[string]*store.Sum // by saga type
	last                 string                // saga whose amount was added
	unchecked            map[unwind.Unchecked]int64
}

func (r *reconciling) add(part *unwind.Reconciliation) error {
	r.sagas, r.calls = r.sagas+part.Sagas, r.calls+part.Calls
	for _, u := range part.NotChecked {
		n := u.Calls
		u.Calls = 0
		r.unchecked[u] += n
	}
	for i := range part.Items {
		r.risk(&part.Items[i])
	}
	var err error
	switch r.format {
	case "json":
		r.kept = append(r.kept, part.Items...)
	case "jsonl":
		err = writeLines(r.stdout, part.Items)
	default:
		err = r.blocks(part.Items)
	}
	progress := fmt.Sprintf("%s, %s compared: %s", count(int(r.sagas), "saga"), count(int(r.calls), "call"), count(int(r.differ), "difference"))
	if part.WaitingFor != "" {
		progress += "; waiting for " + part.WaitingFor
	}
	if part.NextCursor != "" {
		r.say("%s; --cursor %s goes on from here", progress, part.NextCursor)
	}
	return err
}

// risk adds a saga's amount once: the differences of a saga come one after another.
func (r *reconciling) risk(d *unwind.Difference) {
	r.differ++
	if d.SagaID == r.last {
		return
	}
	r.last = d.SagaID
	if r.atRisk[d.Saga] == nil {
		r.atRisk[d.Saga] = new(store.Sum)
	}
	r.atRisk[d.Saga].Add(d.Amount)
}

// blocks shows differences to people, who can read them before all are found.
func (r *reconciling) blocks(items []unwind.Difference) error {
	w := bufio.NewWriter(r.stdout)
	for i := range items {
		d := &items[i]
		amount := ""
		if len(d.Amount) > 0 && string(d.Amount) != "null" {
			amount = "  amount " + string(d.Amount)
		}
		_, _ = fmt.Fprintf(w, "%s  %s/%s %s  service %s\n  journal: %s   service: %s%s\n  %s\n", d.SagaID, printable(d.Saga), printable(d.Step), d.Direction,
			printable(d.Service), d.Journal, d.Answer, printable(amount), d.Meaning)
	}
	return w.Flush()
}

// A reconciled document is what -o json shows.
type reconciled struct {
	Sagas      int64               `json:"sagas"`
	Calls      int64               `json:"calls"`
	Items      []unwind.Difference `json:"items"`
	AtRisk     []atRisk            `json:"at_risk"`
	NotChecked []unwind.Unchecked  `json:"not_checked"`
}

// atRisk is the money of the sagas of one type in which something differs.
type atRisk struct {
	Saga   string      `json:"saga"`
	Amount json.Number `json:"amount"`
	// Odd counts the amounts that are not in the sum.
	Odd int64 `json:"odd,omitempty"`
}

// end shows the sums, and says by its code whether all is well.
func (r *reconciling) end() error {
	doc := reconciled{Sagas: r.sagas, Calls: r.calls, Items: r.kept, AtRisk: []atRisk{}, NotChecked: []unwind.Unchecked{}}
	if doc.Items == nil {
		doc.Items = []unwind.Difference{}
	}
	for _, saga := range slices.Sorted(maps.Keys(r.atRisk)) {
		if s := r.atRisk[saga]; s.Added+s.Odd > 0 {
			doc.AtRisk = append(doc.AtRisk, atRisk{saga, json.Number(orZero(s.String())), s.Odd})
		}
	}
	unanswered := false
	for u, n := range r.unchecked {
		u.Calls = n
		doc.NotChecked = append(doc.NotChecked, u)
		unanswered = unanswered || u.Asked
	}
	slices.SortFunc(doc.NotChecked, func(a, b unwind.Unchecked) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Reason, b.Reason))
	})
	var err error
	switch r.format {
	case "json":
		err = writeJSON(r.stdout, &doc)
	case "jsonl":
	default:
		err = r.summary(&doc)
	}
	for _, u := range doc.NotChecked {
		r.say("not checked: %s of service %s: %s", count(int(u.Calls), "call"), orDash(u.Service), u.Reason)
	}
	if err == nil && (r.differ > 0 || unanswered) {
		return errQuiet(exitPartial)
	}
	return err
}

func (r *reconciling) summary(doc *reconciled) error {
	w := bufio.NewWriter(r.stdout)
	_, _ = fmt.Fprintf(w, "%s, %s compared: %s\n", count(int(doc.Sagas), "saga"), count(int(doc.Calls), "call"), count(int(r.differ), "difference"))
	for _, m := range doc.AtRisk {
		odd := ""
		if m.Odd > 0 {
			odd = ", and " + count(int(m.Odd), "amount") + " that can't be added up"
		}
		_, _ = fmt.Fprintf(w, "at risk in sagas of type %s: %s%s\n", printable(m.Saga), m.Amount, odd)
	}
	return w.Flush()
}

func (a *app) releaseCommand() *cli.Command {
	return &cli.Command{
		Name: "release", Usage: "let a server go on that was started with --hold",
		Description: "unwind release --reason 'compared with the services: nothing differs'",
		Flags:       []cli.Flag{&cli.StringFlag{Name: "reason", Usage: "why, for those who read the audit", Required: true}},
		Action: func(ctx context.Context, c *cli.Command) error {
			cl, err := a.client(c)
			if err != nil {
				return err
			}
			if err := cl.Release(ctx, unwind.ReleaseRequest{Reason: c.String("reason")}); err != nil {
				return err
			}
			return showOne(a, map[string]bool{"released": true}, func(w io.Writer) {
				_, _ = io.WriteString(w, "released: the server calls services and takes starts\n")
			})
		},
	}
}

func orZero(s string) string {
	if s == "" {
		return strconv.Itoa(0)
	}
	return s
}
