package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// A full disk refuses commits; what was acknowledged stays, and commits go on as
// soon as there is space.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	mount(t, dir, "size=4m", false)
	s, err := open(t.Context(), tightConfig(dir), tightBuckets)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	w := joined(t, s)
	told := &record{ended: map[id.ID]bool{}}
	commit := func() error {
		b := w.batch(20)
		results, err := s.Commit(t.Context(), b)
		if err != nil {
			w.live = nil // the walker believes in what was refused
		}
		for i, r := range results {
			if r.Outcome == store.Committed {
				told.add(&b.Transitions[i], w.keys[b.Transitions[i].Saga], 0)
			}
		}
		return err
	}
	for range 10 {
		if err := commit(); err != nil {
			t.Fatal(err)
		}
	}
	ballast := filepath.Join(dir, "ballast")
	for round := range 3 {
		fillDisk(t, ballast)
		for err = commit(); err == nil; {
			err = commit()
		}
		if errors.Is(err, store.ErrFatal) || !strings.Contains(err.Error(), "the disk is full; free space") {
			t.Fatalf("committing on a full disk, round %d: %v", round, err)
		}
		for range 3 {
			if err := commit(); errors.Is(err, store.ErrFatal) { // a short batch may still fit
				t.Fatalf("committing again on a full disk: %v", err)
			}
		}
		if _, err := s.Load(t.Context(), told.acks[0].saga); err != nil {
			t.Fatalf("reading on a full disk: %v", err)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if err := commit(); err != nil {
				t.Fatalf("committing with space again: %v", err)
			}
		}
	}
	closed(t, s)
	if err := recovered(t.Context(), dir, told, 0); err != nil {
		t.Error(err)
	}
}

// fillDisk writes a file until there is no space.
func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 64<<10)
	for len(block) > 0 {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
