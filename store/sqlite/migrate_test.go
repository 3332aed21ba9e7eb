package sqlite

import (
	"path/filepath"
	"reflect"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unwindhq/unwind/store"
)

// G10: a lane that was paused before an upgrade is paused after it.
func TestAPausedLaneSurvivesTheUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "unwind.db")
	conn, err := sqlite.OpenConn(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := apply(conn, "migrations/0001_sagas.sql", 1); err != nil {
		t.Fatal(err)
	}
	if err := sqlitex.ExecuteScript(conn, "INSERT INTO lane VALUES ('payments', 'compensation', 'wrong currency', 'ada', 5);", nil); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	got, err := s.Controls(t.Context())
	want := []store.Control{{
		Scope:  store.Scope{Kind: store.ScopeCompensation, Name: "payments"},
		Paused: true, Reason: "wrong currency", By: "ada", At: 5,
	}}
	if len(got) == 1 && len(got[0].Settings) == 0 {
		got[0].Settings = nil
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the controls are %+v, %v; want %+v", got, err, want)
	}
}
