package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A child is the command as a process of its own, to be stopped or killed.
type child struct {
	t              testing.TB
	cmd            *exec.Cmd
	stdout, stderr output
	ended          chan error
}

func launch(t testing.TB, args ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(binary, args...), ended: make(chan error, 1)}
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.ended <- c.cmd.Wait(); close(c.ended) }()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		for range c.ended { // before the folder that it writes to is removed
		}
		if t.Failed() {
			t.Logf("unwind %s said:\n%s%s", strings.Join(args, " "), c.stdout.String(), c.stderr.String())
		}
	})
	return c
}

// wait waits for the end and returns the exit code; -1: killed.
func (c *child) wait() int {
	c.t.Helper()
	select {
	case err := <-c.ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			c.t.Fatal(err)
		}
		return c.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		_ = c.cmd.Process.Signal(syscall.SIGQUIT)
		c.t.Fatalf("%s did not end within %s", c.cmd, patience)
		return 0
	}
}

func (c *child) signal(s syscall.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// kill kills with -9 and waits.
func (c *child) kill() {
	c.t.Helper()
	c.signal(syscall.SIGKILL)
	c.wait()
}

// A birth tells a process from all others, also from one that has got its number later.
type birth struct {
	pid int
	at  string // in ticks since the machine was started
}

// birthOf tells of a process that lives; false: it does not, or no more.
func birthOf(pid int) (b birth, parent int, lives bool) {
	stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat") // gone: empty
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" {
		return birth{}, 0, false
	}
	parent, _ = strconv.Atoi(fields[1])
	return birth{pid, fields[19]}, parent, true
}

// children are the processes that this one has begun, by what they were told.
func (c *child) children() map[birth]string {
	c.t.Helper()
	found := map[birth]string{}
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		if b, parent, lives := birthOf(pid); lives && parent == c.cmd.Process.Pid {
			line, _ := os.ReadFile("/proc/" + d.Name() + "/cmdline")
			found[b] = strings.ReplaceAll(string(line), "\x00", " ")
		}
	}
	return found
}

// gone waits until none of the processes lives any more.
func gone(t testing.TB, children map[birth]string) {
	t.Helper()
	eventuallyTrue(t, "the end of every child", func() bool {
		for child := range children {
			if now, _, lives := birthOf(child.pid); lives && now == child {
				return false
			}
		}
		return true
	})
}

func eventuallyTrue(t testing.TB, what string, done func() bool) {
	t.Helper()
	for begin := time.Now(); !done(); pause(5 * time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// pause waits before another process is asked again.
func pause(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // another process gives no signal, and does not live in a bubble
}
