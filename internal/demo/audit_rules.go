package demo

import (
	"fmt"
	"maps"
	"slices"
)

// An audit is one run of [Audit].
type audit struct{ report Report }

func (a *audit) fault(participant, order, saga, format string, args ...any) {
	a.report.Discrepancies = append(a.report.Discrepancies,
		Discrepancy{Participant: participant, OrderID: order, Saga: saga, Message: fmt.Sprintf(format, args...)})
}

// outcomes counts what the engine says and returns the orders it knows.
func (a *audit) outcomes(outcomes []Outcome) map[string]bool {
	known := map[string]bool{}
	for _, o := range outcomes {
		id := o.Order.OrderID
		if known[id] {
			a.fault("", id, o.Saga, "the engine reports the order twice")
		}
		known[id] = true
		switch o.Status {
		case Completed:
			a.report.Completed++
		case Compensated:
			a.report.Compensated++
		case DeadLettered:
			a.report.DeadLettered++
		default:
			a.fault("", id, o.Saga, "the saga is %q, which is not at rest", o.Status)
		}
	}
	return known
}

// order judges one order's entries at one participant.
func (a *audit) order(name string, o Outcome, entries []Entry) {
	id := o.Order.OrderID
	pair := pairs[name]
	did, undid := map[string]Total{}, map[string]Total{}
	for _, e := range entries {
		if o.Saga != "" && e.Saga != o.Saga {
			a.fault(name, id, e.Saga, "entry %d is of another saga than the order's, %s", e.Seq, o.Saga)
		}
		switch e.Kind {
		case pair[0]:
			did[e.Item] = did[e.Item].add(e.Amount)
		case pair[1]:
			undid[e.Item] = undid[e.Item].add(e.Amount)
		default:
			a.fault(name, id, e.Saga, "entry %d is %q, which is not of this participant", e.Seq, e.Kind)
		}
	}
	wanted := effects(name, o.Order)
	items := maps.Clone(did)
	maps.Copy(items, undid)
	maps.Copy(items, wanted)
	for _, item := range slices.Sorted(maps.Keys(items)) {
		does, undoes, want := did[item], undid[item], wanted[item]
		of := ""
		if item != "" {
			of = " of " + item
		}
		// Whatever the outcome: nothing but what the order asks for, no more
		// often than it asks, and nothing undone that was not done.
		if does != (Total{}) && does != want {
			a.fault(name, id, o.Saga, "%s %s%s; the order asks for %s", pair[0], does, of, want)
		}
		if undoes != (Total{}) && undoes != does {
			a.fault(name, id, o.Saga, "%s %s%s, but %s %s", pair[1], undoes, of, pair[0], does)
		}
		switch o.Status {
		case Completed:
			if does == (Total{}) {
				a.fault(name, id, o.Saga, "completed, but not %s%s", pair[0], of)
			}
			if undoes != (Total{}) {
				a.fault(name, id, o.Saga, "completed, but %s%s", pair[1], of)
			}
		case Compensated:
			if does != (Total{}) && undoes == (Total{}) {
				a.fault(name, id, o.Saga, "compensated, but %s %s%s is not %s", pair[0], does, of, pair[1])
			}
		case DeadLettered:
			a.report.Open[name] += does.Amount - undoes.Amount
		}
	}
}

// effects are what a completed order leaves at a participant, by item.
func effects(name string, o Order) map[string]Total {
	switch name {
	case Inventory:
		lines := map[string]Total{}
		for _, l := range o.Lines {
			lines[l.SKU] = lines[l.SKU].add(l.Quantity)
		}
		return lines
	case Payments:
		return map[string]Total{"": {1, o.TotalCents}}
	}
	return map[string]Total{"": {1, 1}}
}

// totals compares the books with the sums of their entries.
func (a *audit) totals(name string, books Books, entries []Entry) {
	sums := map[string]Total{}
	moved := map[string]int64{} // per item: done less undone
	for _, e := range entries {
		sums[e.Kind] = sums[e.Kind].add(e.Amount)
		if e.Kind == pairs[name][0] {
			moved[e.Item] += e.Amount
		} else {
			moved[e.Item] -= e.Amount
		}
	}
	for _, kind := range pairs[name] {
		if got, want := books.Totals[kind], sums[kind]; got != want {
			a.fault(name, "", "", "the books say %s %s; the entries add up to %s", kind, got, want)
		}
	}
	expect := func(what string, got, want int64) {
		if got != want {
			a.fault(name, "", "", "the books say %s %d; the entries add up to %d", what, got, want)
		}
	}
	did, undid := sums[pairs[name][0]], sums[pairs[name][1]]
	switch {
	case name == Inventory && books.Inventory != nil:
		b := books.Inventory
		expect("reserved", b.Reserved, did.Amount)
		expect("released", b.Released, undid.Amount)
		expect("on hand", b.OnHand, b.Initial-did.Amount+undid.Amount)
		for _, sku := range slices.Sorted(maps.Keys(b.Articles)) {
			expect("on hand of "+sku, b.Articles[sku].OnHand, b.Articles[sku].Initial-moved[sku])
		}
	case name == Payments && books.Payments != nil:
		b := books.Payments
		expect("charged cents", b.ChargedCents, did.Amount)
		expect("refunded cents", b.RefundedCents, undid.Amount)
		expect("net cents", b.NetCents, did.Amount-undid.Amount)
		expect("charges", b.Charges, did.Count)
		expect("refunds", b.Refunds, undid.Count)
	case name == Shipping && books.Shipping != nil:
		expect("shipped", books.Shipping.Shipped, did.Amount)
		expect("cancelled", books.Shipping.Cancelled, undid.Amount)
	default:
		a.fault(name, "", "", "the books have no part of %s", name)
	}
}
