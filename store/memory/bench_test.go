package memory_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

// A crowd is a store with sagas of a usual size.
type crowd struct {
	store *memory.Store
	epoch int64
	sagas []store.Transition // the last of each
	now   int64
}

var payments = store.Queue{Target: "payments", SagaType: "place-order"}

func newCrowd(b *testing.B, sagas int) *crowd {
	c := &crowd{store: memory.New(), now: 1_767_225_600_000_000}
	random := rand.New(rand.NewPCG(1, 2))
	ids := id.NewSource(func() time.Time { return time.UnixMicro(c.now) }, random.Uint64)
	c.epoch, _ = c.store.Join(b.Context(), "node-a")
	for i := range sagas {
		key := fmt.Sprintf("ORD-%d", i)
		c.now += 100
		c.sagas = append(c.sagas, store.Transition{
			Saga: ids.New(0), Version: 1, At: c.now, SetDue: true, Due: c.now,
			Start: &store.Start{
				Name: "place-order", Version: "sha256:1", Key: key, KeyHash: id.KeyHash("", "place-order", key),
				Input: make([]byte, 200),
			},
			State: make([]byte, 150), Journal: make([]byte, 250),
		})
	}
	return c
}

// start commits the first transitions in batches.
func (c *crowd) start(b *testing.B, batch int) {
	for i := 0; i < len(c.sagas); i += batch {
		c.commit(b, c.sagas[i:min(i+batch, len(c.sagas))])
	}
}

func (c *crowd) commit(b *testing.B, ts []store.Transition) {
	results, err := c.store.Commit(b.Context(), &store.Batch{Epoch: c.epoch, Node: "node-a", Transitions: ts})
	if err != nil || results[0].Outcome != store.Committed {
		b.Fatal(results, err)
	}
}

// next makes of each transition the one that follows it.
func (c *crowd) next(ts []store.Transition, withTask bool) {
	for i := range ts {
		t := &ts[i]
		c.now += 100
		t.Start, t.Version, t.At, t.Due = nil, t.Version+1, c.now, c.now
		if withTask {
			t.Tasks = []store.TaskChange{{Task: store.Task{Saga: t.Saga, Step: 1, Queue: payments, Due: c.now, QueuedAt: c.now}}}
		}
	}
}

// Opening and joining is what a simulated schedule pays before its first event.
func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := memory.New().Join(b.Context(), "node-a"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	b.ReportAllocs()
	const sagas, batch = 10_000, 16
	for b.Loop() {
		b.StopTimer()
		c := newCrowd(b, sagas)
		b.StartTimer()
		c.start(b, batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/sagas, "ns/transition")
}

func BenchmarkCommit(b *testing.B) {
	for _, sagas := range []int{20, 10_000, 200_000} {
		for _, batch := range []int{1, 16} {
			for _, withTask := range []bool{false, true} {
				b.Run(fmt.Sprintf("sagas=%d/batch=%d/task=%t", sagas, batch, withTask), func(b *testing.B) {
					c := newCrowd(b, sagas)
					c.start(b, batch)
					b.ReportAllocs()
					at := 0
					for b.Loop() {
						if at+batch > sagas {
							at = 0
						}
						ts := c.sagas[at : at+batch]
						c.next(ts, withTask)
						c.commit(b, ts)
						at += batch
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/transition")
				})
			}
		}
	}
}

func BenchmarkRead(b *testing.B) {
	c := newCrowd(b, 100_000)
	c.start(b, 1000)
	for i := 0; i < len(c.sagas); i += 1000 {
		c.next(c.sagas[i:i+1000], true)
		c.commit(b, c.sagas[i:i+1000])
	}
	last := c.sagas[50_000]
	for name, read := range map[string]func(ctx context.Context) error{
		"ClaimDue": func(ctx context.Context) error {
			_, err := c.store.ClaimDue(ctx, last.Due, last.Saga, math.MaxInt64, 100)
			return err
		},
		"Load": func(ctx context.Context) error { _, err := c.store.Load(ctx, last.Saga); return err },
		"FindKey": func(ctx context.Context) error {
			_, err := c.store.FindKey(ctx, "", "place-order", "ORD-77")
			return err
		},
		"Tasks":   func(ctx context.Context) error { _, err := c.store.Tasks(ctx, payments, 100); return err },
		"List":    func(ctx context.Context) error { _, _, err := c.store.List(ctx, store.Filter{Limit: 100}); return err },
		"Journal": func(ctx context.Context) error { _, _, err := c.store.Journal(ctx, "", 100); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A schedule is what the simulator does some hundred times a second: a store, a
// few sagas, a few transitions each.
func BenchmarkSchedule(b *testing.B) {
	const sagas, transitions = 6, 8
	var c *crowd
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		c = newCrowd(b, sagas)
		b.StartTimer()
		c.start(b, 2)
		for range transitions - 1 {
			c.next(c.sagas, true)
			c.commit(b, c.sagas)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/sagas/transitions, "ns/transition")
}

// A clone is what a simulated crash costs.
func BenchmarkClone(b *testing.B) {
	for _, sagas := range []int{20, 1000} {
		b.Run(fmt.Sprintf("sagas=%d", sagas), func(b *testing.B) {
			c := newCrowd(b, sagas)
			c.start(b, 16)
			b.ReportAllocs()
			for b.Loop() {
				c.store.Clone()
			}
		})
	}
}
