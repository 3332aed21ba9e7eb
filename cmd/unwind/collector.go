package main

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// tuneCollector has a server collect less often: it lives on small things that
// die soon, and may use memory that is there for the taking. Near the end of
// the machine's memory, or of its control group's, it collects as often as it
// must. GOGC and GOMEMLIMIT say otherwise.
func tuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if limit := memoryHere(); os.Getenv("GOMEMLIMIT") == "" && limit > 0 {
		debug.SetMemoryLimit(limit / 10 * 7)
	}
}

// memoryHere is how much this process may use in all, in bytes; 0: nobody knows.
func memoryHere() int64 {
	var least int64
	for _, file := range []string{"/proc/meminfo", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n := firstNumber(string(b)); n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	return least
}

// firstNumber reads "MemTotal: 1 kB" as 1024 and "2" as 2; "max" is 0.
func firstNumber(text string) int64 {
	line, _, _ := strings.Cut(text, "\n")
	unit := int64(1)
	if rest, ok := strings.CutSuffix(line, " kB"); ok {
		line, unit = rest, 1024
	}
	n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimPrefix(line, "MemTotal:")), 10, 64)
	if err != nil || n > 1<<62/unit {
		return 0
	}
	return n * unit
}
