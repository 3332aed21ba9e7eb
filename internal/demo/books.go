package demo

import (
	"context"
	"database/sql"
	"fmt"
)

// Books are a participant's totals, as GET /books answers them. Only the part
// of the participant that keeps them is set.
type Books struct {
	Participant string          `json:"participant"`
	Inventory   *InventoryBooks `json:"inventory,omitempty"`
	Payments    *PaymentsBooks  `json:"payments,omitempty"`
	Shipping    *ShippingBooks  `json:"shipping,omitempty"`
	// Totals are those of the ledger, by kind of entry.
	Totals map[string]Total `json:"totals"`
}

// InventoryBooks count pieces: on hand = initial - reserved + released.
type InventoryBooks struct {
	Initial  int64            `json:"initial"`
	Reserved int64            `json:"reserved"`
	Released int64            `json:"released"`
	OnHand   int64            `json:"on_hand"`
	Articles map[string]Stock `json:"articles"`
}

// Stock is one article's.
type Stock struct {
	Initial int64 `json:"initial"`
	OnHand  int64 `json:"on_hand"`
}

// PaymentsBooks count cents: net = charged - refunded.
type PaymentsBooks struct {
	ChargedCents  int64 `json:"charged_cents"`
	RefundedCents int64 `json:"refunded_cents"`
	NetCents      int64 `json:"net_cents"`
	Charges       int64 `json:"charges"`
	Refunds       int64 `json:"refunds"`
}

// ShippingBooks count parcels.
type ShippingBooks struct {
	Shipped   int64 `json:"shipped"`
	Cancelled int64 `json:"cancelled"`
}

// readBooks reads a participant's totals at one moment.
func readBooks(ctx context.Context, db *sql.DB, name string) (Books, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return Books{}, fmt.Errorf("read the books: %w", err)
	}
	defer tx.Rollback() // only read
	books := Books{Participant: name}
	if books.Totals, err = readTotals(ctx, tx); err != nil {
		return Books{}, err
	}
	switch name {
	case Inventory:
		books.Inventory = &InventoryBooks{
			Reserved: books.Totals[Reserved].Amount, Released: books.Totals[Released].Amount, Articles: map[string]Stock{}}
		err = readStock(ctx, tx, books.Inventory)
	case Payments:
		charged, refunded := books.Totals[Charged], books.Totals[Refunded]
		books.Payments = &PaymentsBooks{ChargedCents: charged.Amount, RefundedCents: refunded.Amount,
			NetCents: charged.Amount - refunded.Amount, Charges: charged.Count, Refunds: refunded.Count}
	case Shipping:
		books.Shipping = &ShippingBooks{Shipped: books.Totals[Shipped].Amount, Cancelled: books.Totals[Cancelled].Amount}
	}
	return books, err
}

func readStock(ctx context.Context, tx *sql.Tx, books *InventoryBooks) error {
	rows, err := tx.QueryContext(ctx, `SELECT sku, initial, on_hand FROM stock`)
	if err != nil {
		return fmt.Errorf("read the stock: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var sku string
		var s Stock
		if err := rows.Scan(&sku, &s.Initial, &s.OnHand); err != nil {
			return fmt.Errorf("read the stock: %w", err)
		}
		books.Articles[sku] = s
		books.Initial += s.Initial
		books.OnHand += s.OnHand
	}
	return rows.Err()
}
