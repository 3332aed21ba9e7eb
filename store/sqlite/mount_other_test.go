//go:build !linux

package sqlite

import "testing"

func mount(t *testing.T, _, _ string, _ bool) {
	t.Helper()
	t.Skip("this test mounts a tmpfs, which only Linux has")
}
