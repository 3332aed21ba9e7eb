package history_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/sagatest/history"
)

// sections splits a text archive: a comment, then files under "-- name --".
func sections(text string) (comment string, files map[string]string) {
	files = map[string]string{}
	parts := regexp.MustCompile(`(?m)^-- (\S+) --\n`).FindAllStringSubmatchIndex(text, -1)
	for k, at := range parts {
		end := len(text)
		if k+1 < len(parts) {
			end = parts[k+1][0]
		}
		files[text[at[2]:at[3]]] = text[at[1]:end]
	}
	return text[:parts[0][0]], files
}

// unpack writes a history of testdata into a folder and returns the comment.
func unpack(t testing.TB, path string) (dir, comment string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	comment, files := sections(string(text))
	dir = t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, comment
}

func load(t testing.TB, path string) *history.History {
	t.Helper()
	dir, _ := unpack(t, path)
	h, err := history.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func check(t testing.TB, h *history.History) *history.Report {
	t.Helper()
	r, err := history.Check(h)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// place is a violation as the first line of a violating history names it.
func place(v history.Violation) string {
	words := []string{v.Guarantee.String()}
	for _, w := range []string{v.Saga, v.Service, v.Step, string(v.Direction)} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// Each history of testdata says in its first line which single violation it has.
func TestEachHistoryHasExactlyItsViolation(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) < 21 {
		t.Fatalf("found %d histories, want at least 21: %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(name, func(t *testing.T) {
			dir, comment := unpack(t, path)
			h, err := history.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			r := check(t, h)
			first, _, _ := strings.Cut(comment, "\n")
			want, violating := strings.CutPrefix(first, "expect ")
			if !violating {
				want = ""
			}
			var got []string
			for _, v := range r.Violations {
				got = append(got, place(v))
				if len(v.Proof) == 0 || v.Message == "" {
					t.Errorf("%s has no proof or no message", place(v))
				}
				for _, p := range v.Proof {
					if _, err := os.Stat(filepath.Join(dir, p.Log)); err != nil || p.Number < 1 {
						t.Errorf("the proof %s:%d is no line of a file", p.Log, p.Number)
					}
				}
			}
			if strings.Join(got, "; ") != want {
				var text strings.Builder
				fmt.Fprintf(&text, "violations %q, want %q\n", got, want)
				_ = r.WriteText(&text)
				t.Error(text.String())
			}
		})
	}
}
