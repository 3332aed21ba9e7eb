package participant_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"github.com/unwindhq/unwind/participant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A ledger is a service's database: the barrier's table and what its handlers
// did, one row per effect that was committed.
type ledger struct {
	db      *sql.DB
	barrier *participant.Barrier
}

const effectsTable = `CREATE TABLE IF NOT EXISTS effects (
	seq INTEGER PRIMARY KEY, saga TEXT NOT NULL, step TEXT NOT NULL, direction TEXT NOT NULL, generation INTEGER NOT NULL)`

// newLedger opens a database file; opening one twice is as two processes do.
func newLedger(t testing.TB, path string) *ledger {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	for _, statement := range []string{participant.SchemaSQLite, effectsTable} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	b, err := participant.New(db, participant.Options{Now: func() time.Time { return time.UnixMicro(1_000_000) }})
	if err != nil {
		t.Fatal(err)
	}
	return &ledger{db: db, barrier: b}
}

func tempLedger(t testing.TB) *ledger { return newLedger(t, filepath.Join(t.TempDir(), "books.db")) }

// effect writes that the call took effect, and answers its key.
func effect(ctx context.Context, tx *sql.Tx, call participant.Call) (any, error) {
	_, err := tx.ExecContext(ctx, `INSERT INTO effects (saga, step, direction, generation) VALUES (?, ?, ?, ?)`,
		call.Saga, call.Step, string(call.Direction), call.Generation)
	return map[string]string{"did": call.Key}, err
}

// effects lists what took effect in a saga's step named step, in order: "action compensation".
func (l *ledger) effects(t testing.TB, saga string) string {
	t.Helper()
	rows, err := l.db.Query(`SELECT direction, generation FROM effects WHERE saga = ? AND step = 'step' ORDER BY seq`, saga)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var direction string
		var generation int
		if err := rows.Scan(&direction, &generation); err != nil {
			t.Fatal(err)
		}
		if generation > 0 {
			direction += fmt.Sprint("/", generation)
		}
		all = append(all, direction)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// serve serves a handler over real HTTP and returns its URL.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return server.URL
}

// newRequest makes a call of a key with a body.
func newRequest(t testing.TB, url, key, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set(participant.HeaderKey, key)
	}
	return r
}
