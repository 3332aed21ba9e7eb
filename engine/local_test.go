package engine_test

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

// A starved transport has no descriptors for its first dials.
type starved struct {
	http.Transport
	left atomic.Int32
	why  syscall.Errno
}

func (s *starved) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.left.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", s.why)}
	}
	return s.Transport.RoundTrip(r)
}

// A machine that has nothing left to connect with costs no attempt, and is
// warned of once.
func TestWhatThisMachineLacksIsNoAttempt(t *testing.T) {
	for name, why := range map[string]syscall.Errno{
		"descriptors": syscall.EMFILE, "the system's descriptors": syscall.ENFILE, "ports": syscall.EADDRNOTAVAIL, "buffers": syscall.ENOBUFS,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			transport := &starved{why: why}
			transport.left.Store(3)
			def := placeOrder()
			def.Retry = &unwind.Retry{Initial: unwind.Millisecond, Max: unwind.Millisecond, Multiplier: 1, Attempts: 1}
			w := newWorld(t, def, "", func(cfg *engine.Config) {
				cfg.Transport, cfg.Logger = transport, slog.New(slog.NewTextHandler(&log, nil))
			})
			inst := w.run("o-1")
			if s := inst.Steps[0]; inst.Status != unwind.Completed || s.Attempts != 1 || s.Throttled != 3 {
				t.Errorf("it rests as %s, after %d attempts and %d that did not count", inst.Status, s.Attempts, s.Throttled)
			}
			transport.CloseIdleConnections()
			stop(t, w.Engine)
			if text := log.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "RLIMIT_NOFILE") {
				t.Errorf("the log is\n%s", text)
			}
		})
	}
}
