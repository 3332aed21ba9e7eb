package demo

import (
	"context"
	"database/sql"

	"github.com/unwindhq/unwind/participant"
)

// A Charge is what /charge answers.
type Charge struct {
	ChargeID string `json:"charge_id"`
	OrderID  string `json:"order_id"`
	Cents    int64  `json:"cents"`
	Currency string `json:"currency"`
}

// A Refund is what /refund answers.
type Refund struct {
	RefundID string `json:"refund_id"`
	ChargeID string `json:"charge_id"`
	Cents    int64  `json:"cents"`
}

func charge(ctx context.Context, tx *sql.Tx, call participant.Call) (any, error) {
	order, err := readOrder(call)
	if err != nil {
		return nil, err
	}
	c := Charge{ChargeID: "ch-" + call.Saga, OrderID: order.OrderID, Cents: order.TotalCents, Currency: order.Currency}
	return c, post(ctx, tx, Entry{Saga: call.Saga, OrderID: c.OrderID, Kind: Charged, Amount: c.Cents})
}

// refund gives back what was charged, by the charge's own record.
func refund(ctx context.Context, tx *sql.Tx, call participant.Call) (any, error) {
	var c Charge
	if err := call.DecodeRecorded(&c); err != nil {
		return nil, err
	}
	r := Refund{RefundID: "re-" + call.Saga, ChargeID: c.ChargeID, Cents: c.Cents}
	return r, post(ctx, tx, Entry{Saga: call.Saga, OrderID: c.OrderID, Kind: Refunded, Amount: c.Cents})
}
