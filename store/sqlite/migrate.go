package sqlite

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks a file as ours: "Unwd".
const applicationID = 0x556e7764

// pageSize is the file's. Larger pages hold more entries in a segment and make
// fewer frames of a batch; smaller ones make a lone transition cheaper.
const pageSize = 4096

// auditChain is the migration that SQL alone can't make.
const auditChain = "migrations/0004_audit_chain.sql"

var errForeign = errors.New("it is an SQLite file of another program; name another path")

// migrate brings a file to the newest schema, and makes a new one. The version of
// the schema is PRAGMA user_version: the number of migrations that it has seen.
func migrate(conn *sqlite.Conn) error {
	application, err := pragmaInt(conn, "application_id")
	if err != nil {
		return err
	}
	version, err := pragmaInt(conn, "user_version")
	if err != nil {
		return err
	}
	objects, err := queryInt(conn, "SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return err
	}
	if objects > 0 && application != applicationID {
		return errForeign
	}
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	if version > int64(len(files)) {
		return fmt.Errorf("its schema has version %d and this program knows up to %d; run the newer program that wrote it, or restore a backup made before the upgrade", version, len(files))
	}
	if objects == 0 {
		if err := pragmas(conn, fmt.Sprintf("page_size=%d", pageSize)); err != nil {
			return err
		}
	}
	if err := pragmas(conn, "journal_mode=WAL", "synchronous=FULL"); err != nil {
		return err
	}
	for n := version; n < int64(len(files)); n++ {
		if err := apply(conn, files[n], n+1); err != nil {
			return fmt.Errorf("bringing its schema to version %d: %w", n+1, err)
		}
	}
	return nil
}

// apply runs one migration in a transaction of its own.
func apply(conn *sqlite.Conn, file string, version int64) (err error) {
	script, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return err
	}
	defer end(&err)
	if err := sqlitex.ExecuteScript(conn, string(script), nil); err != nil {
		return err
	}
	if file == auditChain {
		if err := chainAudit(conn); err != nil {
			return err
		}
	}
	return pragmas(conn, fmt.Sprintf("application_id=%d", applicationID), fmt.Sprintf("user_version=%d", version))
}

func pragmaInt(conn *sqlite.Conn, name string) (int64, error) {
	return queryInt(conn, "PRAGMA "+name)
}

// queryInt runs a query once and returns its first column.
func queryInt(conn *sqlite.Conn, query string) (n int64, err error) {
	err = sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error { n = stmt.ColumnInt64(0); return nil },
	})
	return n, err
}
