package storm

import (
	"sync"
	"time"
)

// An effect is one thing that a service did and can't know it did before.
type effect struct {
	at            time.Time
	service, saga string
	step          string
}

// books are what the services have done. They know a key for lifetime after it
// was used first; zero: for ever.
type books struct {
	lifetime time.Duration

	mu      sync.Mutex
	keys    map[string]time.Time
	charges int
	refunds []effect
}

func (b *books) charge(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.known(key, time.Now()) {
		b.charges++
	}
}

// refund gives the money back, once for a key while that is known.
func (b *books) refund(key string, e effect) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.at = time.Now(); !b.known(key, e.at) {
		b.refunds = append(b.refunds, e)
	}
}

// known reports whether a key was used, and takes note of it.
func (b *books) known(key string, now time.Time) bool {
	at, ok := b.keys[key]
	if ok && (b.lifetime == 0 || now.Sub(at) < b.lifetime) {
		return true
	}
	b.keys[key] = now
	return false
}

// done reports whether a key's effect is known: a status path remembers what the
// idempotency of the calls no longer does.
func (b *books) done(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.keys[key]
	return ok
}

// refunded returns the refunds so far.
func (b *books) refunded() []effect {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]effect(nil), b.refunds...)
}

// distinct counts the charges that were refunded.
func (b *books) distinct() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(once(b.refunds))
}

// A charge is named by its saga and step.
type charge struct{ saga, step string }

// once is how often each charge was refunded.
func once(refunds []effect) map[charge]int {
	m := make(map[charge]int, len(refunds))
	for i := range refunds {
		m[charge{refunds[i].saga, refunds[i].step}]++
	}
	return m
}
