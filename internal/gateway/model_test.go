package gateway_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind/internal/gateway"
)

// play asks a model at given moments and writes down what it said.
func play(m gateway.Model, at ...time.Duration) string {
	said := ""
	for _, d := range at {
		if v := m.Arrive(time.Unix(1000, 0).Add(d), 0); v.Borne() {
			said += "ok "
		} else {
			said += fmt.Sprint(v.Wait, " ")
		}
	}
	return said
}

func TestTokenBucketGainsItsRateUpToItsBurst(t *testing.T) {
	b, err := gateway.NewTokenBucket(10, 3)
	if err != nil {
		t.Fatal(err)
	}
	got := play(b, 0, 0, 0, 0, 50*ms, 100*ms, 100*ms, 10*time.Second, 10*time.Second, 10*time.Second, 10*time.Second, 9*time.Second)
	if want := "ok ok ok 100ms 50ms ok 100ms ok ok ok 100ms 100ms "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTokenBucketNeverAdmitsMoreThanRateAndBurst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate, burst := rapid.Float64Range(0.1, 1000).Draw(t, "rate"), rapid.IntRange(1, 20).Draw(t, "burst")
		b, err := gateway.NewTokenBucket(rate, burst)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(1000, 0)
		var admitted []time.Time
		for range rapid.IntRange(1, 200).Draw(t, "calls") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "gap")) / 10)
			v := b.Arrive(now, 0)
			if v.Borne() {
				admitted = append(admitted, now)
			} else if v.Wait < 0 || v.Wait.Seconds() > 1/rate+1e-6 {
				t.Fatalf("a wait of %v at %v/s", v.Wait, rate)
			}
		}
		for i := range admitted {
			for j := i; j < len(admitted); j++ {
				if most := float64(burst) + rate*admitted[j].Sub(admitted[i]).Seconds(); float64(j-i+1) > math.Ceil(most)+1e-6 {
					t.Fatalf("%d calls in %v; at most %v", j-i+1, admitted[j].Sub(admitted[i]), most)
				}
			}
		}
	})
}

func TestFixedWindowStartsAnewAtEachBorder(t *testing.T) {
	f, err := gateway.NewFixedWindow(2, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	got := play(f, 0, 900*ms, 900*ms, 1000*ms, 1100*ms, 1100*ms, 5500*ms, 5500*ms, 5500*ms)
	if want := "ok ok 100ms ok ok 900ms ok ok 500ms "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestModelsRefuseLimitsThatBearNothing(t *testing.T) {
	for _, rate := range []float64{0, -1, math.NaN()} {
		if _, err := gateway.NewTokenBucket(rate, 1); err == nil {
			t.Errorf("a rate of %v was taken", rate)
		}
	}
	if _, err := gateway.NewFixedWindow(0, time.Second); err == nil {
		t.Error("a limit of 0 was taken")
	}
	if _, err := gateway.NewFixedWindow(1, 0); err == nil {
		t.Error("a window of 0 was taken")
	}
}
