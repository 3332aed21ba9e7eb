package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
	"github.com/unwindhq/unwind/internal/demo"
)

// A theatre is a demo whose server can be asked.
type theatre struct {
	*child
	client *client.Client
}

func perform(t *testing.T, dir string, args ...string) *theatre {
	t.Helper()
	address := freeAddress(t)
	cl, err := client.New(client.Config{URL: "http://" + address, Attempts: 1, HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"demo"}
	if len(args) > 0 && args[0] == "storm" {
		words, args = append(words, "storm"), args[1:]
	}
	return &theatre{launch(t, append(append(words, "--dir", dir, "--listen", address), args...)...), cl}
}

// servesOn: its story is told, and it waits to be stopped.
func (s *theatre) servesOn() bool {
	return strings.Contains(s.stdout.String(), "Ctrl-C stops everything")
}

// atRest waits until so many orders are at rest.
func (s *theatre) atRest(n int64) {
	s.t.Helper()
	eventuallyTrue(s.t, "orders at rest", func() bool {
		stats, err := s.client.Stats(s.t.Context())
		return err == nil && stats.Sagas[unwind.Completed]+stats.Sagas[unwind.Compensated]+stats.Sagas[unwind.DeadLettered] >= n
	})
}

func TestADemoThatIsKilledGoesOnAndItsBooksAddUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// The gateway sees to it that there are orders left when it is killed: here for 20 s.
	for round, n := range []int64{5, 20} {
		s := perform(t, dir, "--orders", "60", "--gateway-rate", "2", "--exit")
		s.atRest(n)
		children := s.children()
		if len(children) != 3 {
			t.Errorf("round %d: %d children: %v", round, len(children), children)
		}
		s.kill()
		gone(t, children)
	}
	s := perform(t, dir, "--orders", "7", "--gateway-rate", "5", "--exit") // resumed: the 60 go on
	s.atRest(25)
	for child, line := range s.children() {
		if strings.Contains(line, "payments") {
			p, err := os.FindProcess(child.pid)
			if err == nil {
				err = p.Kill()
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
	if code := s.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	refused := 0
	for _, o := range demo.Orders(60, 1) {
		if o.RefusedBy != "" {
			refused++
		}
	}
	for _, want := range []string{fmt.Sprintf("\n60 orders: %d completed, %d undone, 0 dead letters\n", 60-refused, refused), "✓ every outcome agrees with the services' own books"} {
		if !strings.Contains(s.stdout.String(), want) {
			t.Errorf("stdout lacks %q", want)
		}
	}
	for _, want := range []string{"the last run was cut short", "its 60 orders are placed again under their keys", "participant payments died (signal: killed)"} {
		if !strings.Contains(s.stderr.String(), want) {
			t.Errorf("stderr lacks %q", want)
		}
	}
	if strings.Contains(s.stdout.String()+s.stderr.String(), "\x1b") {
		t.Error("there are escape sequences in a pipe")
	}
}

func TestARunBesideEarlierOnesSaysSo(t *testing.T) {
	t.Parallel()
	dir, said := t.TempDir(), "those of earlier runs are in the books too"
	for run := range 2 {
		s := perform(t, dir, "--orders", "4", "--exit")
		if code := s.wait(); code != 0 {
			t.Errorf("run %d: exit code %d: %s", run+1, code, s.stderr.String())
		}
		if got := strings.Contains(s.stderr.String(), said); got != (run > 0) {
			t.Errorf("run %d says that others are in the books: %t", run+1, got)
		}
	}
}

func TestCtrlCEndsTheDemoAtEveryStageWithAllItsProcesses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		orders string // of which the gateway takes 20 a second
		until  func(*theatre) bool
		code   int
	}{
		{"as the services start", "5000", func(s *theatre) bool { return len(s.children()) > 0 }, exitInterrupted},
		{"as orders run", "5000", func(s *theatre) bool { s.atRest(3); return true }, exitInterrupted},
		{"as it serves on", "20", (*theatre).servesOn, exitOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := perform(t, t.TempDir(), "--orders", c.orders, "--gateway-rate", "20")
			eventuallyTrue(t, c.name, func() bool { return c.until(s) })
			children := s.children()
			s.signal(syscall.SIGINT)
			if code := s.wait(); code != c.code {
				t.Errorf("exit code %d; want %d", code, c.code)
			}
			gone(t, children)
		})
	}
}

func TestASecondDemoSaysHowToRunBesideTheFirst(t *testing.T) {
	t.Parallel()
	s := perform(t, t.TempDir(), "--orders", "1")
	s.atRest(1)
	address := s.cmd.Args[5] // as it was told
	second := launch(t, "demo", "--dir", t.TempDir(), "--listen", address)
	if code := second.wait(); code != exitError {
		t.Errorf("exit code %d", code)
	}
	if said := second.stderr.String(); !strings.Contains(said, "address already in use") || !strings.Contains(said, "unwind demo --listen 127.0.0.1:7071 --dir FOLDER") {
		t.Errorf("it says %s", said)
	}
	beside := perform(t, t.TempDir(), "--orders", "3", "--exit")
	if code := beside.wait(); code != 0 {
		t.Errorf("beside: exit code %d", code)
	}
	eventuallyTrue(t, "the first one's story", s.servesOn)
	s.signal(syscall.SIGTERM)
	if code := s.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestTheDemoLeavesTheFilesOfOthersAlone(t *testing.T) {
	dir := t.TempDir()
	theirs := filepath.Join(dir, "payments.db")
	if err := os.WriteFile(theirs, []byte("not the demo's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := demoFolder(dir, true); err == nil || !strings.Contains(err.Error(), "is not a demo's") {
		t.Errorf("the folder was taken: %v", err)
	}
	if _, err := os.Stat(theirs); err != nil {
		t.Errorf("the file is gone: %v", err)
	}
}
