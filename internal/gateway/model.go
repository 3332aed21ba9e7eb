package gateway

import (
	"fmt"
	"net/http"
	"time"
)

// A Model decides what becomes of the calls that come to a gateway. It is pure
// but for its own state; its owner calls it from one goroutine at a time, with
// times that do not go back. Its clock begins with the first call.
type Model interface {
	// Arrive judges a call that comes in at now, beside inFlight admitted calls
	// that have no answer yet.
	Arrive(now time.Time, inFlight int) Verdict
	// Capacity is how many calls a second it bears at a time after the first
	// call, from a caller that does everything right.
	Capacity(at time.Duration) float64
	// Takes is how long a call of such a caller takes that comes at a time.
	Takes(at time.Duration) time.Duration
}

// A Verdict is what becomes of one call. The zero value bears it at once.
type Verdict struct {
	// Status of a call that is not borne; zero: it is borne.
	Status int
	// Wait is, for one that is not borne, in how long one would be.
	Wait time.Duration
	// Took is how long the call takes before it has its effect, or its Status.
	Took time.Duration
	// Fate says whether the caller hears of it.
	Fate Fate
}

// Borne reports whether the call has its effect.
func (v Verdict) Borne() bool { return v.Status == 0 && (v.Fate == Answered || v.Fate == Lost) }

// Fate says what a caller hears of a call.
type Fate uint8

// What a caller hears of a call.
const (
	// Answered: the answer.
	Answered Fate = iota
	// Lost: the call has its effect, and the connection is reset before the answer.
	Lost
	// Reset: the connection is reset, and there is no effect.
	Reset
	// Hung: nothing, until the caller gives up, and there is no effect.
	Hung
)

// A TokenBucket holds up to burst tokens and gains rate of them per second;
// each admitted call takes one. It starts full.
type TokenBucket struct {
	rate    float64
	burst   float64
	penalty float64
	tokens  float64
	last    time.Time
}

// NewTokenBucket makes a bucket of rate calls per second. A burst below 1
// counts as 1. The error says that the rate is not above zero.
func NewTokenBucket(rate float64, burst int) (*TokenBucket, error) {
	if !(rate > 0) {
		return nil, fmt.Errorf("gateway: a rate of %v calls/s; want more than 0", rate)
	}
	return newBucket(rate, burst, 0), nil
}

// newBucket takes a rate of 0 too. A rejected call takes up to penalty of what
// tokens there are: such a gateway does nothing any more for those who insist.
func newBucket(rate float64, burst int, penalty float64) *TokenBucket {
	b := float64(max(burst, 1))
	return &TokenBucket{rate: rate, burst: b, tokens: b, penalty: penalty}
}

// Arrive implements [Model]. A clock that steps back adds no tokens.
func (b *TokenBucket) Arrive(now time.Time, _ int) Verdict {
	b.advance(now)
	// A billionth of a token is what adding up fractions may lose.
	if b.tokens >= 1-1e-9 {
		b.tokens--
		return Verdict{}
	}
	b.tokens = max(b.tokens-b.penalty, 0)
	v := Verdict{Status: http.StatusTooManyRequests}
	if b.rate > 0 {
		v.Wait = time.Duration((1 - b.tokens) / b.rate * float64(time.Second))
	}
	return v
}

func (b *TokenBucket) advance(now time.Time) {
	if b.last.IsZero() {
		b.last = now
	}
	if gone := now.Sub(b.last); gone > 0 {
		b.tokens = min(b.burst, b.tokens+b.rate*gone.Seconds())
		b.last = now
	}
}

// Capacity implements [Model].
func (b *TokenBucket) Capacity(time.Duration) float64 { return b.rate }

// Takes implements [Model].
func (b *TokenBucket) Takes(time.Duration) time.Duration { return 0 }

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

// Arrive implements [Model].
func (f *FixedWindow) Arrive(now time.Time, _ int) Verdict {
	if f.begin.IsZero() {
		f.begin = now
	}
	if gone := now.Sub(f.begin); gone >= f.window {
		f.begin = f.begin.Add(gone.Truncate(f.window))
		f.count = 0
	}
	if f.count < f.limit {
		f.count++
		return Verdict{}
	}
	return Verdict{Status: http.StatusTooManyRequests, Wait: f.begin.Add(f.window).Sub(now)}
}

// Takes implements [Model].
func (f *FixedWindow) Takes(time.Duration) time.Duration { return 0 }

// Capacity implements [Model].
func (f *FixedWindow) Capacity(time.Duration) float64 {
	return float64(f.limit) / f.window.Seconds()
}
