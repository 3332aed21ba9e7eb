package sqlite

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

// A checkpointer copies the WAL into the file, beside the writer, so that commits
// need not wait for it. SQLite's own automatic checkpoint would run inside a
// commit, and hide an error of its fsync.
//
// The WAL begins anew once all of it is copied. While commits go on that is never
// so when a checkpoint ends; so the writer copies the short rest itself.
type checkpointer struct {
	conn    *sqlite.Conn
	wanted  chan struct{}
	running atomic.Bool
	done    sync.WaitGroup
}

func newCheckpointer(config *Config) (*checkpointer, error) {
	conn, err := sqlite.OpenConn(config.Path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	if err := pragmas(conn, "synchronous=FULL", "wal_autocheckpoint=0"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &checkpointer{conn: conn, wanted: make(chan struct{}, 1)}, nil
}

// run answers what is wanted until stop; failed gets its errors.
func (c *checkpointer) run(failed func(error) error) {
	for range c.wanted {
		// An error that is not fatal leaves the WAL long; the next one comes.
		_ = failed(checkpoint(c.conn))
		c.running.Store(false)
	}
}

// want begins a checkpoint.
func (c *checkpointer) want() {
	c.running.Store(true)
	c.wanted <- struct{}{} // there is room: nobody else wants while one runs
}

func (c *checkpointer) stop() error {
	close(c.wanted)
	c.done.Wait()
	return c.conn.Close()
}

func checkpoint(conn *sqlite.Conn) error {
	if _, _, err := wal(conn, "PASSIVE"); err != nil {
		return fmt.Errorf("copying the WAL into the file: %w", err)
	}
	return nil
}

// wal runs a checkpoint and returns how many pages the WAL holds, and how many of
// them are copied.
func wal(conn *sqlite.Conn, mode string) (length, copied int, err error) {
	err = each(conn, "PRAGMA wal_checkpoint("+mode+")", func(s *sqlite.Stmt) error {
		length, copied = s.ColumnInt(1), s.ColumnInt(2)
		return nil
	})
	return length, copied, err
}

// limitWAL keeps the WAL short after a transaction. The batch is durable, so that
// only an error that ends the process is one of its.
func (s *Store) limitWAL() error {
	w, long := s.writer, s.config.CheckpointPages
	if w.pages += 4; w.pages < long/16 {
		return nil
	}
	w.pages = 0
	if s.checkpoints.running.Load() {
		return nil
	}
	length, copied, err := wal(w.conn, "NOOP")
	switch {
	case err != nil || length < long:
	case length-copied < long/2:
		err = checkpoint(w.conn)
	default:
		s.checkpoints.want()
	}
	if err := s.failed(err); errors.Is(err, store.ErrFatal) {
		return err
	}
	return nil
}
