package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// The participants' names.
const (
	Inventory = "inventory"
	Payments  = "payments"
	Shipping  = "shipping"
)

// An Order is the input of the demo's saga. Money is in integer cents.
type Order struct {
	OrderID    string   `json:"order_id"`
	Customer   Customer `json:"customer"`
	Address    Address  `json:"address"`
	Lines      []Line   `json:"lines"`
	TotalCents int64    `json:"total_cents"`
	Currency   string   `json:"currency"`
	// RefusedBy is the participant that will refuse the order, or empty. It is
	// not sent to anyone.
	RefusedBy string `json:"-"`
}

// A Customer is made up.
type Customer struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// An Address is where an order goes to. Nothing is delivered to [Nowhere].
type Address struct {
	Street  string `json:"street"`
	City    string `json:"city"`
	Country string `json:"country"`
}

// A Line is so many pieces of one article.
type Line struct {
	SKU       string `json:"sku"`
	Quantity  int64  `json:"quantity"`
	UnitCents int64  `json:"unit_cents"`
}

// Nowhere is the city that shipping does not deliver to.
const Nowhere = "Atlantis"

// SoldOut is the article that inventory never has.
const SoldOut = "moon-lamp"

// An article is something that the demo's shop sells.
type article struct {
	sku   string
	cents int64
}

var articles = []article{
	{"tea-kettle", 3490}, {"paper-kite", 1295}, {"rain-boots", 4900}, {"desk-globe", 2750},
	{"wool-scarf", 1990}, {"tin-robot", 3125}, {"chess-set", 5900}, {"bird-feeder", 2249},
}

var (
	givenNames  = []string{"Ada", "Bo", "Cleo", "Dov", "Esme", "Finn", "Gia", "Hugo", "Ines", "Jun"}
	familyNames = []string{"Sample", "Placeholder", "Madeup", "Fictional", "Testperson", "Imaginary", "Example"}
	streets     = []string{"Example Street", "Sample Lane", "Placeholder Road", "Invented Alley"}
	cities      = []string{"Exampleton", "Samplebury", "Port Fictional", "Testhaven"}
)

// Orders makes n orders, the same ones for the same seed. Of a hundred about
// twelve go to [Nowhere] and eight want [SoldOut], so that their sagas are
// undone. Ids differ between seeds. A negative n counts as 0.
func Orders(n int, seed uint64) []Order {
	rng := rand.New(rand.NewPCG(seed, 0x5a6a))
	orders := make([]Order, 0, max(n, 0))
	for i := range max(n, 0) {
		orders = append(orders, order(rng, fmt.Sprintf("ORD-%d-%06d", seed, i+1)))
	}
	return orders
}

// Undeliverable makes n orders, the same ones for the same seed: they all go to
// [Nowhere], and all can be reserved and paid.
func Undeliverable(n int, seed uint64) []Order {
	orders := Orders(n, seed)
	for i := range orders {
		o := &orders[i]
		o.Lines = slices.DeleteFunc(o.Lines, func(l Line) bool { return l.SKU == SoldOut })
		o.Address.City, o.RefusedBy, o.TotalCents = Nowhere, Shipping, total(o.Lines)
	}
	return orders
}

func order(rng *rand.Rand, id string) Order {
	given, family := pick(rng, givenNames), pick(rng, familyNames)
	o := Order{
		OrderID:  id,
		Customer: Customer{Name: given + " " + family, Email: fmt.Sprintf("%s.%s@example.com", given, family)},
		Address:  Address{Street: fmt.Sprintf("%d %s", 1+rng.IntN(99), pick(rng, streets)), City: pick(rng, cities), Country: "EX"},
		Currency: "EUR",
	}
	for _, k := range rng.Perm(len(articles))[:1+rng.IntN(3)] {
		o.Lines = append(o.Lines, Line{SKU: articles[k].sku, Quantity: 1 + rng.Int64N(3), UnitCents: articles[k].cents})
	}
	switch chance := rng.IntN(100); {
	case chance < 12:
		o.Address.City, o.RefusedBy = Nowhere, Shipping
	case chance < 20:
		o.Lines = append(o.Lines, Line{SKU: SoldOut, Quantity: 1, UnitCents: 9900})
		o.RefusedBy = Inventory
	}
	o.TotalCents = total(o.Lines)
	return o
}

// total is what the lines cost together.
func total(lines []Line) (cents int64) {
	for _, l := range lines {
		cents += l.Quantity * l.UnitCents
	}
	return cents
}

func pick(rng *rand.Rand, from []string) string { return from[rng.IntN(len(from))] }
