package flow

import (
	"math"
	"slices"
	"sort"

	"github.com/unwindhq/unwind/internal/planted"
)

// window admits at most n calls in any span of its length, by the receiver's
// clock. An entry is taken with the grant, is held while the call has no answer,
// and expires one span after the answer. The request came in before its answer
// went out, so whatever the network does to either, all calls that come in
// within a span of a given one hold an entry when the last of them is granted.
//
// The calls without an answer are the scope's in flight, which it passes in.
type window struct {
	n     int
	per   int64
	ended ring // when calls were answered
	past  []Held
	held  int // in past
}

// Held are N entries that expire at Until, ns: of calls before a restart, or
// room that a change has given and that opens bit by bit.
type Held struct {
	Until int64
	N     int
}

// steps is how many parts the entries of a change or of a restart come in.
const steps = 60

// ring is a queue of times, not decreasing.
type ring struct {
	at    []int64
	first int
	n     int
}

func (r *ring) get(i int) int64 { return r.at[(r.first+i)%len(r.at)] }

func (r *ring) push(at int64) {
	if r.n == len(r.at) {
		larger := make([]int64, max(8, 2*r.n))
		for i := range r.n {
			larger[i] = r.get(i)
		}
		r.at, r.first = larger, 0
	}
	if r.n > 0 {
		at = max(at, r.get(r.n-1))
	}
	r.at[(r.first+r.n)%len(r.at)] = at
	r.n++
}

func (r *ring) pop() {
	r.first = (r.first + 1) % len(r.at)
	r.n--
}

// expire forgets the entries whose time is over.
func (w *window) expire(now int64) {
	for w.ended.n > 0 && w.expiry(0) <= now {
		w.ended.pop()
	}
	for len(w.past) > 0 && w.past[0].Until <= now {
		w.held -= w.past[0].N
		w.past = w.past[1:]
	}
}

func (w *window) expiry(i int) int64 {
	return w.ended.get(i) + w.per
}

// answered begins the end of an entry.
func (w *window) answered(at int64) { w.ended.push(at) }

// room is how many calls the entries leave, below zero after the limit shrank.
func (w *window) room(inFlight int) int {
	if planted.On(planted.ForgetUnanswered) {
		inFlight = 0
	}
	return w.n - inFlight - w.ended.n - w.held
}

// free reports whether the next call has an entry by time alone.
func (w *window) free(inFlight int) bool {
	return inFlight < w.n || planted.On(planted.ForgetUnanswered)
}

// eligible returns when the next call has an entry, Never when that takes an
// answer.
func (w *window) eligible(inFlight int) int64 {
	need := 1 - w.room(inFlight) // entries that have to expire
	switch {
	case need <= 0:
		return math.MinInt64
	case need > w.ended.n+w.held:
		return Never
	}
	for i := range w.past {
		p := &w.past[i]
		if need <= w.ended.n && w.expiry(need-1) <= p.Until {
			return w.expiry(need - 1)
		}
		need -= p.N
		if need <= 0 || need <= w.ended.n && w.expiry(need-1) <= p.Until {
			return p.Until
		}
	}
	return w.expiry(need - 1)
}

// set changes the window of a scope; nil is none. What is held stays held, for
// the new span. Room that the change gives, or that nobody knows to be there,
// opens evenly over a span: no burst follows.
func (w *window) set(limit Rate, inFlight int, now int64) *window {
	if limit.N <= 0 {
		return nil
	}
	per, n := min(limit.per(), longest), int(min(limit.N, math.MaxInt32))
	if w == nil {
		w = &window{n: n, per: per}
		if !planted.On(planted.FullBucket) {
			w.spread(n-inFlight, now)
		}
		return w
	}
	if w.n == n && w.per == per {
		return w
	}
	w.expire(now)
	before := max(0, w.room(inFlight))
	w.shrink(per, now)
	w.n, w.per = n, per
	w.expire(now)
	if !planted.On(planted.BurstOnChange) {
		w.spread(w.room(inFlight)-before, now)
	}
	return w
}

// shrink brings the entries that expire at given times nearer for a shorter span:
// evenly, but none to less than the new span after its call.
func (w *window) shrink(per, now int64) {
	less := w.per - per
	for i := range w.past {
		if left := w.past[i].Until - now; less > 0 {
			w.past[i].Until = now + max(scale(left, per, w.per), left-less)
		}
	}
}

// spread takes n entries that expire evenly over a span.
func (w *window) spread(n int, now int64) {
	parts := min(n, steps)
	for i := range parts {
		share := n*(i+1)/parts - n*i/parts
		w.hold(Held{now + scale(w.per, int64(i+1), int64(parts)), share})
	}
}

// entries appends those of answered calls and of the past to a list, in the order of
// their ends, which are at the ends of parts.
func (w *window) entries(list []Held, part int64) []Held {
	list = append(list, w.past...)
	for i := 0; i < w.ended.n; {
		end := upTo(w.expiry(i), part)
		n := sort.Search(w.ended.n-i, func(k int) bool { return w.expiry(i+k) > end })
		list = add(list, Held{end, n})
		i += n
	}
	return list
}

// hold adds entries that expire at a given time.
func (w *window) hold(h Held) {
	w.past, w.held = add(w.past, h), w.held+h.N
}

// add keeps a list of entries in the order of their ends.
func add(list []Held, h Held) []Held {
	i := sort.Search(len(list), func(i int) bool { return list[i].Until >= h.Until })
	if i < len(list) && list[i].Until == h.Until {
		list[i].N += h.N
		return list
	}
	list = slices.Insert(list, i, h)
	if len(list) > 4*steps { // the first two end together
		list[1].N += list[0].N
		list = list[1:]
	}
	return list
}
