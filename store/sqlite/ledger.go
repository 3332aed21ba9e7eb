package sqlite

import (
	"context"
	"math"

	"zombiezen.com/go/sqlite"

	"github.com/unwindhq/unwind/store"
)

// newestFirst returns the page of rows, numbered by id in their first column,
// that lies before the cursor.
func newestFirst[T any](ctx context.Context, s *Store, query string, list store.Cursor, from string, limit int, read func(*sqlite.Stmt) T) (page []T, next string, err error) {
	before := int64(math.MaxInt64)
	if from != "" {
		at, err := list.Parse(from, 1)
		if err != nil {
			return nil, "", err
		}
		before = at[0]
	}
	limit = store.PageLimit(limit)
	err = s.read(ctx, func(conn *sqlite.Conn) error {
		last := int64(0)
		return each(conn, query+"WHERE id < ? ORDER BY id DESC LIMIT ?", func(stmt *sqlite.Stmt) error {
			if len(page) == limit {
				next = list.At(last)
				return nil
			}
			page, last = append(page, read(stmt)), stmt.ColumnInt64(0)
			return nil
		}, before, int64(limit)+1)
	})
	return page, next, err
}
