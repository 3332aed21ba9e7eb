package demo

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/unwindhq/unwind/participant"
)

// A service is what makes one participant different from the others.
type service struct {
	schema []string
	seed   func(ctx context.Context, tx *sql.Tx, o Options) error
	calls  map[string]participant.Func // by path
}

func services() map[string]service {
	return map[string]service{
		Inventory: {schema: stockSchema, seed: seedStock, calls: map[string]participant.Func{"/reserve": reserve, "/release": release}},
		Payments:  {calls: map[string]participant.Func{"/charge": charge, "/refund": refund}},
		Shipping:  {calls: map[string]participant.Func{"/ship": ship, "/cancel": cancel}},
	}
}

func serviceOf(name string) (service, error) {
	all := services()
	s, ok := all[name]
	if !ok {
		return service{}, fmt.Errorf("demo: there is no participant %q; want one of %s", name, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	return s, nil
}

// readOrder reads and checks the saga's input.
func readOrder(call participant.Call) (Order, error) {
	var o Order
	if err := call.DecodeInput(&o); err != nil {
		return o, err
	}
	switch {
	case o.OrderID == "":
		return o, participant.Invalid("the order has no order_id")
	case len(o.Lines) == 0:
		return o, participant.Invalid("order " + o.OrderID + " has no lines")
	case o.TotalCents <= 0 || o.TotalCents != total(o.Lines):
		return o, participant.Invalid(fmt.Sprintf("order %s has a total of %d cents, but its lines cost %d", o.OrderID, o.TotalCents, total(o.Lines)))
	}
	for _, l := range o.Lines {
		if l.Quantity <= 0 || l.UnitCents < 0 {
			return o, participant.Invalid(fmt.Sprintf("order %s wants %d of %s at %d cents", o.OrderID, l.Quantity, l.SKU, l.UnitCents))
		}
	}
	return o, nil
}
