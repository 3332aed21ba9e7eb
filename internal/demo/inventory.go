package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/unwindhq/unwind/participant"
)

// A Reservation is what /reserve answers.
type Reservation struct {
	ReservationID string `json:"reservation_id"`
	OrderID       string `json:"order_id"`
	Lines         []Line `json:"lines"`
}

var stockSchema = []string{`CREATE TABLE IF NOT EXISTS stock (
	sku     TEXT    NOT NULL PRIMARY KEY,
	initial INTEGER NOT NULL,
	on_hand INTEGER NOT NULL CHECK (on_hand >= 0)
) STRICT, WITHOUT ROWID`}

// seedStock puts the articles on the shelves; those that are there stay.
func seedStock(ctx context.Context, tx *sql.Tx, o Options) error {
	stock := map[string]int64{SoldOut: 0}
	for _, a := range articles {
		stock[a.sku] = o.Stock
	}
	for sku, pieces := range stock {
		if _, err := tx.ExecContext(ctx, `INSERT INTO stock (sku, initial, on_hand) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, sku, pieces, pieces); err != nil {
			return fmt.Errorf("stock %s: %w", sku, err)
		}
	}
	return nil
}

func reserve(ctx context.Context, tx *sql.Tx, call participant.Call) (any, error) {
	order, err := readOrder(call)
	if err != nil {
		return nil, err
	}
	for _, l := range order.Lines {
		if err := take(ctx, tx, l); err != nil {
			return nil, err
		}
		if err := post(ctx, tx, Entry{Saga: call.Saga, OrderID: order.OrderID, Kind: Reserved, Item: l.SKU, Amount: l.Quantity}); err != nil {
			return nil, err
		}
	}
	return Reservation{ReservationID: "res-" + call.Saga, OrderID: order.OrderID, Lines: order.Lines}, nil
}

// take takes a line's pieces off the shelf, all or none.
func take(ctx context.Context, tx *sql.Tx, l Line) error {
	res, err := tx.ExecContext(ctx, `UPDATE stock SET on_hand = on_hand - ? WHERE sku = ? AND on_hand >= ?`, l.Quantity, l.SKU, l.Quantity)
	if err != nil {
		return fmt.Errorf("take %s: %w", l.SKU, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	var onHand int64
	err = tx.QueryRowContext(ctx, `SELECT on_hand FROM stock WHERE sku = ?`, l.SKU).Scan(&onHand)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return participant.Invalid(fmt.Sprintf("there is no article %q", l.SKU))
	case err != nil:
		return fmt.Errorf("look up %s: %w", l.SKU, err)
	}
	return participant.Refuse(fmt.Sprintf("out of stock: %d of %s wanted, %d on hand", l.Quantity, l.SKU, onHand))
}

// release puts back what was reserved, also when the engine never learned what
// that was.
func release(ctx context.Context, tx *sql.Tx, call participant.Call) (any, error) {
	var r Reservation
	if err := call.DecodeRecorded(&r); err != nil {
		return nil, err
	}
	for _, l := range r.Lines {
		if _, err := tx.ExecContext(ctx, `UPDATE stock SET on_hand = on_hand + ? WHERE sku = ?`, l.Quantity, l.SKU); err != nil {
			return nil, fmt.Errorf("put back %s: %w", l.SKU, err)
		}
		if err := post(ctx, tx, Entry{Saga: call.Saga, OrderID: r.OrderID, Kind: Released, Item: l.SKU, Amount: l.Quantity}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
