package engine

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/node"
)

// exampleCall is an order's charge, at a participant.
func exampleCall(tb testing.TB, p unwind.Participant) (*machine.PlanCall, *node.Call) {
	tb.Helper()
	def := unwind.Definition{Name: "place-order", Steps: []unwind.Step{
		{Name: "charge", Action: &unwind.Call{Service: "payments", Path: "/charge?by=card"}, Compensation: unwind.None},
	}}
	plan, err := machine.Compile(&def, map[string]unwind.Participant{"payments": p})
	if err != nil {
		tb.Fatal(err)
	}
	return plan.Call(0, unwind.Action), &node.Call{
		Plan: plan, Saga: id.ID{7: 1}, Dir: unwind.Action, Attempt: 3, Key: "00000000-0000-0001-0000-000000000000/charge/action",
		Body: json.RawMessage(`{"saga":{"id":"00000000-0000-0001-0000-000000000000","name":"place-order","key":"ORD-20931"},"input":{"order_id":"ORD-20931"}}`),
	}
}

// The engine writes its requests itself where there is no TLS: they are those
// that net/http would have written.
func TestARequestIsTheSameWhoeverWritesIt(t *testing.T) {
	type request struct {
		line, host, body string
		header           http.Header
	}
	var got []request
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = append(got, request{r.Method + " " + r.RequestURI + " " + r.Proto, r.Host, string(b), r.Header})
	}))
	defer s.Close()
	p := unwind.Participant{URL: s.URL + "/api", Headers: map[string]string{"authorization": "Bearer example", "X-Shop": "blue lamps"}}
	pc, nc := exampleCall(t, p)
	for _, given := range []http.RoundTripper{nil, http.DefaultTransport} {
		c := newCaller(map[string]unwind.Participant{"payments": p}, given)
		a, resp := c.call(t.Context(), pc, nc)
		drain(resp)
		c.close()
		if a.Status != http.StatusOK {
			t.Fatalf("answered with %+v", a)
		}
	}
	ours, theirs := got[0], got[1]
	delete(theirs.header, "Accept-Encoding") // its transport's own
	if ours.line != theirs.line || ours.host != theirs.host || ours.body != theirs.body || !maps.EqualFunc(ours.header, theirs.header, slices.Equal) {
		t.Errorf("sent\n%+v\nnet/http sends\n%+v", ours, theirs)
	}
	if len(ours.header) != 12 {
		t.Errorf("it has %d headers: %v", len(ours.header), ours.header)
	}
}

func BenchmarkCall(b *testing.B) {
	l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go answerAll(l)
	p := unwind.Participant{URL: "http://" + l.Addr().String()}
	c := newCaller(map[string]unwind.Participant{"payments": p}, nil)
	defer c.close()
	pc, nc := exampleCall(b, p)
	b.ReportAllocs()
	for b.Loop() {
		a, resp := c.call(b.Context(), pc, nc)
		drain(resp)
		if a.Status != http.StatusOK {
			b.Fatalf("answered with %+v", a)
		}
	}
}

// answerAll answers each request on one connection, and makes little of it.
func answerAll(l net.Listener) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
			return
		}
	}
}
