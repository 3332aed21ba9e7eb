package bench

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// Profile writes a CPU profile of this process until stop is called, where its
// parent asked for one.
func Profile() (stop func(), err error) {
	name := os.Getenv(profileMark)
	if name == "" {
		return func() {}, nil
	}
	f, err := os.Create(name)
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		return nil, fmt.Errorf("writing a profile: %w", err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

// Control answers what every child is asked.
func Control(req Request) (any, error) {
	if req.Do != "collect" {
		return nil, errors.New("it is not known here")
	}
	debug.FreeOSMemory() // collects, and gives back what is free
	return nil, nil
}

// resident is what a process has in memory, now and at most, in MiB.
func (c *child) resident() (now, peak float64, err error) {
	file := "/proc/" + strconv.Itoa(c.cmd.Process.Pid) + "/status"
	for name, to := range map[string]*float64{"VmRSS": &now, "VmHWM": &peak} {
		kib, err := strconv.ParseFloat(strings.TrimSuffix(field(file, name), " kB"), 64)
		if err != nil {
			return 0, 0, fmt.Errorf("reading the memory of the %s: %w", c.role, err)
		}
		*to = kib / 1024
	}
	return now, peak, nil
}

// cpu is the CPU time that a process has used.
func (c *child) cpu() time.Duration { return processTime(strconv.Itoa(c.cmd.Process.Pid)) }

// processTime reads the CPU time of a process ("self" is this one); 0 where
// nobody knows.
func processTime(pid string) time.Duration {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ") // behind the name, which may hold anything
	words := strings.Fields(rest)
	if len(words) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(words[11])
	system, _ := strconv.Atoi(words[12])
	return time.Duration(user+system) * time.Second / perSecond
}
