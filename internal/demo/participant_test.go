package demo_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/internal/demo"
	"github.com/unwindhq/unwind/participant"
)

const (
	do   = participant.Action
	undo = participant.Compensation
)

// sound is an order that everyone takes, undeliverable and soldOut ones that
// shipping and inventory refuse.
func sound(t testing.TB) demo.Order         { return first(t, "") }
func undeliverable(t testing.TB) demo.Order { return first(t, demo.Shipping) }
func soldOut(t testing.TB) demo.Order       { return first(t, demo.Inventory) }

func first(t testing.TB, refusedBy string) demo.Order {
	t.Helper()
	for _, o := range demo.Orders(200, 1) {
		if o.RefusedBy == refusedBy {
			return o
		}
	}
	t.Fatalf("no order is refused by %q", refusedBy)
	return demo.Order{}
}

func TestInventoryReservesAndReleases(t *testing.T) {
	p, url := open(t, demo.Options{Name: demo.Inventory, Stock: 100})
	order := sound(t)
	pieces := int64(0)
	for _, l := range order.Lines {
		pieces += l.Quantity
	}
	for range 2 {
		if r := mustCall(t, url+"/reserve", "s1", "reserve", do, order); r.status != 200 || !strings.Contains(r.body, `"reservation_id":"res-s1"`) {
			t.Errorf("reserve: %+v", r)
		}
	}
	books, err := p.Books(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b := books.Inventory; b.Initial != 800 || b.Reserved != pieces || b.Released != 0 || b.OnHand != 800-pieces {
		t.Errorf("books after the reservation: %+v", b)
	}
	for range 2 {
		if r := mustCall(t, url+"/release", "s1", "reserve", undo, order); r.status != 200 {
			t.Errorf("release: %+v", r)
		}
	}
	if books, err = p.Books(t.Context()); err != nil || books.Inventory.OnHand != 800 || books.Inventory.Released != pieces {
		t.Errorf("books after the release: %+v, %v", books.Inventory, err)
	}
}

func TestInventoryRefusesAnOrderAsAWhole(t *testing.T) {
	p, url := open(t, demo.Options{Name: demo.Inventory, Stock: 1})
	if r := mustCall(t, url+"/reserve", "s1", "reserve", do, soldOut(t)); r.status != 409 || r.outcome != "refused" || !strings.Contains(r.body, "out of stock") {
		t.Errorf("sold out: %+v", r)
	}
	order := sound(t)
	order.Lines = []demo.Line{{SKU: "tea-kettle", Quantity: 1, UnitCents: 5}, {SKU: "unheard-of", Quantity: 1, UnitCents: 5}}
	order.TotalCents = 10
	if r := mustCall(t, url+"/reserve", "s2", "reserve", do, order); r.status != 422 || !strings.Contains(r.body, "unheard-of") {
		t.Errorf("unknown article: %+v", r)
	}
	books, err := p.Books(t.Context())
	if err != nil || books.Inventory.OnHand != books.Inventory.Initial || len(books.Totals) != 0 {
		t.Errorf("books: %+v, %v", books, err)
	}
}

func TestPaymentsChargesAndRefunds(t *testing.T) {
	p, url := open(t, demo.Options{Name: demo.Payments})
	order := sound(t)
	for range 2 {
		if r := mustCall(t, url+"/charge", "s1", "charge", do, order); r.status != 200 || !strings.Contains(r.body, `"charge_id":"ch-s1"`) {
			t.Errorf("charge: %+v", r)
		}
	}
	if r := mustCall(t, url+"/refund", "s1", "charge", undo, order); r.status != 200 || !strings.Contains(r.body, `"charge_id":"ch-s1"`) {
		t.Errorf("refund: %+v", r)
	}
	mustCall(t, url+"/charge", "s2", "charge", do, order)
	books, err := p.Books(t.Context())
	want := demo.PaymentsBooks{ChargedCents: 2 * order.TotalCents, RefundedCents: order.TotalCents, NetCents: order.TotalCents, Charges: 2, Refunds: 1}
	if err != nil || *books.Payments != want {
		t.Errorf("books: %+v, %v; want %+v", books.Payments, err, want)
	}
	order.TotalCents++
	if r := mustCall(t, url+"/charge", "s3", "charge", do, order); r.status != 422 || !strings.Contains(r.body, "lines cost") {
		t.Errorf("a total that is off: %+v", r)
	}
}

func TestShippingRefusesWhatItCannotDeliver(t *testing.T) {
	p, url := open(t, demo.Options{Name: demo.Shipping})
	if r := mustCall(t, url+"/ship", "s1", "ship", do, undeliverable(t)); r.status != 409 || r.outcome != "refused" || !strings.Contains(r.body, "undeliverable") {
		t.Errorf("undeliverable: %+v", r)
	}
	mustCall(t, url+"/ship", "s2", "ship", do, sound(t))
	mustCall(t, url+"/cancel", "s2", "ship", undo, sound(t))
	mustCall(t, url+"/ship", "s3", "ship", do, sound(t))
	if books, err := p.Books(t.Context()); err != nil || *books.Shipping != (demo.ShippingBooks{Shipped: 2, Cancelled: 1}) {
		t.Errorf("books: %+v, %v", books.Shipping, err)
	}
}

func TestCallsThatAreNotOrdersGetAClearError(t *testing.T) {
	_, url := open(t, demo.Options{Name: demo.Payments})
	for name, change := range map[string]func(*demo.Order){
		"no order_id":  func(o *demo.Order) { o.OrderID = "" },
		"no lines":     func(o *demo.Order) { o.Lines = nil },
		"wants -1":     func(o *demo.Order) { o.Lines = []demo.Line{{"x", -1, -5}}; o.TotalCents = 5 },
		"lines cost 0": func(o *demo.Order) { o.Lines = []demo.Line{{"x", 1, 0}} },
	} {
		order := sound(t)
		change(&order)
		if r := mustCall(t, url+"/charge", "s-"+strings.ReplaceAll(name, " ", "-"), "charge", do, order); r.status != 422 || !strings.Contains(r.body, name) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestTheGatewayAnswers429AboveItsRate(t *testing.T) {
	p, url := open(t, demo.Options{Name: demo.Payments, GatewayRate: 0.001, GatewayBurst: 2})
	for i, want := range []int{200, 200, 429} {
		r := mustCall(t, url+"/charge", "s"+string(rune('1'+i)), "charge", do, sound(t))
		if r.status != want {
			t.Errorf("call %d: %+v", i+1, r)
		}
	}
	r := mustCall(t, url+"/refund", "s1", "charge", undo, sound(t))
	if r.status != 429 || r.header.Get("Retry-After") == "" {
		t.Errorf("refund: %+v", r)
	}
	if s := p.Gateway().Stats(); s.Accepted != 2 || s.Rejected != 2 || s.CompensationsRejected != 1 || s.InFlight != 0 {
		t.Errorf("stats: %+v", s)
	}
}

func TestTheOtherPages(t *testing.T) {
	dir := t.TempDir()
	_, url := open(t, demo.Options{Name: demo.Payments, Dir: dir, CallLog: true})
	mustCall(t, url+"/charge", "s1", "charge", do, sound(t))
	for path, want := range map[string]string{
		"/livez":                        `"status":"ok"`,
		"/status?key=s1/charge/action":  `"outcome":"done"`,
		"/books":                        `"charges":1`,
		"/books/entries":                `"kind":"charged"`,
		"/gateway":                      `"accepted":1`,
		"/books/entries?limit=0":        `whole number from 1`,
		"/books/entries?cursor=%2F%2F":  `cursor is not one`,
		"/books/entries?cursor=zzz":     `"items":[]`,
		"/status?key=s1/charge/nothing": `malformed-call`,
	} {
		if body := read(t, url+path); !strings.Contains(body, want) {
			t.Errorf("%s: %s, want %s", path, body, want)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "participant-payments.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"event":"invoke"`) || !strings.Contains(lines[1], `"outcome":"ok"`) {
		t.Errorf("call log: %s", raw)
	}
}

func TestFetchBooksReadsAllPages(t *testing.T) {
	_, url := open(t, demo.Options{Name: demo.Shipping})
	for _, saga := range []string{"s1", "s2", "s3"} {
		mustCall(t, url+"/ship", saga, "ship", do, sound(t))
	}
	var page demo.Page
	if err := json.Unmarshal([]byte(read(t, url+"/books/entries?limit=2")), &page); err != nil || len(page.Items) != 2 || page.NextCursor == "" {
		t.Fatalf("page: %+v, %v", page, err)
	}
	books, entries, err := demo.FetchBooks(t.Context(), nil, url)
	if err != nil || books.Shipping.Shipped != 3 || len(entries) != 3 || entries[2].Saga != "s3" {
		t.Errorf("got %+v, %+v, %v", books, entries, err)
	}
	if _, _, err := demo.FetchBooks(t.Context(), nil, url+"/nowhere"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a wrong address: %v", err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]demo.Options{
		`no participant "bank"; want one of inventory, payments, shipping`: {Name: "bank", Dir: "x"},
		"directory is missing": {Name: demo.Payments},
		"gateway rate of -1":   {Name: demo.Payments, Dir: "x", GatewayRate: -1},
		"stock of -1":          {Name: demo.Inventory, Dir: "x", Stock: -1},
		"latency is negative":  {Name: demo.Inventory, Dir: t.TempDir(), GatewayLatency: -1},
		"not a directory":      {Name: demo.Inventory, Dir: file},
	} {
		if _, err := demo.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func read(t testing.TB, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
