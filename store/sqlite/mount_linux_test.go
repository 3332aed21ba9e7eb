package sqlite

import (
	"syscall"
	"testing"
)

// mount mounts a tmpfs until the test ends.
func mount(t *testing.T, dir, options string, readOnly bool) {
	t.Helper()
	var flags uintptr
	if readOnly {
		flags = syscall.MS_RDONLY
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Fatalf("mounting a tmpfs: %v; this test needs root (CAP_SYS_ADMIN): run it in a container with that right", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
}
