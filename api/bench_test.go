package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/api"
	"github.com/unwindhq/unwind/client"
)

// A still service answers every start with the same saga, at once.
type still struct {
	unwind.Service
	inst *unwind.Instance
}

func (s still) Start(context.Context, unwind.StartRequest) (*unwind.Instance, bool, error) {
	return s.inst, true, nil
}

const startBody = `{"saga":"order","key":"ORD-1-2026-11-23","tenant":"acme","input":{"order_id":17,"sku":"blue","amount":1299.50,"customer":{"name":"A. Lovelace","city":"London"}},"wait":"10s"}`

// completed is a saga of three steps at rest, as a start that waited is answered.
func completed(b *testing.B) *unwind.Instance {
	f := newFixture(b, nil)
	inst := f.start("order", "bench")
	return &inst
}

// A nowhere is where answers go in benchmarks.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n *nowhere) WriteHeader(int)             {}

func benchHandler(b *testing.B, h http.Handler) {
	b.Helper()
	body := strings.NewReader(startBody)
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "http://localhost/v1/sagas", nil)
	r.Header.Set("Content-Type", "application/json")
	r.Body = io.NopCloser(body)
	r.ContentLength = int64(len(startBody))
	w := &nowhere{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(startBody)
		clear(w.header)
		h.ServeHTTP(w, r)
	}
}

// BenchmarkStart is one start without the network and without the engine.
func BenchmarkStart(b *testing.B) {
	h, err := api.New(api.Config{Service: still{inst: completed(b)}})
	if err != nil {
		b.Fatal(err)
	}
	benchHandler(b, h)
}

// BenchmarkHuma is the same operation served by huma.
func BenchmarkHuma(b *testing.B) {
	type input struct {
		Key  string `header:"Idempotency-Key"`
		Body unwind.StartRequest
	}
	type output struct {
		Status int
		Body   *unwind.Instance
	}
	s := still{inst: completed(b)}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("bench", "1")
	config.CreateHooks = nil
	huma.Register(humago.New(mux, config), huma.Operation{Method: http.MethodPost, Path: "/v1/sagas", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *input) (*output, error) {
			inst, _, err := s.Start(ctx, in.Body)
			return &output{http.StatusCreated, inst}, err
		})
	benchHandler(b, mux)
}

// BenchmarkHTTP is sagas of three Go functions on the memory store, started
// over HTTP by the client and waited for.
func BenchmarkHTTP(b *testing.B) {
	f := newFixture(b, nil)
	c, err := client.New(client.Config{URL: f.url})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	var n atomic.Int64
	b.SetParallelism(64)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			key := "k-" + strconv.FormatInt(n.Add(1), 10)
			inst, _, err := c.Start(b.Context(), unwind.StartRequest{Saga: "order", Key: key, Input: json.RawMessage(`{"order_id":17,"sku":"blue","amount":1299}`), Wait: 30 * unwind.Second})
			if err != nil || inst.Status != unwind.Completed {
				b.Errorf("got %+v, error %v", inst, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sagas/s")
}
