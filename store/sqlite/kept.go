package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

// The key of a saga that is purged may stay taken: its identity stays where keys.go
// has it, and what is left of the saga is a row of kept_key. So a saga costs that row
// when it is purged, and nothing before.
const (
	selectKept    = "SELECT phase, ended, digest, fixed FROM kept_key WHERE rid = ?"
	keepKeyQuery  = "INSERT OR REPLACE INTO kept_key VALUES (?, ?, ?, ?, ?)"
	freeKeysQuery = "DELETE FROM kept_key WHERE rid IN (SELECT rid FROM kept_key WHERE ended < ? ORDER BY ended LIMIT ?) RETURNING rid"
)

// keepKey writes what is left of a saga that is being purged.
func (w *writer) keepKey(row *sagaRow) error {
	digest, err := w.digestOf(&holder{fixed: row.fixed})
	if err != nil {
		return err
	}
	return each(w.conn, keepKeyQuery, nil, row.rid, int64(row.phase), row.updated, digest[:], row.fixed.append(nil))
}

// PurgeKeys implements [store.Store]. The identities go with their bucket: compact.go.
func (s *Store) PurgeKeys(ctx context.Context, epoch, before int64, limit int) (n int, err error) {
	err = s.write(ctx, epoch, func(w *writer) error {
		n = 0
		return each(w.conn, freeKeysQuery, func(*sqlite.Stmt) error { n++; return nil }, before, int64(store.PageLimit(limit)))
	})
	if err != nil {
		return 0, fmt.Errorf("freeing keys of purged sagas: %w", err)
	}
	return n, nil
}
