package sim

import (
	"context"
	"fmt"

	"github.com/unwindhq/unwind/sagatest/history"
	"github.com/unwindhq/unwind/store"
)

// checkAudit: the rows of the audit are the chain that was written (G14).
func (w *world) checkAudit() {
	ctx := context.Background()
	head, err := w.store.AuditHead(ctx)
	if err != nil {
		panic(err)
	}
	check := store.AuditCheck{Known: []store.AuditHead{head}}
	for cursor := store.AuditOldest; cursor != ""; {
		rows, next, err := w.store.Audit(ctx, store.AuditFilter{Cursor: cursor, Limit: 1000})
		if err != nil {
			panic(err)
		}
		for i := range rows {
			for _, f := range check.Next(&rows[i]) {
				w.fail(history.G14, "", "the audit: %s", f.Message)
			}
		}
		cursor = next
	}
	for _, f := range check.End() {
		w.fail(history.G14, "", "the audit: %s", f.Message)
	}
}

// checkGroups: groups count what there is, so that nobody takes for settled what is
// open.
func (w *world) checkGroups() {
	ctx := context.Background()
	counted := map[string]*store.DeadLetterGroup{}
	f := store.DeadLetterFilter{Limit: 1000}
	for more := true; more; more = f.Cursor != "" {
		letters, next, err := w.store.DeadLetters(ctx, f)
		if err != nil {
			panic(err)
		}
		for i := range letters {
			d := &letters[i]
			if counted[d.Group] == nil {
				counted[d.Group] = &store.DeadLetterGroup{}
			}
			counted[d.Group].Count(d.State, d.Replays, d.DeadAt, []byte(d.Amount))
		}
		f.Cursor = next
	}
	groups, err := w.store.DeadLetterGroups(ctx)
	if err != nil {
		panic(err)
	}
	for i := range groups {
		g, c := &groups[i], counted[groups[i].Group]
		if countsOf(g) != countsOf(c) {
			w.fail(history.Liveness, "", "the group %s is not counted as it is: %s, and there are %s", g.Group, countsOf(g), countsOf(c))
			return
		}
	}
	if len(groups) != len(counted) {
		w.fail(history.Liveness, "", "%d groups are counted, and there are %d", len(groups), len(counted))
	}
}

func countsOf(g *store.DeadLetterGroup) string {
	if g == nil {
		return "none"
	}
	return fmt.Sprintf("%d open (%d again), %d replaying, %d replayed, %d resolved", g.Open, g.FailedAgain, g.Replaying, g.Replayed, g.Resolved)
}
