package bench

import (
	"testing"
	"time"
)

func TestALedgerCountsCallsInAnySpan(t *testing.T) {
	ms := time.UnixMilli
	c := counted{Keys: 4}
	for _, at := range []int64{100, 1000, 1050, 1099, 1100, 5000} {
		c.At = append(c.At, ms(at).UnixMicro())
	}
	for _, test := range []struct {
		span time.Duration
		want int
	}{{time.Millisecond, 1}, {100 * time.Millisecond, 3}, {101 * time.Millisecond, 4}, {time.Second, 4}, {1001 * time.Millisecond, 5}, {time.Hour, 6}} {
		if got := c.most(test.span); got != test.want {
			t.Errorf("most in %v: %d, want %d", test.span, got, test.want)
		}
	}
	if got := c.between(ms(1000), ms(1100)); got != 3 {
		t.Errorf("%d between, want 3: the end is left out", got)
	}
	if at, ok := c.after(ms(1051)); !ok || !at.Equal(ms(1099)) {
		t.Errorf("the next one came at %v, %v", at, ok)
	}
	if at, ok := c.after(ms(5001)); ok {
		t.Errorf("one came at %v", at)
	}
}

func TestALedgerTellsARepeatedCallFromANewOne(t *testing.T) {
	var l ledger
	for _, key := range []string{"a", "b", "a"} {
		l.enter(key)
	}
	if c := l.count(); len(c.At) != 3 || c.Keys != 2 {
		t.Errorf("%d calls of %d keys", len(c.At), c.Keys)
	}
}
