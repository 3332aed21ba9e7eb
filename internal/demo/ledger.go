package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/unwindhq/unwind/participant"
)

// The kinds of entries, two per participant: one that does, one that undoes.
const (
	Reserved  = "reserved"
	Released  = "released"
	Charged   = "charged"
	Refunded  = "refunded"
	Shipped   = "shipped"
	Cancelled = "cancelled"
)

// An Entry is one line of a participant's ledger. Entries are never changed,
// so that work done twice shows as two entries.
type Entry struct {
	Seq     int64  `json:"seq"`
	Saga    string `json:"saga"`
	OrderID string `json:"order_id"`
	Kind    string `json:"kind"`
	// Item is the article of a reservation; else empty.
	Item string `json:"item,omitempty"`
	// Amount is pieces in inventory, cents in payments, parcels in shipping.
	Amount int64 `json:"amount"`
}

// A Total sums the entries of a kind. It is kept beside the ledger, in the
// same transactions, so that the two can be compared.
type Total struct {
	Count  int64 `json:"count"`
	Amount int64 `json:"amount"`
}

// String is "2x 500" for two entries of 500 together.
func (t Total) String() string { return fmt.Sprintf("%dx %d", t.Count, t.Amount) }

func (t Total) add(amount int64) Total { return Total{t.Count + 1, t.Amount + amount} }

var ledgerSchema = []string{
	participant.SchemaSQLite,
	`CREATE TABLE IF NOT EXISTS entries (
	seq      INTEGER PRIMARY KEY,
	saga     TEXT    NOT NULL,
	order_id TEXT    NOT NULL,
	kind     TEXT    NOT NULL,
	item     TEXT    NOT NULL,
	amount   INTEGER NOT NULL
) STRICT`,
	`CREATE TABLE IF NOT EXISTS totals (
	kind   TEXT    NOT NULL PRIMARY KEY,
	count  INTEGER NOT NULL,
	amount INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
}

// openSQLite opens a database file. The first pool writes, through one
// connection and with an fsync per commit; the second reads beside it.
func openSQLite(path string) (writer, reader *sql.DB, err error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	if writer, err = sql.Open("sqlite", dsn); err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	writer.SetMaxOpenConns(1)
	if reader, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open %s for reading: %w", path, err), writer.Close())
	}
	reader.SetMaxOpenConns(2)
	return writer, reader, nil
}

// post appends an entry and counts it.
func post(ctx context.Context, tx *sql.Tx, e Entry) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO entries (saga, order_id, kind, item, amount) VALUES (?, ?, ?, ?, ?)`,
		e.Saga, e.OrderID, e.Kind, e.Item, e.Amount); err != nil {
		return fmt.Errorf("post %s of saga %s: %w", e.Kind, e.Saga, err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO totals (kind, count, amount) VALUES (?, 1, ?)
ON CONFLICT (kind) DO UPDATE SET count = count + 1, amount = amount + excluded.amount`, e.Kind, e.Amount); err != nil {
		return fmt.Errorf("count %s of saga %s: %w", e.Kind, e.Saga, err)
	}
	return nil
}

// entriesAfter reads up to limit entries behind a sequence number.
func entriesAfter(ctx context.Context, db *sql.DB, seq int64, limit int) ([]Entry, error) {
	rows, err := db.QueryContext(ctx, `SELECT seq, saga, order_id, kind, item, amount FROM entries WHERE seq > ? ORDER BY seq LIMIT ?`, seq, limit)
	if err != nil {
		return nil, fmt.Errorf("read the entries: %w", err)
	}
	defer rows.Close()
	entries := []Entry{}
	for rows.Next() {
		var e Entry
		if err := rows.Scan(&e.Seq, &e.Saga, &e.OrderID, &e.Kind, &e.Item, &e.Amount); err != nil {
			return nil, fmt.Errorf("read the entries: %w", err)
		}
		entries = append(entries, e)
	}
	return entries, rows.Err()
}

// readTotals reads the total of each kind; one without entries is missing.
func readTotals(ctx context.Context, tx *sql.Tx) (map[string]Total, error) {
	rows, err := tx.QueryContext(ctx, `SELECT kind, count, amount FROM totals`)
	if err != nil {
		return nil, fmt.Errorf("read the totals: %w", err)
	}
	defer rows.Close()
	totals := map[string]Total{}
	for rows.Next() {
		var kind string
		var t Total
		if err := rows.Scan(&kind, &t.Count, &t.Amount); err != nil {
			return nil, fmt.Errorf("read the totals: %w", err)
		}
		totals[kind] = t
	}
	return totals, rows.Err()
}
