// Package sqlite keeps sagas in one SQLite file: the default store of an
// embedded engine.
//
// The file is in WAL mode with synchronous=FULL. One connection writes: a batch
// is one immediate transaction and one fsync. A few others read beside it, each
// for a bounded time. The writer runs the checkpoints itself, because SQLite's
// own hide a failed fsync. Read in this order: row.go and segment.go (what rows
// hold), commit.go (the way of a batch), keys.go (how a start meets its like).
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/unwindhq/unwind/store"
)

// Config says where a store lies and what it may use.
type Config struct {
	// Path of the file. Its directory must exist. Beside it lie Path-wal,
	// Path-shm and Path.lock.
	Path string
	// ReadConns is how many reads run at once. Defaults to 4.
	ReadConns int
	// CacheMiB is the writer's page cache. Defaults to 64.
	CacheMiB int
	// ReadTimeout is the longest that one read may take; an old snapshot keeps
	// the WAL from being reused. Defaults to 30 s.
	ReadTimeout time.Duration
	// CheckpointPages is how many pages of the WAL start a checkpoint.
	// Defaults to 8000, which is 32 MiB.
	CheckpointPages int
	// RecentSagas is how many sagas the writer remembers, so that it need not
	// read their rows before it writes them. Defaults to 100000.
	RecentSagas int
}

// WithDefaults returns the configuration with its zero fields filled in.
func (c Config) WithDefaults() Config {
	or(&c.ReadConns, 4)
	or(&c.CacheMiB, 64)
	or(&c.ReadTimeout, 30*time.Second)
	or(&c.CheckpointPages, 8000)
	or(&c.RecentSagas, 100_000)
	return c
}

func or[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

func (c *Config) validate() error {
	switch {
	case c.Path == "":
		return errors.New("opening a store: Path is empty; name a file")
	case c.ReadConns < 0, c.CacheMiB < 0, c.ReadTimeout < 0, c.CheckpointPages < 0, c.RecentSagas < 0:
		return errors.New("opening a store: no field may be negative; zero means the default")
	}
	return nil
}

// A Store is a [store.Store] in an SQLite file. Its methods are safe for
// concurrent use. Make one with [Open].
type Store struct {
	config Config
	lock   *os.File
	names  *names
	keys   *keys

	mu     sync.Mutex // guards what writes
	writer *writer

	checkpoints *checkpointer
	readers     chan *sqlite.Conn
	opened      int // readers
	closing     chan struct{}
	closed      sync.Once
	fatal       error // guarded by fatalMu; sticks
	fatalMu     sync.RWMutex
	closeErr    error
}

var _ store.Store = (*Store)(nil)

// minimumVersion is SQLite 3.51.3, the first without the WAL-reset bug.
const minimumVersion = 3_051_003

var errClosed = errors.New("the store is closed")

// Open opens the store in a file, and makes it where there is none. Only one
// process can have it open.
func Open(ctx context.Context, config Config) (*Store, error) {
	return open(ctx, config, keysPerBucket)
}

// open is [Open] with the size of the key index's buckets.
func open(ctx context.Context, config Config, keysPerBucket int) (*Store, error) {
	config = config.WithDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	if sqlite.VersionNumber < minimumVersion {
		return nil, fmt.Errorf("opening the store %s: this program contains SQLite %s, which can lose a WAL; build it with 3.51.3 or later", config.Path, sqlite.Version)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// Whoever comes by another name must meet the same lock.
	if target, err := filepath.EvalSymlinks(config.Path); err == nil {
		config.Path = target
	}
	lock, err := lockFile(config.Path)
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", config.Path, err)
	}
	s := &Store{
		config: config, lock: lock,
		names:   newNames(),
		keys:    newKeys(keysPerBucket),
		readers: make(chan *sqlite.Conn, config.ReadConns),
		closing: make(chan struct{}),
	}
	if err := s.open(); err != nil {
		if errors.Is(err, errForeign) || sqlite.ErrCode(err) == sqlite.ResultNotADB {
			_ = os.Remove(lock.Name()) // it locks nothing of ours
		}
		return nil, errors.Join(fmt.Errorf("opening the store %s: %w", config.Path, err), s.Close())
	}
	return s, nil
}

func (s *Store) open() error {
	if err := checkFiles(s.config.Path); err != nil {
		return err
	}
	if err := makeFile(s.config.Path); err != nil {
		return err
	}
	conn, err := openWriter(&s.config)
	if err != nil {
		return explain(err)
	}
	if s.writer, err = newWriter(conn, &s.config, s.names, s.keys); err != nil {
		return explain(errors.Join(err, conn.Close()))
	}
	if err := syncDir(filepath.Dir(s.config.Path)); err != nil {
		return err
	}
	if s.checkpoints, err = newCheckpointer(&s.config); err != nil {
		return explain(err)
	}
	s.checkpoints.done.Go(func() { s.checkpoints.run(s.failed) })
	for range s.config.ReadConns {
		conn, err := openReader(&s.config)
		if err != nil {
			return explain(err)
		}
		s.readers <- conn
		s.opened++
	}
	return nil
}

// makeFile makes a new file that only its owner can read: it will hold what
// customers have sent. SQLite gives the WAL the mode of its file.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EISDIR) {
		return nil // SQLite says it better
	}
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	return f.Close()
}

func openWriter(config *Config) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(config.Path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(5 * time.Second)
	if err := migrate(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	err = pragmas(conn, "synchronous=FULL", "wal_autocheckpoint=0", "foreign_keys=OFF", "temp_store=MEMORY",
		fmt.Sprintf("cache_size=-%d", config.CacheMiB<<10))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func openReader(config *Config) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(config.Path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(5 * time.Second)
	if err := pragmas(conn, "query_only=ON", "wal_autocheckpoint=0", "temp_store=MEMORY", "cache_size=-8192"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func pragmas(conn *sqlite.Conn, settings ...string) error {
	for _, p := range settings {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+p, nil); err != nil {
			return fmt.Errorf("setting %s: %w", p, err)
		}
	}
	return nil
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.closed.Do(func() {
		close(s.closing)
		s.mu.Lock()
		defer s.mu.Unlock()
		for range s.opened {
			s.closeErr = errors.Join(s.closeErr, (<-s.readers).Close())
		}
		if s.checkpoints != nil {
			s.closeErr = errors.Join(s.closeErr, s.checkpoints.stop())
		}
		if s.writer != nil {
			s.closeErr = errors.Join(s.closeErr, s.writer.conn.Close())
		}
		s.closeErr = errors.Join(s.closeErr, s.lock.Close())
	})
	return s.closeErr
}

// usable answers whether the store may be used at all.
func (s *Store) usable(ctx context.Context) error {
	select {
	case <-s.closing:
		return errClosed
	default:
	}
	s.fatalMu.RLock()
	defer s.fatalMu.RUnlock()
	if s.fatal != nil {
		return s.fatal
	}
	return ctx.Err()
}
