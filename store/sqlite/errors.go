package sqlite

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

// explain adds to an error of SQLite what to do about it. Damage of the file and
// a failed fsync wrap [store.ErrFatal]: after a failed fsync the kernel may have
// dropped what it could not write, so trying again would succeed and be wrong.
func explain(err error) error {
	code := sqlite.ErrCode(err)
	switch code {
	case sqlite.ResultIOErrFsync, sqlite.ResultIOErrDirFsync:
		return fmt.Errorf("%w: the disk did not take what was written; check it, then start again: %w", store.ErrFatal, err)
	}
	switch code.ToPrimary() {
	case sqlite.ResultCorrupt:
		return fmt.Errorf("%w: the file is damaged; restore a backup: %w", store.ErrFatal, err)
	case sqlite.ResultNotADB:
		return fmt.Errorf("%w: the file is no SQLite database, or is encrypted; name another path or restore a backup: %w", store.ErrFatal, err)
	case sqlite.ResultFull:
		return fmt.Errorf("the disk is full; free space on it: %w", err)
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return fmt.Errorf("another program holds the file; close it: %w", err)
	case sqlite.ResultReadOnly, sqlite.ResultPerm, sqlite.ResultAuth:
		return fmt.Errorf("the file can't be written to; check its permissions and how its disk is mounted: %w", err)
	case sqlite.ResultCantOpen:
		return fmt.Errorf("the file can't be opened; check that the directory exists and may be written to: %w", err)
	case sqlite.ResultIOErr:
		return fmt.Errorf("the disk failed; check it: %w", err)
	}
	return err
}

// explainCommit is [explain] for an error of COMMIT itself: where the disk
// failed, nobody knows whether the commit lies on it.
func explainCommit(err error) error {
	if code := sqlite.ErrCode(err); code.ToPrimary() == sqlite.ResultIOErr {
		return fmt.Errorf("%w: the disk failed in the middle of a commit; check it, then start again: %w", store.ErrFatal, err)
	}
	return explain(err)
}
