package sim

import (
	"os"
	"runtime/debug"
	"testing"
)

// A schedule leaves nothing behind: collecting only what reaches a bound halves
// the CPU time of a run. GOGC and GOMEMLIMIT say otherwise.
func TestMain(m *testing.M) {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(-1)
		debug.SetMemoryLimit(512 << 20)
	}
	os.Exit(m.Run())
}
