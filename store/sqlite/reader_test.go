package sqlite

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

func random() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), 0)) }

// forever never ends by itself.
func forever(conn *sqlite.Conn) error {
	return each(conn, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", nil)
}

// A reader that runs for long neither blocks the writer nor keeps it from copying
// the WAL.
func TestLongReaderDoesNotBlockTheWriter(t *testing.T) {
	s := opened(t, t.TempDir())
	defer closed(t, s)
	l := newLoad(t, s)
	l.step(100)
	began, end := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		done <- s.read(t.Context(), func(conn *sqlite.Conn) error {
			n, err := queryInt(conn, "SELECT count(*) FROM saga")
			close(began)
			<-end
			again, err2 := queryInt(conn, "SELECT count(*) FROM saga")
			if n != again {
				err2 = errors.New("the snapshot changed")
			}
			return errors.Join(err, err2)
		})
	}()
	<-began
	for range 100 {
		l.step(100)
	}
	if err := checkpoint(s.checkpoints.conn); err != nil {
		t.Error(err)
	}
	close(end)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestReadIsCutOff(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "unwind.db"), ReadConns: 1, ReadTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	if err := s.read(t.Context(), forever); err == nil || !strings.Contains(err.Error(), "longer than 20ms; ask for less, or raise ReadTimeout") {
		t.Errorf("a read that does not end: %v", err)
	}
	for begin := time.Now(); ; { // on a busy machine it may take as long itself
		if _, err = s.Stats(t.Context()); err == nil {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatalf("the reader after that: %v", err)
		}
	}
}

func TestAReadThatIsCancelledEnds(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "unwind.db"), ReadConns: 1, ReadTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(5*time.Millisecond, cancel)
	if err := s.read(ctx, forever); !errors.Is(err, context.Canceled) {
		t.Errorf("a read that is cancelled: %v", err)
	}
	if _, err := s.Stats(t.Context()); err != nil {
		t.Errorf("the reader after that: %v", err)
	}
}

func TestReadersWaitForOneAnother(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "unwind.db"), ReadConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	err = s.read(t.Context(), func(*sqlite.Conn) error {
		cancel()
		return s.read(ctx, func(*sqlite.Conn) error { return nil })
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for a reader with a context that is done: %v", err)
	}
}

func TestClosedStoreRefuses(t *testing.T) {
	s := opened(t, t.TempDir())
	closed(t, s)
	closed(t, s) // once more is no error
	if _, err := s.Stats(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("reading: %v", err)
	}
	if _, err := s.Join(t.Context(), "node-a"); !errors.Is(err, errClosed) {
		t.Errorf("joining: %v", err)
	}
}

// An empty batch goes to the disk as any other: it tells whether that is well.
func TestAnEmptyBatchIsWritten(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	defer closed(t, s)
	epoch, err := s.Join(t.Context(), "node-a")
	if err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "unwind.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	if _, err := s.Commit(t.Context(), &store.Batch{Epoch: epoch}); err != nil {
		t.Fatal(err)
	}
	if size() <= before {
		t.Errorf("the log has the %d bytes that it had before", before)
	}
}
