package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/unwindhq/unwind"
)

// mountSmall mounts a file system of a few megabytes. It takes root, or a user
// namespace of one's own: unshare -rm go test.
func mountSmall(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Fatalf("mounting a small file system at %s: %v; run this as root, or as in: unshare -rm go test ./engine", dir, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
}

// fill writes a file until there is no space.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	block := make([]byte, 4096)
	for {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// A full disk refuses starts with a reason and a time to come back, keeps what was
// acknowledged, and goes on by itself once there is space.
func TestAFullDisk(t *testing.T) {
	dir := t.TempDir()
	mountSmall(t, dir)
	s := newStageAt(t, filepath.Join(dir, "unwind.db"), placeOrder(), "", nil)
	var acked []string
	start := func(key string) error {
		inst, _, err := s.Start(t.Context(), unwind.StartRequest{Saga: "place-order", Key: key, Input: json.RawMessage(`"` + strings.Repeat("x", 2000) + `"`)})
		if err == nil {
			acked = append(acked, inst.ID)
		}
		return err
	}
	ballast := filepath.Join(dir, "ballast")
	for round := range 2 {
		for i := range 20 {
			if err := start(fmt.Sprintf("before-%d-%d", round, i)); err != nil {
				t.Fatal(err)
			}
		}
		fill(t, ballast)
		var err error
		for i := 0; err == nil; i++ {
			err = start(fmt.Sprintf("during-%d-%d", round, i))
		}
		if after, is := isCode(err, unwind.StoreUnavailable); !is || after <= 0 || !strings.Contains(err.Error(), "full") {
			t.Errorf("a start got %v", err)
		}
		if s.Err() != nil {
			t.Fatalf("the engine has stopped: %v", s.Err())
		}
		if _, err := s.Get(t.Context(), acked[0]); err != nil {
			t.Errorf("reading got %v", err)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		s.until("starts are still refused", func() bool { return start(fmt.Sprintf("after-%d", round)) == nil })
	}
	s.crash()
	for _, id := range acked {
		if inst := s.rest(id); inst.Status != unwind.Completed {
			t.Fatalf("it rests as %s", inst.Status)
		}
	}
	s.drop()
}
