//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockFile takes the lock beside the store: the friendly first barrier before
// the epoch, which is the one that holds.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the directory %s does not exist; make it, or name another: %w", filepath.Dir(path), err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return nil, fmt.Errorf("the directory %s can't be written to; the store needs to write files there: %w", filepath.Dir(path), err)
	case err != nil:
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(f, 32))
		err = fmt.Errorf("another process (pid %s) has it open; stop that one first, or use another file: %w", strings.TrimSpace(string(holder)), err)
		return nil, errors.Join(err, f.Close())
	}
	if err := f.Truncate(0); err == nil {
		// Only for the message; a full disk must not keep a store from opening.
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return f, nil
}

// checkFiles refuses what SQLite would open and thereby destroy.
func checkFiles(path string) error {
	file, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case file.Mode().IsRegular():
		// SQLite names the WAL after the file: each name would have its own.
		if sys, ok := file.Sys().(*syscall.Stat_t); ok && sys.Nlink > 1 {
			return fmt.Errorf("it has %d names (hard links), and a process that opens it by another one would destroy it; remove the others, or make them copies", sys.Nlink)
		}
	}
	// SQLite takes a WAL without its file for a stale one, and deletes it.
	if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 && (file == nil || file.Size() == 0) {
		return fmt.Errorf("it is missing or empty, but %s-wal beside it holds %d bytes of a store, which would be deleted; put the file back that they belong to, or remove them", path, wal.Size())
	}
	return nil
}

// syncDir makes the names of new files durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		return errors.Join(fmt.Errorf("syncing the directory %s: %w", dir, err), d.Close())
	}
	return d.Close()
}
