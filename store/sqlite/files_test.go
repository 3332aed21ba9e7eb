package sqlite

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unwindhq/unwind/store"
)

// Every file that can't be opened says why, and what to do.
func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		path  func(t *testing.T, dir string) string
		says  []string
		fatal bool
	}{
		{"no path", func(*testing.T, string) string { return "" }, []string{"Path is empty", "name a file"}, false},
		{"a missing directory", func(_ *testing.T, dir string) string {
			return filepath.Join(dir, "none", "unwind.db")
		}, []string{"none does not exist", "make it"}, false},
		{"a directory in the way", func(t *testing.T, dir string) string {
			return mkdir(t, filepath.Join(dir, "unwind.db"))
		}, []string{"can't be opened"}, false},
		{"no database", func(t *testing.T, dir string) string {
			return written(t, dir, strings.Repeat("Dear diary, ", 1000))
		}, []string{"is no SQLite database", "name another path or restore a backup"}, true},
		{"another program's database", func(t *testing.T, dir string) string {
			return foreign(t, dir, "CREATE TABLE contact (name TEXT)")
		}, []string{"SQLite file of another program", "name another path"}, false},
		{"another application's id", func(t *testing.T, dir string) string {
			return foreign(t, dir, "PRAGMA application_id = 7; CREATE TABLE contact (name TEXT)")
		}, []string{"SQLite file of another program"}, false},
		{"a newer schema", func(t *testing.T, dir string) string {
			closed(t, opened(t, dir))
			return foreign(t, dir, "PRAGMA user_version = 99")
		}, []string{"version 99", "this program knows up to ", "run the newer program"}, false},
		{"a damaged file", func(t *testing.T, dir string) string {
			s := opened(t, dir)
			newLoad(t, s).step(1000)
			closed(t, s)
			return damaged(t, s.config.Path)
		}, []string{"the file is damaged", "restore a backup"}, true},
		{"a read-only directory", readOnlyDir, []string{"can't be written to"}, false},
		{"a store that is open", func(t *testing.T, dir string) string {
			s := opened(t, dir)
			t.Cleanup(func() { closed(t, s) })
			return s.config.Path
		}, []string{"another process (pid ", "has it open", "stop that one first"}, false},
		{"a store that is open, by a symbolic link", func(t *testing.T, dir string) string {
			s := opened(t, dir)
			t.Cleanup(func() { closed(t, s) })
			return another(t, os.Symlink, s.config.Path)
		}, []string{"another process (pid ", "has it open"}, false},
		{"a file with two names", func(t *testing.T, dir string) string {
			s := opened(t, dir)
			t.Cleanup(func() { closed(t, s) })
			return another(t, os.Link, s.config.Path)
		}, []string{"2 names (hard links)", "make them copies"}, false},
		{"a WAL without its file", func(t *testing.T, dir string) string {
			return orphanWAL(t, dir, os.Remove)
		}, []string{"unwind.db-wal beside it holds", "put the file back"}, false},
		{"a WAL beside an empty file", func(t *testing.T, dir string) string {
			return orphanWAL(t, dir, func(path string) error { return os.Truncate(path, 0) })
		}, []string{"missing or empty", "unwind.db-wal beside it holds"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Open(t.Context(), Config{Path: c.path(t, t.TempDir())})
			if err == nil {
				closed(t, s)
				t.Fatal("it was opened")
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error does not say %q: %v", part, err)
				}
			}
			if errors.Is(err, store.ErrFatal) != c.fatal {
				t.Errorf("fatal is %v: %v", !c.fatal, err)
			}
		})
	}
}

func TestAForeignFileIsLeftAloneWithNothingBesideIt(t *testing.T) {
	for name, path := range map[string]string{
		"database": foreign(t, t.TempDir(), "CREATE TABLE contact (name TEXT)"),
		"diary":    written(t, t.TempDir(), strings.Repeat("Dear diary, ", 1000)),
	} {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := Open(t.Context(), Config{Path: path}); err == nil {
			closed(t, s)
			t.Fatalf("the %s was opened", name)
		}
		after, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("the %s has changed, %v", name, err)
		}
		files, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(files) != 1 {
			t.Errorf("beside the %s lie %v, %v", name, files, err)
		}
	}
}

// another gives a file another name.
func another(t *testing.T, link func(from, to string) error, path string) string {
	t.Helper()
	to := filepath.Join(filepath.Dir(path), "other.db")
	if err := link(path, to); err != nil {
		t.Fatal(err)
	}
	return to
}

// orphanWAL leaves the WAL of a killed store beside a file that went another way.
func orphanWAL(t *testing.T, dir string, lose func(path string) error) string {
	t.Helper()
	s := opened(t, dir)
	newLoad(t, s).step(10)
	wal, err := os.ReadFile(s.config.Path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	if err := errors.Join(lose(s.config.Path), os.WriteFile(s.config.Path+"-wal", wal, 0o600)); err != nil {
		t.Fatal(err)
	}
	return s.config.Path
}

func mkdir(t *testing.T, dir string) string {
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func written(t *testing.T, dir, text string) string {
	path := filepath.Join(dir, "unwind.db")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// foreign runs a script on a file as another program would.
func foreign(t *testing.T, dir, script string) string {
	path := filepath.Join(dir, "unwind.db")
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sqlitex.ExecuteScript(conn, script, nil), conn.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// damaged overwrites the schema's page but for its header.
func damaged(t *testing.T, path string) string {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(slicesOf(0x5a, pageSize-100), 100)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func slicesOf(b byte, n int) []byte {
	s := make([]byte, n)
	for i := range s {
		s[i] = b
	}
	return s
}

// readOnlyDir is a mount, because permissions do not hold root.
func readOnlyDir(t *testing.T, dir string) string {
	mount(t, dir, "size=64k", true)
	return filepath.Join(dir, "unwind.db")
}
