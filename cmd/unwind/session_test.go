package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A session is one script being run.
type session struct {
	t       *testing.T
	archive archive
	changed bool // files of the archive were written anew
	dir     string
	place   string // of the line being run
	env     []string
	shop    *shop

	stdin, stdout, stderr string
	running               map[string]*process
}

// A process was left running.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr output
}

// An output can be read while it is written.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func newSession(t *testing.T, a archive) *session {
	s := &session{t: t, archive: a, dir: t.TempDir(), running: map[string]*process{}}
	var err error
	if s.shop, err = newShop(s.dir); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	s.env = []string{"PATH=" + filepath.Dir(binary), "HOME=" + s.dir, "TMPDIR=" + s.dir, "TERM=xterm-256color",
		"UNWIND_LISTEN=" + address, "UNWIND_SERVER=http://" + address, "SHOP=" + s.shop.server.URL, "RLO=\u202e"}
	for name, text := range a.files {
		file := filepath.Join(s.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// end kills what is still running.
func (s *session) end() {
	for name, p := range s.running {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		if s.t.Failed() {
			s.t.Logf("%s said:\n%s%s", name, p.stdout.String(), p.stderr.String())
		}
	}
	s.check(s.shop.close())
}

func (s *session) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("%s: %s\nstdout:\n%s\nstderr:\n%s", s.place, fmt.Sprintf(format, args...), s.stdout, s.stderr)
}

func (s *session) check(err error) {
	if err != nil {
		s.t.Helper()
		s.fatalf("%v", err)
	}
}

func (s *session) getenv(name string) string {
	for _, e := range slices.Backward(s.env) {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	s.fatalf("$%s is not set", name)
	return ""
}

func (s *session) read(name string) string {
	switch name {
	case "stdout":
		return s.stdout
	case "stderr":
		return s.stderr
	}
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	s.check(err)
	return string(b)
}

func (s *session) command(args []string) *exec.Cmd {
	if args[0] != "unwind" {
		s.fatalf("there is no command %q", args[0])
	}
	cmd := exec.Command(binary, args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin = s.dir, s.env, strings.NewReader(s.stdin)
	s.stdin = ""
	return cmd
}

// run runs a command to its end and returns its exit code.
func (s *session) run(args []string) int {
	cmd := s.command(args)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	s.check(cmd.Start())
	stuck := time.AfterFunc(patience, func() { _ = cmd.Process.Signal(syscall.SIGQUIT) })
	err := cmd.Wait()
	stuck.Stop()
	s.stdout, s.stderr = stdout.String(), stderr.String()
	return s.code(err)
}

func (s *session) code(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	s.check(err)
	return 0
}

func (s *session) leaveRunning(name string, args []string) {
	p := &process{cmd: s.command(args)}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	s.check(p.cmd.Start())
	s.running[name] = p
}

func (s *session) process(name string) *process {
	p := s.running[name]
	if p == nil {
		s.fatalf("nothing runs under the name %q", name)
	}
	return p
}

func (s *session) until(what string, done func() bool) {
	for begin := time.Now(); !done(); pause(5 * time.Millisecond) {
		if time.Since(begin) > patience {
			s.fatalf("waited %s for %s", patience, what)
		}
	}
}

// ready asks whether the server takes requests.
func ready(url string) bool {
	defer http.DefaultClient.CloseIdleConnections()
	resp, err := http.Get(url + "/readyz")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func (s *session) pattern(text string) *regexp.Regexp {
	re, err := regexp.Compile("(?m)" + text)
	s.check(err)
	return re
}
