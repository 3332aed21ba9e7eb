package gateway

import (
	"fmt"
	"time"
)

// A Model decides which calls a gateway bears. It is pure but for its own
// state; its owner calls it from one goroutine at a time.
type Model interface {
	// Admit judges a call at now. For one that is not admitted, wait says in
	// how long the next one would be.
	Admit(now time.Time) (ok bool, wait time.Duration)
}

// A TokenBucket holds up to burst tokens and gains rate of them per second;
// each admitted call takes one and a rejected one none. It starts full.
type TokenBucket struct {
	rate   float64
	burst  float64
	tokens float64
	last   time.Time
}

// NewTokenBucket makes a bucket of rate calls per second. A burst below 1
// counts as 1. The error says that the rate is not above zero.
func NewTokenBucket(rate float64, burst int) (*TokenBucket, error) {
	if !(rate > 0) {
		return nil, fmt.Errorf("gateway: a rate of %v calls/s; want more than 0", rate)
	}
	b := float64(max(burst, 1))
	return &TokenBucket{rate: rate, burst: b, tokens: b}, nil
}

// Admit implements [Model]. A clock that steps back adds no tokens.
func (b *TokenBucket) Admit(now time.Time) (bool, time.Duration) {
	if b.last.IsZero() {
		b.last = now
	}
	if gone := now.Sub(b.last); gone > 0 {
		b.tokens = min(b.burst, b.tokens+b.rate*gone.Seconds())
		b.last = now
	}
	// A billionth of a token is what adding up fractions may lose.
	if b.tokens >= 1-1e-9 {
		b.tokens--
		return true, 0
	}
	return false, time.Duration((1 - b.tokens) / b.rate * float64(time.Second))
}

// A FixedWindow admits limit calls in each window; windows lie end to end from
// the first call on. Across a border up to twice the limit may pass at once,
// which is what makes such gateways treacherous.
type FixedWindow struct {
	limit  int
	window time.Duration
	begin  time.Time
	count  int
}

// NewFixedWindow makes a window. The error says that limit or window is not
// above zero.
func NewFixedWindow(limit int, window time.Duration) (*FixedWindow, error) {
	if limit <= 0 || window <= 0 {
		return nil, fmt.Errorf("gateway: a window of %d calls in %v; want more than 0 of both", limit, window)
	}
	return &FixedWindow{limit: limit, window: window}, nil
}

// Admit implements [Model].
func (f *FixedWindow) Admit(now time.Time) (bool, time.Duration) {
	if f.begin.IsZero() {
		f.begin = now
	}
	if gone := now.Sub(f.begin); gone >= f.window {
		f.begin = f.begin.Add(gone.Truncate(f.window))
		f.count = 0
	}
	if f.count < f.limit {
		f.count++
		return true, 0
	}
	return false, f.begin.Add(f.window).Sub(now)
}
