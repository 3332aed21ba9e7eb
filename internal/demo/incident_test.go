package demo_test

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/unwindhq/unwind/alert"
	"github.com/unwindhq/unwind/internal/demo"
	"github.com/unwindhq/unwind/participant"
)

func putVersion(t *testing.T, url, version string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"/version", strings.NewReader(version))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("version %s: %s", version, res.Status)
	}
}

func TestABadVersionRefusesRefundsAndARollbackTakesThemUnderTheirKeys(t *testing.T) {
	_, url := open(t, demo.Options{Name: demo.Payments})
	orders := demo.Undeliverable(3, 1)
	for _, o := range orders {
		mustCall(t, url+"/charge", o.OrderID, "charge", participant.Action, o)
	}
	putVersion(t, url, `{"unknown":"EUR","after":1}`)
	refund := func(o demo.Order) reply {
		return mustCall(t, url+"/refund", o.OrderID, "charge", participant.Compensation, o)
	}
	for i, want := range []int{200, 422, 422} {
		if r := refund(orders[i]); r.status != want || want == 422 && !strings.Contains(r.body, `unknown currency \"EUR\"`) {
			t.Errorf("order %d: %+v, want %d", i, r, want)
		}
	}
	putVersion(t, url, `{"unknown":"SEK"}`)
	if r := refund(orders[1]); r.status != 200 {
		t.Errorf("another currency: %+v", r)
	}
	putVersion(t, url, `{}`)
	for _, o := range orders {
		if r := refund(o); r.status != 200 {
			t.Errorf("rolled back: %+v", r)
		}
	}
	books, _, err := demo.FetchBooks(t.Context(), nil, url)
	if err != nil || books.Payments.Refunds != 3 || books.Payments.NetCents != 0 {
		t.Errorf("the books are %+v, %v", books.Payments, err)
	}
}

func TestAGatewayForUndoingLeavesOtherCallsAlone(t *testing.T) {
	p, url := open(t, demo.Options{Name: demo.Payments, GatewayRate: 0.001, GatewayUndo: true})
	order := demo.Orders(1, 1)[0]
	for _, saga := range []string{"a", "b", "c"} {
		if r := mustCall(t, url+"/charge", saga, "charge", participant.Action, order); r.status != 200 {
			t.Errorf("charge: %+v", r)
		}
	}
	mustCall(t, url+"/refund", "a", "charge", participant.Compensation, order)
	if r := mustCall(t, url+"/refund", "b", "charge", participant.Compensation, order); r.status != 429 {
		t.Errorf("a second refund: %+v", r)
	}
	if s := p.Gateway().Stats(); s.Accepted != 1 || s.Rejected != 1 {
		t.Errorf("the gateway has counted %+v", s)
	}
}

func TestUndeliverableOrdersCanBePaidAndNotShipped(t *testing.T) {
	_, inventory := open(t, demo.Options{Name: demo.Inventory})
	_, payments := open(t, demo.Options{Name: demo.Payments})
	_, shipping := open(t, demo.Options{Name: demo.Shipping})
	for _, o := range demo.Undeliverable(50, 1) {
		for _, c := range []struct {
			url  string
			want int
		}{{inventory + "/reserve", 200}, {payments + "/charge", 200}, {shipping + "/ship", 409}} {
			if r := mustCall(t, c.url, o.OrderID, "step", participant.Action, o); r.status != c.want {
				t.Errorf("%s %s: %+v", c.url, o.OrderID, r)
			}
		}
	}
}

// tell sends a notice to a sink and returns the answer's status.
func tell(t *testing.T, s *demo.Sink, secret, id, body string) int {
	t.Helper()
	signer, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	signature, err := signer.Sign(id, now, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("webhook-signature", signature)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func TestASinkTakesWhatIsSignedAndHearsItOnce(t *testing.T) {
	heard := make(chan string, 10)
	s, err := demo.OpenSink(t.Context(), func(p alert.Payload) { heard <- p.Type })
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	const begin, end = `{"type":"unwind.alert.lane_guard","data":{"kind":"lane_guard","key":"lane_guard/payments"}}`,
		`{"type":"unwind.alert.lane_guard.resolved","data":{"kind":"lane_guard","key":"lane_guard/payments"}}`
	for _, c := range []struct {
		secret, id, body string
		want             int
		firing           []string
	}{
		{"whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldCE=", "1", begin, 401, nil},
		{s.Secret, "1", begin, 200, []string{"lane_guard"}},
		{s.Secret, "1", begin, 200, []string{"lane_guard"}},
		{s.Secret, "2", end, 200, nil},
	} {
		if got := tell(t, s, c.secret, c.id, c.body); got != c.want || !slices.Equal(s.Firing(), c.firing) {
			t.Errorf("%+v: %d, %v fire", c, got, s.Firing())
		}
	}
	if n := len(heard); n != 2 {
		t.Errorf("%d notices were heard", n)
	}
	if err := s.WaitFor(t.Context(), "lane_guard"); err != nil {
		t.Error(err)
	}
	if err := s.WaitEnd(t.Context(), "lane_guard"); err != nil {
		t.Error(err)
	}
}
