package sqlite

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// A load makes transitions as an engine does: of each saga a start with a key and
// 100 bytes of input, then three more, the last of which ends it. Journal rows
// are 250 bytes, states 60.
type load struct {
	tb    testing.TB
	s     *Store
	epoch int64
	ids   *id.Source
	n     int
	live  []moving
	body  []byte
	state []byte
	input []byte
	batch []store.Transition
	took  []time.Duration
	cpu   time.Duration // of the process, when the load began
}

type moving struct {
	saga    id.ID
	version uint64
}

func newLoad(tb testing.TB, s *Store) *load {
	tb.Helper()
	epoch, err := s.Join(tb.Context(), "node-a")
	if err != nil {
		tb.Fatal(err)
	}
	return &load{
		tb: tb, s: s, epoch: epoch, ids: id.NewSource(nil, nil), n: rand.IntN(1 << 40),
		body: slices.Repeat([]byte("j"), 250), state: slices.Repeat([]byte("s"), 70), input: slices.Repeat([]byte("i"), 100),
	}
}

// step commits one batch of at most size transitions, a quarter of them starts,
// and returns how many it held.
func (l *load) step(size int) int {
	l.batch = l.batch[:0]
	at := time.Now().UnixMicro()
	kept := l.live[:0]
	for _, m := range l.live {
		if len(l.batch) == size {
			kept = append(kept, m)
			continue
		}
		m.version++
		t := store.Transition{Saga: m.saga, Version: m.version, At: at, State: l.state[:50+m.version*4], Journal: l.body}
		if m.version == 4 {
			t.Phase, t.SetDue, t.Due = uint8(machine.Completed), true, store.AtRest
		} else {
			kept = append(kept, m)
		}
		l.batch = append(l.batch, t)
	}
	l.live = kept
	for range (size + 3) / 4 {
		if len(l.batch) == size {
			break
		}
		l.n++
		key := fmt.Sprintf("order-%d", l.n)
		hash := id.KeyHash("acme", "place-order", key)
		saga := l.ids.New(id.SlotOf(hash))
		l.batch = append(l.batch, store.Transition{
			Saga: saga, Version: 1, At: at, State: l.state[:50], Journal: l.body,
			Start: &store.Start{Name: "place-order", Version: "sha256:1", Tenant: "acme", Key: key, KeyHash: hash, Input: l.input},
		})
		l.live = append(l.live, moving{saga, 1})
	}
	began := time.Now()
	results, err := l.s.Commit(l.tb.Context(), &store.Batch{Epoch: l.epoch, Node: "node-a", At: at, Transitions: l.batch})
	l.took = append(l.took, time.Since(began))
	if err != nil {
		l.tb.Fatal(err)
	}
	for _, r := range results {
		if r.Outcome != store.Committed {
			l.tb.Fatalf("a transition was not committed: %v", r)
		}
	}
	return len(l.batch)
}

// report adds the rate, and the slowest commit of a hundred.
func (l *load) report(b *testing.B, done int) {
	slices.Sort(l.took)
	b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "transitions/s")
	b.ReportMetric(float64((cpuTime()-l.cpu).Nanoseconds())/1000/float64(done), "cpu-µs")
	b.ReportMetric(float64(l.took[len(l.took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(l.took[len(l.took)-1].Microseconds())/1000, "max-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCommit: one op is one transition.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{1, 10, 100, 512, 1000} {
		b.Run(fmt.Sprintf("group=%d", size), func(b *testing.B) {
			s := opened(b, b.TempDir())
			defer closed(b, s)
			l := newLoad(b, s)
			l.cpu = cpuTime()
			b.ResetTimer()
			done := 0
			for done < b.N {
				done += l.step(size)
			}
			l.report(b, done)
		})
	}
}

// BenchmarkFinished is the same on three stores in turn, so that what else the
// machine does meets all of them: an empty one, and those that hold finished
// sagas. It reports the rate of each, and what part of the empty one's it is.
func BenchmarkFinished(b *testing.B) {
	names := []string{"0", "100k", "1M"}
	var loads []*load
	for _, finished := range []int{0, 100_000, 1_000_000} {
		s := opened(b, b.TempDir())
		b.Cleanup(func() { closed(b, s) })
		l := newLoad(b, s)
		for done := 0; done < finished*4; {
			done += l.step(1000)
		}
		l.live = nil
		loads = append(loads, l)
	}
	for _, size := range []int{10, 100, 512} {
		b.Run(fmt.Sprintf("group=%d", size), func(b *testing.B) {
			var took [3]time.Duration
			var done [3]int
			for done[0] < b.N {
				for i, l := range loads {
					began := time.Now()
					for range 20 {
						done[i] += l.step(size)
					}
					took[i] += time.Since(began)
				}
			}
			rate := func(i int) float64 { return float64(done[i]) / took[i].Seconds() }
			for i, name := range names {
				b.ReportMetric(rate(i), name+"/s")
				b.ReportMetric(rate(i)/rate(0), name+"-ratio")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkClaimDue: one op claims 100,000 unfinished sagas, in pages.
func BenchmarkClaimDue(b *testing.B) {
	s := opened(b, b.TempDir())
	defer closed(b, s)
	l := newLoad(b, s)
	for range 100 {
		l.live = nil
		l.step(4000) // 1000 starts, which nothing follows
	}
	for b.Loop() {
		n := 0
		var last store.Saga
		for {
			page, err := s.ClaimDue(b.Context(), last.Due, last.ID, store.Active, 1000)
			if err != nil {
				b.Fatal(err)
			}
			if n += len(page); len(page) == 0 {
				break
			}
			last = page[len(page)-1]
		}
		if n != 100_000 {
			b.Fatalf("%d sagas were claimed", n)
		}
	}
}

func closed(tb testing.TB, s *Store) {
	if err := s.Close(); err != nil {
		tb.Error(err)
	}
}
