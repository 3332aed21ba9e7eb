package demo

import (
	"maps"
	"slices"
	"strings"
)

// The outcomes that the engine reports of sagas at rest.
const (
	Completed    = "completed"
	Compensated  = "compensated"
	DeadLettered = "dead_lettered"
)

// An Outcome is what the engine says became of an order.
type Outcome struct {
	Order Order
	// Saga is the saga's id; empty: not compared.
	Saga string
	// Status is completed, compensated or dead_lettered; anything else is a
	// discrepancy.
	Status string
}

// A Ledger is what the participants say: the books of each, and its entries by
// its name.
type Ledger struct {
	Books   []Books
	Entries map[string][]Entry
}

// A Discrepancy is one thing that does not add up.
type Discrepancy struct {
	Participant string `json:"participant,omitempty"` // empty: the engine
	OrderID     string `json:"order_id,omitempty"`    // empty: the totals
	Saga        string `json:"saga,omitempty"`
	Message     string `json:"message"`
}

// String is the discrepancy as one line.
func (d Discrepancy) String() string {
	where := slices.DeleteFunc([]string{d.Participant, d.OrderID, d.Saga}, func(s string) bool { return s == "" })
	return strings.Join(where, " ") + ": " + d.Message
}

// A Report is the result of [Audit].
type Report struct {
	Orders       int `json:"orders"`
	Completed    int `json:"completed"`
	Compensated  int `json:"compensated"`
	DeadLettered int `json:"dead_lettered"`
	// Open is what dead-lettered orders still hold, by participant: pieces,
	// cents and parcels that wait for an operator.
	Open          map[string]int64 `json:"open"`
	Discrepancies []Discrepancy    `json:"discrepancies"`
}

// OK reports that everything adds up.
func (r Report) OK() bool { return len(r.Discrepancies) == 0 }

// pairs name what does and what undoes at each participant.
var pairs = map[string][2]string{
	Inventory: {Reserved, Released},
	Payments:  {Charged, Refunded},
	Shipping:  {Shipped, Cancelled},
}

// Audit compares what the engine says became of each order with what the
// participants have in their books. A completed order has exactly its own
// effects, once, and none undone; a compensated one has every effect undone
// once; a dead-lettered one may have effects open, but none twice. Every entry
// belongs to an order, and every total is the sum of its entries. It is pure;
// discrepancies come in the order of participants and orders.
func Audit(outcomes []Outcome, ledger Ledger) Report {
	a := &audit{report: Report{Orders: len(outcomes), Open: map[string]int64{}, Discrepancies: []Discrepancy{}}}
	known := a.outcomes(outcomes)
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		at := slices.IndexFunc(ledger.Books, func(b Books) bool { return b.Participant == name })
		if at < 0 {
			a.fault(name, "", "", "the books are missing")
			continue
		}
		entries := ledger.Entries[name]
		byOrder := map[string][]Entry{}
		for _, e := range entries {
			byOrder[e.OrderID] = append(byOrder[e.OrderID], e)
		}
		for _, o := range outcomes {
			a.order(name, o, byOrder[o.Order.OrderID])
		}
		for _, id := range slices.Sorted(maps.Keys(byOrder)) {
			if !known[id] {
				a.fault(name, id, byOrder[id][0].Saga, "the books have %d entries of an order that the engine does not know", len(byOrder[id]))
			}
		}
		a.totals(name, ledger.Books[at], entries)
	}
	return a.report
}
