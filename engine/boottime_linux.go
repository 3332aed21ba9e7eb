package engine

import (
	"os"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"
)

// bootClock returns the id of the machine's boot and the µs since then, sleep
// included; a zero id: nobody knows.
func bootClock() (boot [16]byte, up int64) {
	var ts unix.Timespec
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return boot, 0
	}
	id, err := uuid.Parse(strings.TrimSpace(string(text)))
	if err != nil {
		return boot, 0
	}
	return id, ts.Nano() / 1000
}
