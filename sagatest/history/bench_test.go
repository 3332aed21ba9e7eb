package history_test

import (
	"math/rand/v2"
	"testing"

	"github.com/unwindhq/unwind/sagatest/history"
)

// Ten sagas in about 300 lines, in memory: what a simulated schedule comes to.
func BenchmarkCheck(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	w := newWriter(r.IntN)
	for n := range 10 {
		w.run(n, 1+n%4, n == 3)
	}
	lines := len(w.h.Client) + len(w.h.Participants) + len(w.h.Engine)
	b.ReportAllocs()
	for b.Loop() {
		rep, err := history.Check(&w.h)
		if err != nil || !rep.OK() {
			b.Fatal(err, rep.Violations)
		}
	}
	b.ReportMetric(float64(lines), "lines")
}
