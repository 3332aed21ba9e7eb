//go:build unix

package sqlite

import (
	"syscall"
	"time"
)

// cpuTime is what the process has used of the CPUs: it tells more than the clock
// where others use them too.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
