package flow

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A window tells answers apart by the grain where it has many entries, and exactly
// where it has few: no entry ends before its time, nor more than a grain after it.
func TestAWindowIsAGrainLateAtMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 7, grains, grains + 1, 5000}).Draw(t, "n")
		per := rapid.SampledFrom([]int64{second, 60 * second, 3}).Draw(t, "per")
		grain := int64(1)
		if n > grains {
			grain = max(1, per/grains)
		}
		w := &window{n: n, per: per}
		var ends []int64 // of all entries of answered calls, in order
		now := int64(1)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now += rapid.Int64Range(0, per/4).Draw(t, "later")
			w.expire(now)
			ends = slices.DeleteFunc(ends, func(end int64) bool { return end+grain <= now })
			for range min(n-len(ends), rapid.IntRange(0, n).Draw(t, "answers")) {
				w.answered(now)
				ends = append(ends, now+per)
			}
			inFlight := rapid.IntRange(0, n).Draw(t, "in flight")
			least := slices.IndexFunc(ends, func(end int64) bool { return end > now })
			if least < 0 {
				least = len(ends)
			}
			if room := w.room(inFlight); room > n-inFlight-len(ends)+least || room < n-inFlight-len(ends) {
				t.Fatalf("%d of %d entries are free, with %d in flight and %d answered", room, n, inFlight, len(ends)-least)
			}
			want := int64(math.MinInt64)
			switch need := inFlight + len(ends) + 1 - n; {
			case need > len(ends):
				want = Never
			case need > 0:
				want = ends[need-1]
			}
			got := w.eligible(inFlight)
			if want > now && got < want || want != Never && got > max(want+grain, now+grain) {
				t.Fatalf("the next call has an entry at %d, %d after it is %d, the grain is %d", got, got-want, want, grain)
			}
		}
	})
}

func TestARingThatHasGoneRoundGrowsInItsOrder(t *testing.T) {
	var r ring
	const pushed, popped = 20, 5
	for at := range int64(pushed) {
		if r.push(at, 1); at == popped {
			for range popped {
				r.pop()
			}
		}
	}
	var got []int64
	for i := range r.n {
		got = append(got, r.get(i).at)
	}
	want := []int64{5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}
	if !slices.Equal(got, want) || r.calls != len(want) {
		t.Errorf("it holds %d calls: %d; want %d", r.calls, got, want)
	}
}
