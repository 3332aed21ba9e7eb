package node

import (
	"encoding/binary"
	"testing"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// BenchmarkNode is what the node itself costs: sagas of three steps, commits and
// calls that are answered at once, as many sagas under way as the name says.
func BenchmarkNode(b *testing.B) {
	for _, width := range []struct {
		name  string
		sagas int
	}{{"1", 1}, {"64", 64}, {"1024", 1024}} {
		b.Run(width.name, func(b *testing.B) { benchmarkNode(b, width.sagas) })
	}
}

func benchmarkNode(b *testing.B, width int) {
	r := newRig(b, threeSteps(), Config{})
	input, output := []byte(`{"order":"o-1","amount":12.50}`), []byte(`{"id":"r-1"}`)
	answer := machine.Answer{Status: 200, Output: output}
	var results []store.Result
	started, ended := 0, 0
	var seq uint64
	b.ReportAllocs()
	for b.Loop() {
		goal := ended + 1
		for ended < goal {
			for started-ended < width {
				started++
				seq++
				saga := id.ID{6: 0x70, 8: 0x80}
				binary.BigEndian.PutUint32(saga[0:], 0x019e7044+uint32(seq>>22))
				saga[9], saga[10], saga[11] = byte(seq>>16), byte(seq>>8), byte(seq)
				r.n.Start(r.moment(), Start{Token: Token(seq), ID: saga, Plan: r.plan,
					Start: store.Start{Name: r.plan.Name, Version: r.plan.Version, Key: "k", Input: input}})
			}
			m := r.moment()
			r.now++
			r.n.Tick(m)
			out := r.n.Take(m)
			if c := out.Commit; c != nil {
				for i := range c.Transitions {
					if machine.Phase(c.Transitions[i].Phase).AtRest() {
						ended++
					}
				}
				for len(results) < len(c.Transitions) {
					results = append(results, store.Result{})
				}
				r.n.Committed(m, results[:len(c.Transitions)], nil)
			}
			for i := range out.Calls {
				r.n.CallEnded(m, out.Calls[i].ID, answer)
			}
		}
	}
	b.ReportMetric(float64(ended)/b.Elapsed().Seconds(), "sagas/s")
}
