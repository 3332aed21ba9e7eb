package sqlite

import (
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// upgraded opens a file of an earlier version, after as many migrations, that fill
// has put rows into.
func upgraded(t *testing.T, version int, fill func(*sqlite.Conn) error) *Store {
	t.Helper()
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	conn, err := sqlite.OpenConn(filepath.Join(dir, "unwind.db"))
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files[:version] {
		if err := apply(conn, file, int64(i)+1); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(fill(conn), conn.Close()); err != nil {
		t.Fatal(err)
	}
	return opened(t, dir)
}

// G10: a lane that was paused before an upgrade is paused after it.
func TestAPausedLaneSurvivesTheUpgrade(t *testing.T) {
	s := upgraded(t, 1, func(conn *sqlite.Conn) error {
		return sqlitex.ExecuteScript(conn, "INSERT INTO lane VALUES ('payments', 'compensation', 'wrong currency', 'ada', 5);", nil)
	})
	defer closed(t, s)
	got, err := s.Controls(t.Context())
	want := []store.Control{{
		Scope:  unwind.Scope{Kind: unwind.ScopeCompensation, Name: "payments"},
		Paused: true, Reason: "wrong currency", By: "ada", At: 5,
	}}
	if len(got) == 1 && len(got[0].Settings) == 0 {
		got[0].Settings = nil
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the controls are %+v, %v; want %+v", got, err, want)
	}
}

// G3: a dead letter of an older file is still open after the upgrade, belongs to
// nobody, and is counted in its group.
func TestADeadLetterSurvivesTheUpgrade(t *testing.T) {
	saga := id.OfSequence(7)
	s := upgraded(t, 2, func(conn *sqlite.Conn) error {
		return each(conn, `INSERT INTO dead_letter VALUES (7, 1, 1, ?, 'place-order', '', 'charge', 'payments', 'key', 30, 0, 1, 2, 500, 'uncertain', 'boom',
			'g1', 'open', '12.50', '', '', '', 2)`, nil, saga[:])
	})
	defer closed(t, s)
	groups, err := s.DeadLetterGroups(t.Context())
	if err != nil || len(groups) != 1 || groups[0].Open != 1 || groups[0].AtRisk.String() != "12.50" {
		t.Fatalf("the groups are %+v, %v", groups, err)
	}
	if d := groups[0].Sample; d.Owner != "" || d.Replays != 0 || d.Item != (store.ItemID{}) || d.Saga != saga {
		t.Errorf("the dead letter is %+v", d)
	}
}

// Liveness: an alert of an older file that no sink had is pending after the upgrade,
// what it had is not told again, and nothing of it fires.
func TestAPendingAlertSurvivesTheUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "unwind.db")
	conn, err := sqlite.OpenConn(path)
	if err != nil {
		t.Fatal(err)
	}
	for n, file := range []string{"migrations/0001_sagas.sql", "migrations/0002_scopes.sql", "migrations/0003_operations.sql"} {
		if err := apply(conn, file, int64(n)+1); err != nil {
			t.Fatal(err)
		}
	}
	for id, delivered := range map[int64]bool{1: true, 2: true, 3: false, 4: true} {
		err := each(conn, "INSERT INTO alert VALUES (?, ?, 'dead_letter', x'', 'payments', 'boom', x'', ?)", nil, id, 100+id, delivered)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	pending, err := s.PendingAlerts(t.Context(), "pager", 0)
	if err != nil || len(pending) != 2 || pending[0].ID != 3 || pending[0].ResolvedAt != 103 || pending[0].Message != "boom" {
		t.Errorf("pending are %+v, %v", pending, err)
	}
	all, _, err := s.Alerts(t.Context(), store.AlertFilter{})
	if err != nil || len(all) != 4 || !all[3].Delivered || all[1].Delivered {
		t.Errorf("the alerts are %+v, %v", all, err)
	}
	if firing, _, err := s.Alerts(t.Context(), store.AlertFilter{Firing: true}); err != nil || len(firing) != 0 {
		t.Errorf("%d fire, %v", len(firing), err)
	}
}

// G1: a saga of an older file keeps its key when it is purged after the upgrade. (A
// file of version 5 is one without the table.)
func TestAKeyOfAnOlderFileIsKept(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	w := joined(t, s)
	begun := w.batch(1).Transitions[0]
	begun.Phase, begun.SetDue, begun.Due = uint8(machine.Completed), true, store.AtRest
	if _, err := s.Commit(t.Context(), &store.Batch{Epoch: w.epoch, Node: "node-a", Transitions: []store.Transition{begun}}); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	conn, err := sqlite.OpenConn(filepath.Join(dir, "unwind.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sqlitex.ExecuteScript(conn, "DROP TABLE kept_key; PRAGMA user_version = 5;", nil), conn.Close()); err != nil {
		t.Fatal(err)
	}
	s = opened(t, dir)
	defer closed(t, s)
	w = joined(t, s)
	if n, err := s.Purge(t.Context(), w.epoch, begun.At+1, begun.At, 0); n != 1 || err != nil {
		t.Fatalf("%d sagas were purged, %v", n, err)
	}
	begun.Saga = w.ids.New(0)
	results, err := s.Commit(t.Context(), &store.Batch{Epoch: w.epoch, Node: "node-a", Transitions: []store.Transition{begun}})
	if err != nil || results[0].Outcome != store.Duplicate {
		t.Errorf("starting it again: %+v, %v", results, err)
	}
}
