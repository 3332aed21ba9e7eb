package main

import (
	"context"
	"strconv"
	"testing"

	"github.com/urfave/cli/v3"

	"github.com/unwindhq/unwind"
)

// The server gives at most 1000 items at once; a list of more is read on.
func TestAListIsReadPageByPage(t *testing.T) {
	const there = 2500
	for _, c := range []struct {
		args  []string
		items int
		next  string
		calls int
	}{
		{[]string{}, 50, "50", 1},
		{[]string{"--limit", "1000"}, 1000, "1000", 1},
		{[]string{"--limit", "1001"}, 1001, "1001", 2},
		{[]string{"--limit", "5000"}, there, "", 3},
		{[]string{"--limit", "10", "--all"}, there, "", 3},
		{[]string{"--limit", "10", "--cursor", "2495"}, 5, "", 1},
	} {
		calls, got, next := 0, 0, ""
		cmd := &cli.Command{Flags: pageFlags(), Action: func(_ context.Context, cmd *cli.Command) error {
			items, after, err := pages(cmd, func(p unwind.Page) (l unwind.List[int], err error) {
				calls++
				from, _ := strconv.Atoi(p.Cursor)
				to := min(from+p.Limit, there)
				if l.Items = make([]int, to-from); to < there {
					l.NextCursor = strconv.Itoa(to)
				}
				if p.Limit > maxPage {
					t.Errorf("%v: asked for %d at once", c.args, p.Limit)
				}
				return l, nil
			})
			got, next = len(items), after
			return err
		}}
		if err := cmd.Run(t.Context(), append([]string{"list"}, c.args...)); err != nil {
			t.Fatal(err)
		}
		if got != c.items || next != c.next || calls != c.calls {
			t.Errorf("%v: got %d items, then %q, in %d calls", c.args, got, next, calls)
		}
	}
}
