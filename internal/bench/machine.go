package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Machine describes where figures were taken.
type Machine struct {
	CPU       string  `json:"cpu"`
	Cores     int     `json:"cores"`
	MemoryMiB int     `json:"memory_mib"`
	System    string  `json:"system"`
	Go        string  `json:"go"`
	Revision  string  `json:"revision,omitempty"`
	FsyncMS   float64 `json:"fsync_ms"` // median time to append 4 KiB durably where the stores lie
	Load      string  `json:"load"`     // the load averages before the run
}

// Describe looks at the machine; dir is where stores lie.
func Describe(dir string) Machine {
	m := Machine{CPU: "unknown CPU", Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	if v := field("/proc/cpuinfo", "model name"); v != "" {
		m.CPU = v
	}
	if kib, err := strconv.Atoi(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB")); err == nil {
		m.MemoryMiB = kib / 1024
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += " " + strings.TrimSpace(string(b))
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load = strings.Join(strings.Fields(string(b))[:3], " ")
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				m.Revision = s.Value
			}
		}
	}
	m.FsyncMS = fsyncTime(dir).Seconds() * 1000
	return m
}

// field is the value of a line "name: value" of a file.
func field(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// fsyncTime is the median time to append 4 KiB durably; 0 where that fails.
func fsyncTime(dir string) time.Duration {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return 0
	}
	defer os.Remove(f.Name()) //nolint:errcheck // a scratch file
	defer f.Close()           //nolint:errcheck // a scratch file
	page, took := bytes.Repeat([]byte("x"), 4096), make([]time.Duration, 101)
	for i := range took {
		begin := time.Now()
		if _, err = f.Write(page); err == nil {
			err = f.Sync()
		}
		if err != nil {
			return 0
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// Ticks are the CPU time of the machine, and of this process and its children
// that have ended, in seconds.
type Ticks struct{ all, busy, ours float64 }

const perSecond = 100 // the unit of /proc/stat and /proc/PID/stat: USER_HZ

// Others is the share of the CPUs that other processes used since then.
func Others(since Ticks) float64 {
	now := MachineTime()
	if now.all <= since.all {
		return 0
	}
	return max(now.busy-since.busy-(now.ours-since.ours), 0) / (now.all - since.all)
}

// String is the machine in one line.
func (m Machine) String() string {
	return fmt.Sprintf("%s, %d cores, %d MiB, %s, %s; 4 KiB durably appended in %.2f ms", m.CPU, m.Cores, m.MemoryMiB, m.System, m.Go, m.FsyncMS)
}
