package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// An export that breaks off leaves the one before as it was, and no half of its own.
func TestAFileIsWrittenWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.jsonl")
	write := func(text string, end error) error {
		return writeWhole(path, 0o600, func(f *os.File) error {
			_, err := f.WriteString(text)
			return errors.Join(err, end)
		})
	}
	broken := errors.New("the server is gone")
	for _, c := range []struct {
		text string
		end  error
		want string
	}{{"first", nil, "first"}, {"sec", broken, "first"}, {"third", nil, "third"}} {
		if err := write(c.text, c.end); !errors.Is(err, c.end) || c.end == nil && err != nil {
			t.Errorf("writing %s got %v", c.text, err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != c.want {
			t.Errorf("after %s it holds %q, error %v", c.text, got, err)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("there are %v, error %v", files, err)
	}
}
