package sqlite

import (
	"strings"

	"zombiezen.com/go/sqlite"
)

// exec runs a statement that gives no rows, and leaves it ready to be bound again.
func exec(s *sqlite.Stmt) error {
	if _, err := s.Step(); err != nil {
		return err
	}
	return s.Reset()
}

// each calls fn on every row of a query.
func each(conn *sqlite.Conn, query string, fn func(*sqlite.Stmt) error, args ...any) error {
	s, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	bind(s, args...)
	return rows(s, fn)
}

// rows calls fn on every row of a statement that is bound.
func rows(s *sqlite.Stmt, fn func(*sqlite.Stmt) error) error {
	for {
		row, err := s.Step()
		if err != nil {
			return err
		}
		if !row {
			return s.Reset()
		}
		if err := fn(s); err != nil {
			_ = s.Reset() // it repeats an error of Step, and there was none
			return err
		}
	}
}

func bind(s *sqlite.Stmt, args ...any) {
	for i, arg := range args {
		switch v := arg.(type) {
		case int64:
			s.BindInt64(i+1, v)
		case string:
			s.BindText(i+1, v)
		case []byte:
			s.BindBytes(i+1, v)
		case bool:
			s.BindBool(i+1, v)
		}
	}
}

// columnBytes returns a copy of a column, in b where that has room.
func columnBytes(s *sqlite.Stmt, column int, b []byte) []byte {
	n := s.ColumnLen(column)
	if cap(b) < n {
		b = make([]byte, n)
	}
	b = b[:n]
	s.ColumnBytes(column, b)
	return b
}

// unversioned is for a planted bug only.
var unversioned = strings.NewReplacer(" AND version = ?2 - 1", "")
