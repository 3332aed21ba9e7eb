package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

// PutDefinition implements [store.Store].
func (s *Store) PutDefinition(ctx context.Context, epoch int64, d store.Definition, audit store.Audit) (changed bool, err error) {
	err = s.write(ctx, epoch, func(w *writer) error {
		newest := false
		bind(w.newestDefinition, d.Name)
		err := rows(w.newestDefinition, func(s *sqlite.Stmt) error {
			newest = s.ColumnText(0) == d.Version
			return nil
		})
		if err != nil || newest {
			return err
		}
		changed = true
		bind(w.insertDefinition, d.Name, d.Version, d.Body, d.CreatedAt, d.By)
		if err := exec(w.insertDefinition); err != nil {
			return err
		}
		return w.addAudit(&audit)
	})
	if err != nil {
		return false, fmt.Errorf("putting the definition %q: %w", d.Name, err)
	}
	return changed, nil
}

const selectDefinition = "SELECT name, version, body, created, by FROM definition "

func readDefinition(s *sqlite.Stmt) store.Definition {
	return store.Definition{
		Name: s.ColumnText(0), Version: s.ColumnText(1), Body: columnBytes(s, 2, nil),
		CreatedAt: s.ColumnInt64(3), By: s.ColumnText(4),
	}
}

// Definition implements [store.Store].
func (s *Store) Definition(ctx context.Context, name, version string) (d store.Definition, err error) {
	query, args := selectDefinition+"WHERE name = ? AND version = ?", []any{name, version}
	if version == "" {
		query, args = selectDefinition+"WHERE name = ? ORDER BY id DESC LIMIT 1", args[:1]
	}
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		found := false
		err := each(conn, query, func(stmt *sqlite.Stmt) error {
			d, found = readDefinition(stmt), true
			return nil
		}, args...)
		if err == nil && !found {
			err = store.ErrNotFound
		}
		return err
	})
	if err != nil {
		return store.Definition{}, fmt.Errorf("finding version %q of the definition %q: %w", version, name, err)
	}
	return d, nil
}

// Definitions implements [store.Store].
func (s *Store) Definitions(ctx context.Context) (newest []store.Definition, err error) {
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		return each(conn, selectDefinition+"WHERE id IN (SELECT max(id) FROM definition GROUP BY name) ORDER BY name", func(stmt *sqlite.Stmt) error {
			newest = append(newest, readDefinition(stmt))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing the definitions: %w", err)
	}
	return newest, nil
}
