package sqlite

import (
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// errEnough ends a query before its last row.
var errEnough = errors.New("enough rows")

// enough is the error of a query that may have been ended so.
func enough(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// List implements [store.Store].
func (s *Store) List(ctx context.Context, f store.Filter) (found []store.Saga, next string, err error) {
	before, err := store.SagaCursor.Before(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	limit := store.PageLimit(f.Limit)
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		var page []sagaRow
		err := each(conn, listQuery(&f), func(stmt *sqlite.Stmt) error {
			row := readRow(stmt)
			if !s.matches(&row, &f) {
				return nil
			}
			if len(page) == limit {
				next = store.SagaCursor.At(page[limit-1].rid)
				return errEnough
			}
			page = append(page, row)
			return nil
		}, listArgs(&f, before)...)
		if enough(err) != nil {
			return err
		}
		found, next, err = s.readPage(conn, page, next)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("listing sagas: %w", err)
	}
	return found, next, nil
}

// A page ends early where its inputs come to pageBytes, found out every pageRows.
const (
	pageBytes = 8 << 20
	pageRows  = 32
)

// readPage reads what belongs to the rows of a page; next goes on after it.
func (s *Store) readPage(conn *sqlite.Conn, page []sagaRow, next string) ([]store.Saga, string, error) {
	found, size := make([]store.Saga, 0, len(page)), 0
	for len(found) < len(page) {
		some, err := s.withStarts(conn, page[len(found):min(len(found)+pageRows, len(page))], true)
		if err != nil {
			return nil, "", err
		}
		for i := range some {
			size += len(some[i].Input)
		}
		if found = append(found, some...); size >= pageBytes && len(found) < len(page) {
			return found, store.SagaCursor.At(page[len(found)-1].rid), nil
		}
	}
	return found, next, nil
}

// listQuery walks the sagas from the newest on. Those that took another way than
// the straight one have an index; the others are most of the table.
func listQuery(f *store.Filter) string {
	const columns = "SELECT version, phase, due, hot, fixed, rid FROM saga "
	switch {
	case f.Phase == nil:
		return columns + "WHERE rid < ? ORDER BY rid DESC"
	case machine.Phase(*f.Phase) == machine.Running || machine.Phase(*f.Phase) == machine.Completed:
		return columns + "WHERE rid < ? AND phase = ? ORDER BY rid DESC"
	}
	return columns + "INDEXED BY saga_phase WHERE rid < ? AND phase = ? AND phase <> 0 AND phase <> 2 ORDER BY rid DESC"
}

func listArgs(f *store.Filter, before int64) []any {
	if f.Phase == nil {
		return []any{before}
	}
	return []any{before, int64(*f.Phase)}
}

// matches leaves out what can't be read, unless everything is asked for.
func (s *Store) matches(row *sagaRow, f *store.Filter) bool {
	if f.Tenant != "" && f.Tenant != row.tenant || f.Key != "" && f.Key != row.key || f.Since > row.created {
		return false
	}
	if f.Name == "" {
		return true
	}
	def, err := s.names.definition(row.def)
	return err == nil && def.name == f.Name
}
