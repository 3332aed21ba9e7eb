package demo_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/internal/demo"
)

// A world is three orders at rest, one of each outcome, whose books add up.
func world() ([]demo.Outcome, demo.Ledger) {
	order := func(id string) demo.Order {
		return demo.Order{OrderID: id, Lines: []demo.Line{{"tea-kettle", 2, 100}, {"paper-kite", 1, 50}}, TotalCents: 250}
	}
	outcomes := []demo.Outcome{
		{order("A"), "sa", demo.Completed},
		{order("B"), "sb", demo.Compensated},
		{order("C"), "sc", demo.DeadLettered}, // its refund is a dead letter
	}
	entry := func(kind, item string, amount int64) func(string) demo.Entry {
		return func(id string) demo.Entry {
			return demo.Entry{Saga: "s" + strings.ToLower(id), OrderID: id, Kind: kind, Item: item, Amount: amount}
		}
	}
	reserved := []func(string) demo.Entry{entry(demo.Reserved, "tea-kettle", 2), entry(demo.Reserved, "paper-kite", 1)}
	released := []func(string) demo.Entry{entry(demo.Released, "tea-kettle", 2), entry(demo.Released, "paper-kite", 1)}
	charged, refunded := entry(demo.Charged, "", 250), entry(demo.Refunded, "", 250)
	l := demo.Ledger{Entries: map[string][]demo.Entry{}}
	post := func(name, id string, entries ...func(string) demo.Entry) {
		for _, e := range entries {
			l.Entries[name] = append(l.Entries[name], e(id))
		}
	}
	post(demo.Inventory, "A", reserved...)
	post(demo.Inventory, "B", append(slices.Clone(reserved), released...)...)
	post(demo.Inventory, "C", append(slices.Clone(reserved), released...)...)
	post(demo.Payments, "A", charged)
	post(demo.Payments, "B", charged, refunded)
	post(demo.Payments, "C", charged)
	post(demo.Shipping, "A", entry(demo.Shipped, "", 1))
	l.Books = []demo.Books{
		{Participant: demo.Inventory, Totals: map[string]demo.Total{demo.Reserved: {6, 9}, demo.Released: {4, 6}},
			Inventory: &demo.InventoryBooks{Initial: 20, Reserved: 9, Released: 6, OnHand: 17,
				Articles: map[string]demo.Stock{"tea-kettle": {10, 8}, "paper-kite": {10, 9}}}},
		{Participant: demo.Payments, Totals: map[string]demo.Total{demo.Charged: {3, 750}, demo.Refunded: {1, 250}},
			Payments: &demo.PaymentsBooks{ChargedCents: 750, RefundedCents: 250, NetCents: 500, Charges: 3, Refunds: 1}},
		{Participant: demo.Shipping, Totals: map[string]demo.Total{demo.Shipped: {1, 1}}, Shipping: &demo.ShippingBooks{Shipped: 1}},
	}
	return outcomes, l
}

func TestAuditFindsNothingWhereAllAddsUp(t *testing.T) {
	report := demo.Audit(world())
	if !report.OK() {
		t.Errorf("discrepancies: %v", report.Discrepancies)
	}
	if report.Orders != 3 || report.Completed != 1 || report.Compensated != 1 || report.DeadLettered != 1 {
		t.Errorf("counts: %+v", report)
	}
	if report.Open[demo.Payments] != 250 || report.Open[demo.Inventory] != 0 || report.Open[demo.Shipping] != 0 {
		t.Errorf("open: %v", report.Open)
	}
}

