package demo_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/unwindhq/unwind/internal/demo"
)

// BenchmarkSagas carries out whole sagas at three participants with books on
// disk; a completed one is three calls.
func BenchmarkSagas(b *testing.B) {
	urls := map[string]string{}
	for _, s := range stages {
		_, urls[s.name] = open(b, demo.Options{Name: s.name, CallLog: true})
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	defer transport.CloseIdleConnections()
	var asked atomic.Int64
	c := courier{&http.Client{Transport: transport}, urls, func() bool { asked.Add(1); return false }}
	orders := demo.Orders(1000, 5)
	var n atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			if _, err := c.carryOut(b.Context(), fmt.Sprint("saga-", i), orders[int(i)%len(orders)]); err != nil {
				b.Error(err)
			}
		}
	})
	// lose is asked before and after each call.
	b.ReportMetric(float64(asked.Load())/2/b.Elapsed().Seconds(), "calls/s")
}
