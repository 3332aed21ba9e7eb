package main

import (
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/demo"
)

// printedCommand is a line of the demo's that is meant to be copied.
var printedCommand = regexp.MustCompile(`(?m)^  (\S*unwind --server .*)$`)

// The incident, walked: the alert is waited for, the commands are run as they are
// printed, and the money is back in the books of those who took it.
func TestTheThreeCommandsOfTheIncidentBringTheMoneyBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := perform(t, dir, "storm", "--quick")
	var commands []string
	eventuallyTrue(t, "the three commands", func() bool {
		commands = commands[:0]
		for _, m := range printedCommand.FindAllStringSubmatch(s.stdout.String(), -1) {
			commands = append(commands, m[1])
		}
		return len(commands) >= 3
	})
	for _, alert := range []string{unwind.AlertDeadLetter, unwind.AlertLaneGuard} {
		// Its line stands before the commands, but on a pipe of its own.
		eventuallyTrue(t, "the alert "+alert, func() bool {
			return strings.Contains(s.stderr.String(), "ALERT "+alert+" (signature good): ")
		})
	}
	stats, err := s.client.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if stats.DeadLettersOpen < 5 || stats.Compensations == 0 {
		t.Errorf("%d dead letters are open, %d refunds wait; there should be some of both", stats.DeadLettersOpen, stats.Compensations)
	}
	if len(commands) != 3 {
		t.Fatalf("%d commands are printed", len(commands))
	}
	for _, line := range commands {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput()
		t.Logf("$ %s\n%s", line, out)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	eventuallyTrue(t, "the demo to see it", func() bool { return strings.Contains(s.stdout.String(), "✓ every outcome agrees") })
	eventuallyTrue(t, "the last word on the alerts", func() bool { return strings.Contains(s.stderr.String(), "the money is back.") })
	for _, alert := range []string{unwind.AlertDeadLetter, unwind.AlertLaneGuard} {
		if begun, over := strings.Count(s.stderr.String(), "ALERT "+alert+" "), strings.Count(s.stderr.String(), "alert over: "+alert+", after "); begun != 1 || over != 1 {
			t.Errorf("the alert %s came %d times, and its end %d times", alert, begun, over)
		}
	}
	if stats, err = s.client.Stats(t.Context()); err != nil || stats.DeadLettersOpen != 0 || stats.Sagas[unwind.Compensated] != 120 {
		t.Errorf("the server says %+v, %v", stats, err)
	}
	children := s.children()
	s.signal(syscall.SIGINT)
	if code := s.wait(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	gone(t, children)
	undoneOnce(t, dir, demo.Undeliverable(120, 1))
}

// undoneOnce reads the books that the services have left: every order was paid and
// refunded once, its stock is back, and nothing was shipped.
func undoneOnce(t *testing.T, dir string, orders []demo.Order) {
	t.Helper()
	refunds, balance := map[string]int{}, map[string]int64{}
	for _, name := range demo.Names {
		p, err := demo.Open(t.Context(), demo.Options{Name: name, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(p.Handler())
		_, entries, err := demo.FetchBooks(t.Context(), server.Client(), server.URL)
		server.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			switch at := name + " " + e.OrderID + " " + e.Item; e.Kind {
			case demo.Charged:
				refunds[e.OrderID] += 0
				balance[at] += e.Amount
			case demo.Refunded:
				refunds[e.OrderID]++
				balance[at] -= e.Amount
			case demo.Reserved:
				balance[at] += e.Amount
			case demo.Released:
				balance[at] -= e.Amount
			default:
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
	for _, o := range orders {
		if n, charged := refunds[o.OrderID]; !charged || n != 1 {
			t.Errorf("order %s was refunded %d times (charged: %t)", o.OrderID, n, charged)
		}
	}
	if len(refunds) != len(orders) {
		t.Errorf("%d orders were charged; %d were placed", len(refunds), len(orders))
	}
	for at, left := range balance {
		if left != 0 {
			t.Errorf("%s: %d are not given back", at, left)
		}
	}
}

func TestCtrlCEndsTheIncidentWhileItWaitsForAnOperator(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
	}{{nil, exitOK}, {[]string{"--exit"}, exitInterrupted}} {
		s := perform(t, t.TempDir(), append([]string{"storm", "--quick"}, c.args...)...)
		eventuallyTrue(t, "the three commands", func() bool { return strings.Contains(s.stdout.String(), "dlq replay --group") })
		children := s.children()
		s.signal(syscall.SIGINT)
		if code := s.wait(); code != c.code {
			t.Errorf("%v: exit code %d; want %d", c.args, code, c.code)
		}
		gone(t, children)
	}
}

func TestAShellReadsAWordAsItIs(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"unwind", "/opt/a b/unwind", "it's", "$HOME", "`id`", "http://127.0.0.1:7070", "~/x", "*"} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+shellWord(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%s is written as %s and read as %s, %v", word, shellWord(word), out, err)
		}
	}
}
