package bench

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

func TestAClosedLoopDoesEachThingOnce(t *testing.T) {
	done := make([]atomic.Int32, 1000)
	r, err := closedLoop(t.Context(), 7, len(done), func() func(int) error {
		return func(n int) error { done[n].Add(1); return nil }
	})
	if err != nil || r.Count != len(done) || len(r.Took) != len(done) || r.P99 < r.P50 {
		t.Fatalf("got %+v, error %v", r, err)
	}
	for n := range done {
		if done[n].Load() != 1 {
			t.Fatalf("thing %d was done %d times", n, done[n].Load())
		}
	}
}

func TestAClosedLoopEndsWithTheFirstFailure(t *testing.T) {
	broken := errors.New("broken")
	const many = 1 << 24 // seconds' worth
	var made atomic.Int64
	_, err := closedLoop(t.Context(), 3, many, func() func(int) error {
		return func(n int) error {
			if made.Add(1); n == 10 {
				return broken
			}
			return nil
		}
	})
	if n := made.Load(); !errors.Is(err, broken) || n == many {
		t.Fatalf("got %v after %d calls", err, n)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := closedLoop(ended, 3, 10, func() func(int) error { return func(int) error { return nil } }); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestPercentilesAndMedians(t *testing.T) {
	took := []time.Duration{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for p, want := range map[int]time.Duration{1: 1, 10: 1, 50: 5, 51: 6, 99: 10, 100: 10} {
		if got := percentile(took, p); got != want {
			t.Errorf("percentile %d is %d, want %d", p, got, want)
		}
	}
	if percentile(nil, 50) != 0 || median(nil) != 0 || median([]float64{3, 1, 2}) != 2 || median([]float64{4, 1, 2, 3}) != 2.5 {
		t.Error("the middle of few values is wrong")
	}
}

func TestMeasurementsAreShownWithTheirLimits(t *testing.T) {
	for _, c := range []struct {
		figure Figure
		want   string
	}{
		{Figure{Name: "a", Value: 1234567, Unit: "/s"}, "a: 1,234,567/s"},
		{Figure{Name: "a", Value: 50, Unit: "/s"}.of(100, "b").shareAtLeast(0.5), "a: 50/s, 50% of 100/s (b); goal ≥ 50% of the limit: yes"},
		{Figure{Name: "a", Value: 5, Unit: "s"}.below(5), "a: 5 s; goal < 5 s: no"},
		{Figure{Name: "a", Value: 2.345, Unit: "ms"}.atMost(3).noting("p99 %d", 4), "a: 2.35 ms; goal ≤ 3 ms: yes; p99 4"},
	} {
		if got := c.figure.line(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	r := Report{Figures: []Figure{Figure{Name: "a", Value: 5}.below(5), Figure{Name: "b", Value: 5}.atMost(5), {Name: "c"}}}
	if missed := r.Missed(); len(missed) != 1 || missed[0].Name != "a" {
		t.Errorf("missed are %v", missed)
	}
}

func TestAWriterFillsAStoreWithSagasAtRest(t *testing.T) {
	s := memory.New()
	w, err := newWriter(t.Context(), s, "w")
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 2, 3, 10, 100} {
		for range 5 {
			if n, _, err := w.write(t.Context(), size, (size+3)/4); err != nil || n > size || n == 0 {
				t.Fatalf("a group of %d held %d: %v", size, n, err)
			}
		}
	}
	begun := w.begun
	if err := w.finish(t.Context(), 777); err != nil || w.begun != begun+777 {
		t.Fatalf("%d sagas were begun: %v", w.begun-begun, err)
	}
	rest, err := s.ClaimDue(t.Context(), store.Active, [16]byte{}, 1<<62, 10)
	if err != nil || len(rest) != 0 {
		t.Fatalf("%d sagas are not at rest: %v", len(rest), err)
	}
}

func TestAMeasurementThatIsNotThereIsRefused(t *testing.T) {
	if _, err := Run(t.Context(), Config{Only: []string{"speed"}}); err == nil || !strings.Contains(err.Error(), "raw, http") {
		t.Fatalf("got %v", err)
	}
}
