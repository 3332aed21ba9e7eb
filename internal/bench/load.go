package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// newClient has the settings of the engine's own calls.
func newClient() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return &http.Client{Transport: &http.Transport{
		DialContext: dialer.DialContext, MaxIdleConnsPerHost: 512, IdleConnTimeout: 30 * time.Second,
		DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
	}}
}

// A volley is a fixed number of requests by a fixed number of clients, each of
// which sends its next one when it has the answer to the last.
type volley struct {
	client  *http.Client
	url     string
	clients int
	count   int
	status  int                             // what each must be answered with
	header  func(h http.Header, n int)      // of the n-th request
	body    func(b []byte, n int) []byte    // appends the n-th body
	check   func(n int, answer []byte) bool // nil: any answer will do
}

// A result is what a volley came to.
type result struct {
	Count   int             `json:"count"`
	Seconds float64         `json:"seconds"`
	Took    []time.Duration `json:"-"` // sorted
	P50     time.Duration   `json:"p50"`
	P99     time.Duration   `json:"p99"`
}

func (r *result) rate() float64 { return float64(r.Count) / r.Seconds }

// fire sends the volley. The first answer that is not as it must be ends it.
func (v *volley) fire(ctx context.Context) (*result, error) {
	target, err := url.Parse(v.url)
	if err != nil {
		return nil, fmt.Errorf("reading the address %q: %w", v.url, err)
	}
	return closedLoop(ctx, v.clients, v.count, func() func(n int) error {
		var body []byte
		answer := new(bytes.Buffer)
		return func(n int) error {
			body = v.body(body[:0], n)
			return v.send(ctx, target, n, body, answer)
		}
	})
}

func (v *volley) send(ctx context.Context, target *url.URL, n int, body []byte, answer *bytes.Buffer) error {
	req := (&http.Request{
		Method: http.MethodPost, URL: target, Host: target.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, 12), Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	v.header(req.Header, n)
	resp, err := v.client.Do(req)
	if err != nil {
		return fmt.Errorf("sending request %d: %w", n, err)
	}
	answer.Reset()
	_, err = answer.ReadFrom(resp.Body)
	_ = resp.Body.Close()
	switch {
	case err != nil:
		return fmt.Errorf("reading the answer to request %d: %w", n, err)
	case resp.StatusCode != v.status, v.check != nil && !v.check(n, answer.Bytes()):
		return fmt.Errorf("request %d was answered with %s: %.300s", n, resp.Status, answer.Bytes())
	}
	return nil
}

// closedLoop has clients do count things in all, one after another each.
func closedLoop(ctx context.Context, clients, count int, client func() func(n int) error) (*result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	took := make([]time.Duration, count)
	var next atomic.Int64
	var all sync.WaitGroup
	begin := time.Now()
	for range clients {
		all.Go(func() {
			do := client()
			for ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= count {
					return
				}
				sent := time.Now()
				if err := do(n); err != nil {
					cancel(err)
					return
				}
				took[n] = time.Since(sent)
			}
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	r := &result{Count: count, Seconds: time.Since(begin).Seconds(), Took: took}
	slices.Sort(took)
	r.P50, r.P99 = percentile(took, 50), percentile(took, 99)
	return r, nil
}

// percentile of sorted durations: the smallest that p percent are not above.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*p+99)/100-1]
}

// median of values, which it sorts.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n == 0 {
		return 0
	}
	return (values[(n-1)/2] + values[n/2]) / 2
}

func millis(d time.Duration) float64 { return float64(d) / 1e6 }
