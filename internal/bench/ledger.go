package bench

import (
	"sync"
	"time"
)

// A ledger is what a participant writes down of the refunds that it is asked for.
// The zero value is empty; it is safe for concurrent use.
type ledger struct {
	mu   sync.Mutex
	at   []int64 // µs since 1970
	keys map[string]struct{}
}

// counted is what a ledger came to.
type counted struct {
	At   []int64 // when each call came, µs since 1970; ascending
	Keys int     // that were different
}

func (l *ledger) enter(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keys == nil {
		l.keys = map[string]struct{}{}
	}
	l.at = append(l.at, time.Now().UnixMicro())
	l.keys[key] = struct{}{}
}

func (l *ledger) count() counted {
	l.mu.Lock()
	defer l.mu.Unlock()
	return counted{append([]int64{}, l.at...), len(l.keys)}
}

// most is the most calls in any span of that length.
func (c *counted) most(span time.Duration) int {
	most := 0
	for i, j := 0, 0; j < len(c.At); j++ {
		for c.At[j]-c.At[i] >= span.Microseconds() {
			i++
		}
		most = max(most, j-i+1)
	}
	return most
}

// after is the first call since then; ok is false where there is none.
func (c *counted) after(t time.Time) (at time.Time, ok bool) {
	for _, us := range c.At {
		if us >= t.UnixMicro() {
			return time.UnixMicro(us), true
		}
	}
	return at, false
}

// between is how many calls came from one time to the other.
func (c *counted) between(from, to time.Time) (n int) {
	for _, us := range c.At {
		if us >= from.UnixMicro() && us < to.UnixMicro() {
			n++
		}
	}
	return n
}