func TestAuditFindsEachDiscrepancy(t *testing.T) {
	drop := func(l *demo.Ledger, name, order, kind string) {
		l.Entries[name] = slices.DeleteFunc(l.Entries[name], func(e demo.Entry) bool { return e.OrderID == order && e.Kind == kind })
	}
	twice := func(l *demo.Ledger, name, order, kind string) {
		i := slices.IndexFunc(l.Entries[name], func(e demo.Entry) bool { return e.OrderID == order && e.Kind == kind })
		l.Entries[name] = append(l.Entries[name], l.Entries[name][i])
	}
	for want, spoil := range map[string]func([]demo.Outcome, *demo.Ledger){
		"payments A sa: completed, but not charged":                                    func(_ []demo.Outcome, l *demo.Ledger) { drop(l, demo.Payments, "A", demo.Charged) },
		"payments A sa: charged 2x 500; the order asks for 1x 250":                     func(_ []demo.Outcome, l *demo.Ledger) { twice(l, demo.Payments, "A", demo.Charged) },
		"payments B sb: compensated, but charged 1x 250 is not refunded":               func(_ []demo.Outcome, l *demo.Ledger) { drop(l, demo.Payments, "B", demo.Refunded) },
		"payments B sb: refunded 2x 500, but charged 1x 250":                           func(_ []demo.Outcome, l *demo.Ledger) { twice(l, demo.Payments, "B", demo.Refunded) },
		"payments B sb: refunded 1x 250, but charged 0x 0":                             func(_ []demo.Outcome, l *demo.Ledger) { drop(l, demo.Payments, "B", demo.Charged) },
		"payments C sc: charged 2x 500; the order asks for 1x 250":                     func(_ []demo.Outcome, l *demo.Ledger) { twice(l, demo.Payments, "C", demo.Charged) },
		"inventory C sc: released 2x 4 of tea-kettle, but reserved 1x 2":               func(_ []demo.Outcome, l *demo.Ledger) { twice(l, demo.Inventory, "C", demo.Released) },
		"inventory B sb: compensated, but reserved 1x 2 of tea-kettle is not released": func(_ []demo.Outcome, l *demo.Ledger) { drop(l, demo.Inventory, "B", demo.Released) },
		"payments: the books say charged 3x 750; the entries add up to 2x 500":         func(_ []demo.Outcome, l *demo.Ledger) { drop(l, demo.Payments, "C", demo.Charged) },
		"payments: the books say net cents 501; the entries add up to 500":             func(_ []demo.Outcome, l *demo.Ledger) { l.Books[1].Payments.NetCents++ },
		"inventory: the books say on hand 16; the entries add up to 17":                func(_ []demo.Outcome, l *demo.Ledger) { l.Books[0].Inventory.OnHand-- },
		"inventory: the books say on hand of tea-kettle 7; the entries add up to 8": func(_ []demo.Outcome, l *demo.Ledger) {
			l.Books[0].Inventory.Articles["tea-kettle"] = demo.Stock{10, 7}
		},
		"shipping: the books say cancelled 1; the entries add up to 0": func(_ []demo.Outcome, l *demo.Ledger) { l.Books[2].Shipping.Cancelled++ },
		"shipping: the books are missing":                              func(_ []demo.Outcome, l *demo.Ledger) { l.Books = l.Books[:2] },
		"shipping: the books have no part of shipping":                 func(_ []demo.Outcome, l *demo.Ledger) { l.Books[2].Shipping = nil },
		`A sa: the saga is "running", which is not at rest`:            func(o []demo.Outcome, _ *demo.Ledger) { o[0].Status = "running" },
		"B sb: the engine reports the order twice":                     func(o []demo.Outcome, _ *demo.Ledger) { o[0] = o[1] },
		"payments Z sz: the books have 1 entries of an order that the engine does not": func(_ []demo.Outcome, l *demo.Ledger) {
			l.Entries[demo.Payments][0].OrderID, l.Entries[demo.Payments][0].Saga = "Z", "sz"
		},
		"shipping A sx: entry 0 is of another saga than the order's, sa":     func(_ []demo.Outcome, l *demo.Ledger) { l.Entries[demo.Shipping][0].Saga = "sx" },
		`shipping A sa: entry 0 is "lost", which is not of this participant`: func(_ []demo.Outcome, l *demo.Ledger) { l.Entries[demo.Shipping][0].Kind = "lost" },
		"inventory A sa: reserved 1x 1 of moon-lamp; the order asks for 0x 0": func(_ []demo.Outcome, l *demo.Ledger) {
			l.Entries[demo.Inventory] = append(l.Entries[demo.Inventory], demo.Entry{Saga: "sa", OrderID: "A", Kind: demo.Reserved, Item: demo.SoldOut, Amount: 1})
		},
	} {
		t.Run(want, func(t *testing.T) {
			outcomes, ledger := world()
			spoil(outcomes, &ledger)
			report := demo.Audit(outcomes, ledger)
			if !slices.ContainsFunc(report.Discrepancies, func(d demo.Discrepancy) bool { return strings.HasPrefix(d.String(), want) }) {
				t.Errorf("not found; found %v", report.Discrepancies)
			}
		})
	}
}

func TestOrdersAreTheSameForTheSameSeedAndAFifthIsRefused(t *testing.T) {
	orders := demo.Orders(10_000, 7)
	again := demo.Orders(10_000, 7)
	refused := map[string]int{}
	ids := map[string]bool{}
	for i, o := range orders {
		if o.OrderID != again[i].OrderID || o.TotalCents != again[i].TotalCents || o.RefusedBy != again[i].RefusedBy {
			t.Fatalf("order %d differs: %+v and %+v", i, o, again[i])
		}
		refused[o.RefusedBy]++
		ids[o.OrderID] = true
		sum := int64(0)
		for _, l := range o.Lines {
			sum += l.Quantity * l.UnitCents
		}
		if sum != o.TotalCents || sum <= 0 {
			t.Errorf("order %s: %d cents, lines cost %d", o.OrderID, o.TotalCents, sum)
		}
	}
	if n := refused[demo.Shipping]; n < 1000 || n > 1400 {
		t.Errorf("%d of 10,000 are refused by shipping", n)
	}
	if n := refused[demo.Inventory]; n < 650 || n > 950 {
		t.Errorf("%d of 10,000 are refused by inventory", n)
	}
	if len(ids) != len(orders) {
		t.Errorf("%d ids for %d orders", len(ids), len(orders))
	}
	if demo.Orders(1, 8)[0].OrderID == orders[0].OrderID || len(demo.Orders(-1, 7)) != 0 {
		t.Error("ids repeat between seeds, or a negative number makes orders")
	}
}
