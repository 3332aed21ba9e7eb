package sqlite

import (
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

// The statements of every transition stay cheap: a move touches the saga's row
// and no index, and none builds a table of its own to decide.
func TestPlansOfTheHotPath(t *testing.T) {
	s := opened(t, t.TempDir())
	defer closed(t, s)
	for _, c := range []struct {
		name    string
		query   string
		cursors int
	}{
		{"a move", moveQuery, 1},
		{"a move to a phase", moveToQuery, 2},
		{"a move to a phase and due", moveDueQuery, 3},
		{"a start", startQuery, 3},
	} {
		cursors := 0
		err := each(s.writer.conn, "EXPLAIN "+c.query, func(stmt *sqlite.Stmt) error {
			switch stmt.ColumnText(1) {
			case "OpenWrite":
				cursors++
			case "OpenEphemeral", "OpenRead", "SorterOpen":
				t.Errorf("%s has the step %s", c.name, stmt.ColumnText(1))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if cursors != c.cursors {
			t.Errorf("%s writes to %d trees; %d are needed", c.name, cursors, c.cursors)
		}
	}
}

// Reads that are made again and again walk an index.
func TestPlansOfReads(t *testing.T) {
	s := opened(t, t.TempDir())
	defer closed(t, s)
	phase := uint8(4)
	for name, c := range map[string]struct{ query, want string }{
		"the queue":               {tasksQuery, "SEARCH task USING INDEX task_queue"},
		"the sagas due":           {dueAtQuery, "SEARCH saga USING INDEX saga_due (due=? AND rowid>?)"},
		"the sagas due later":     {dueLaterQuery, "SEARCH saga USING INDEX saga_due (due>? AND due<?)"},
		"the dead letters":        {selectDead + "WHERE (dead_at, rid, step, direction) < (?, ?, ?, ?) AND state = ? ORDER BY dead_at DESC, rid DESC, step DESC, direction DESC LIMIT ?", "USING INDEX dead_letter_state"},
		"the oldest dead letters": {selectDead + "WHERE (dead_at, rid, step, direction) > (?, ?, ?, ?) AND state = ? ORDER BY dead_at, rid, step, direction LIMIT ?", "USING INDEX dead_letter_state"},
		"a group's dead letters":  {selectDead + "WHERE (dead_at, rid, step, direction) < (?, ?, ?, ?) AND cause = ? ORDER BY dead_at DESC, rid DESC, step DESC, direction DESC LIMIT ?", "USING INDEX dead_letter_cause"},
		"the groups":              {groupsQuery, "USING COVERING INDEX dead_letter_cause"},
		"the items of an outcome": {itemsQuery, "USING COVERING INDEX operation_item_outcome (operation=? AND outcome=? AND seq>?)"},
		"the alerts that fire":    {alertsQuery(&store.AlertFilter{Firing: true, Kinds: []string{"dead_letter", "breaker_open"}}), "USING INDEX alert_firing"},
		"the alerts of a sink":    {pendingQuery, "SEARCH alert USING INTEGER PRIMARY KEY (rowid>?)"},
		"the end of an alert":     {overAlertQuery, "USING INDEX alert_key (key=?)"},
		"the keys to be freed":    {freeKeysQuery, "USING COVERING INDEX kept_key_ended (ended<?)"},
		"a list of a rare phase":  {listQuery(&store.Filter{Phase: &phase}), "SEARCH saga USING INDEX saga_phase"},
	} {
		var plan []string
		err := each(s.writer.conn, "EXPLAIN QUERY PLAN "+c.query, func(stmt *sqlite.Stmt) error {
			plan = append(plan, stmt.ColumnText(3))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join(plan, "; ")
		if !strings.Contains(all, c.want) || strings.Contains(all, "TEMP B-TREE") {
			t.Errorf("%s: %s", name, all)
		}
	}
}
