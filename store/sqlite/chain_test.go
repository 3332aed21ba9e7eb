package sqlite

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unwindhq/unwind/store"
)

// audited makes a file with rows in its audit and returns its path and its head.
func audited(t *testing.T, rows int) (string, store.AuditHead) {
	t.Helper()
	dir := t.TempDir()
	s := opened(t, dir)
	defer closed(t, s)
	act(t, s, rows)
	head, err := s.AuditHead(t.Context())
	if err != nil || head.ID != int64(rows) || head.Count != int64(rows) {
		t.Fatalf("the head is %+v, %v", head, err)
	}
	return s.config.Path, head
}

// act writes rows into the audit.
func act(t *testing.T, s *Store, rows int) {
	t.Helper()
	epoch, err := s.Join(t.Context(), "n1")
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		a := store.Audit{At: int64(i), Actor: "ada", Action: "pause", Target: "service payments", Reason: fmt.Sprintf("reason %d", i)}
		if _, err := s.Commit(t.Context(), &store.Batch{Epoch: epoch, Node: "n1", Audit: []store.Audit{a}}); err != nil {
			t.Fatal(err)
		}
	}
}

// check follows the audit of a file.
func check(t *testing.T, s *Store, known ...store.AuditHead) (messages []string) {
	t.Helper()
	head, err := s.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := store.AuditCheck{Known: append(known, head)}
	for cursor := store.AuditOldest; cursor != ""; {
		rows, next, err := s.Audit(t.Context(), store.AuditFilter{Cursor: cursor, Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			for _, f := range c.Next(&rows[i]) {
				messages = append(messages, f.Message)
			}
		}
		cursor = next
	}
	for _, f := range c.End() {
		messages = append(messages, f.Message)
	}
	return messages
}

// G14: somebody changes the file while the engine is away.
func TestWhoChangesTheAuditInTheFileIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql  string
		want []string
	}{
		"nothing":                {"SELECT 1", nil},
		"an edit":                {"UPDATE audit SET actor = 'eve' WHERE id = 5", []string{"row 5 was changed:"}},
		"an edit of the last":    {"UPDATE audit SET reason = '' WHERE id = 10", []string{"row 10 was changed:"}},
		"a deletion":             {"DELETE FROM audit WHERE id IN (3, 4)", []string{"rows 3 to 4 are missing"}},
		"a hidden deletion":      {"DELETE FROM audit WHERE id = 3; UPDATE audit SET id = id - 1 WHERE id > 3", []string{"row 3 was changed:", "row 4 was changed:", "row 5 was changed:", "row 6 was changed:", "row 7 was changed:", "row 8 was changed:", "row 9 was changed:", "row 10 is missing"}},
		"a reordering":           {"UPDATE audit SET id = 99 WHERE id = 5; UPDATE audit SET id = 5 WHERE id = 6; UPDATE audit SET id = 6 WHERE id = 99", []string{"row 5 was changed:", "row 6 was changed:"}},
		"a truncation":           {"DELETE FROM audit WHERE id > 7", []string{"rows 8 to 10 are missing"}},
		"a truncation to naught": {"DELETE FROM audit", []string{"rows 1 to 10 are missing"}},
		"a truncation of the head too": {
			"DELETE FROM audit WHERE id > 7; DELETE FROM sqlite_sequence; UPDATE audit_head SET id = 7, count = 7, hash = (SELECT hash FROM audit WHERE id = 7)",
			[]string{"rows 8 to 10 are missing"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			path, head := audited(t, 10)
			conn, err := sqlite.OpenConn(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := sqlitex.ExecuteScript(conn, c.sql+";", nil); err != nil {
				t.Fatal(err)
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			s := opened(t, filepath.Dir(path))
			defer closed(t, s)
			got := check(t, s, head)
			if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("found: %q\nwant: %q", got, c.want)
			}
			// What comes later does not cover it up, and is written.
			act(t, s, 3)
			later := check(t, s, head)
			if len(later) < len(c.want) || len(c.want) == 0 && len(later) > 0 {
				t.Errorf("found after three more rows: %q\nwant: %q", later, c.want)
			}
		})
	}
}

// G14: the rows that were there before the chain have their places in it.
func TestTheUpgradeChainsTheAudit(t *testing.T) {
	t.Parallel()
	const old = 2500 // more than one page of the upgrade
	s := upgraded(t, 3, func(conn *sqlite.Conn) error {
		for i := range old {
			if err := update(conn, "INSERT INTO audit (at, actor, action, target, reason, data) VALUES (?, 'ada', 'cancel', 'x', '', x'')", int64(i)); err != nil {
				return err
			}
		}
		return nil
	})
	defer closed(t, s)
	act(t, s, 2)
	if found := check(t, s); len(found) > 0 {
		t.Errorf("found: %q", found)
	}
	if head, err := s.AuditHead(t.Context()); err != nil || head.Count != old+2 {
		t.Errorf("the head is %+v, %v", head, err)
	}
}

// BenchmarkVerifyAudit reads and checks a million rows of a file.
func BenchmarkVerifyAudit(b *testing.B) {
	const million, batch = 1_000_000, 5000
	s, err := Open(b.Context(), Config{Path: filepath.Join(b.TempDir(), "unwind.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	epoch, err := s.Join(b.Context(), "n1")
	if err != nil {
		b.Fatal(err)
	}
	for range million / batch {
		rows := make([]store.Audit, batch)
		for i := range rows {
			rows[i] = store.Audit{At: int64(i), Actor: "ada", Action: "replay", Target: "019307e2-5a00-7001-8000-000000000001.1.c", Reason: "the gateway is mended", Data: []byte(`{"new_key":false,"evidence":""}`)}
		}
		if _, err := s.Commit(b.Context(), &store.Batch{Epoch: epoch, Node: "n1", Audit: rows}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		var check store.AuditCheck
		for cursor := store.AuditOldest; cursor != ""; {
			rows, next, err := s.Audit(b.Context(), store.AuditFilter{Cursor: cursor, Limit: 1000})
			if err != nil {
				b.Fatal(err)
			}
			for i := range rows {
				if faults := check.Next(&rows[i]); len(faults) > 0 {
					b.Fatal(faults)
				}
			}
			cursor = next
		}
		if check.Head.Count != million {
			b.Fatalf("%d rows were checked", check.Head.Count)
		}
	}
}
