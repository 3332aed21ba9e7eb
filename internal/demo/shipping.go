package demo

import (
	"context"
	"database/sql"

	"github.com/unwindhq/unwind/participant"
)

// A Shipment is what /ship answers.
type Shipment struct {
	TrackingID string `json:"tracking_id"`
	OrderID    string `json:"order_id"`
	City       string `json:"city"`
}

func ship(ctx context.Context, tx *sql.Tx, call participant.Call) (any, error) {
	order, err := readOrder(call)
	if err != nil {
		return nil, err
	}
	if order.Address.City == "" || order.Address.City == Nowhere {
		return nil, participant.Refuse("undeliverable: no carrier goes to " + order.Address.City)
	}
	s := Shipment{TrackingID: "trk-" + call.Saga, OrderID: order.OrderID, City: order.Address.City}
	return s, post(ctx, tx, Entry{Saga: call.Saga, OrderID: s.OrderID, Kind: Shipped, Amount: 1})
}

func cancel(ctx context.Context, tx *sql.Tx, call participant.Call) (any, error) {
	var s Shipment
	if err := call.DecodeRecorded(&s); err != nil {
		return nil, err
	}
	return nil, post(ctx, tx, Entry{Saga: call.Saga, OrderID: s.OrderID, Kind: Cancelled, Amount: 1})
}
