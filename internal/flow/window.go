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

// grains is how many parts of a span answers are told apart by, where a window has
// more entries than that.
const grains = 1024

// answers are the entries of calls that were answered about at once.
type answers struct {
	at int64 // the last of them, or later
	n  int
}

// ring is a queue of answers in the order of their times. As many as a power of two
// have room in it.
type ring struct {
	of    []answers
	first int
	n     int // in of
	calls int
}

func (r *ring) get(i int) *answers { return &r.of[(r.first+i)&(len(r.of)-1)] }

// push adds a call: to the last answers where it came before they end.
func (r *ring) push(at, grain int64) {
	r.calls++
	if r.n > 0 {
		if last := r.get(r.n - 1); at <= last.at {
			last.n++
			return
		}
	}
	if r.n == len(r.of) {
		larger := make([]answers, max(8, 2*r.n))
		for i := range r.n {
			larger[i] = *r.get(i)
		}
		r.of, r.first = larger, 0
	}
	r.n++
	*r.get(r.n - 1) = answers{upTo(at, grain), 1}
}

func (r *ring) pop() {
	r.calls -= r.get(0).n
	r.first = (r.first + 1) & (len(r.of) - 1)
	r.n--
}

// expire forgets the entries whose time is over.
func (w *window) expire(now int64) {
	for w.ended.n > 0 && w.ended.get(0).at+w.per <= now {
		w.ended.pop()
	}
	for len(w.past) > 0 && w.past[0].Until <= now {
		w.held -= w.past[0].N
		w.past = w.past[1:]
	}
}

// expiry is when so many entries of answered calls, of no more than there are, have
// expired.
func (w *window) expiry(entries int) int64 {
	i := 0
	for entries -= w.ended.get(0).n; entries > 0; i++ {
		entries -= w.ended.get(i + 1).n
	}
	return w.ended.get(i).at + w.per
}

// answered begins the end of an entry. Where the window has many, it ends a grain
// later at most, with others.
func (w *window) answered(at int64) {
	grain := int64(1)
	if w.n > grains {
		grain = max(1, w.per/grains)
	}
	w.ended.push(at, grain)
}

// room is how many calls the entries leave, below zero after the limit shrank.
func (w *window) room(inFlight int) int {
	if planted.On(planted.ForgetUnanswered) {
		inFlight = 0
	}
	return w.n - inFlight - w.ended.calls - w.held
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
	case need > w.ended.calls+w.held:
		return Never
	}
	for i := range w.past {
		p := &w.past[i]
		if need <= w.ended.calls {
			if at := w.expiry(need); at <= p.Until {
				return at
			}
		}
		if need -= p.N; need <= 0 || need <= w.ended.calls && w.expiry(need) <= p.Until {
			return p.Until
		}
	}
	return w.expiry(need)
}

// set changes the window of a scope; nil is none. What is held stays held, for
// the new span. Room that the change gives, or that nobody knows to be there,
// opens evenly over a span: no burst follows. Of calls that ended longer ago than the
// old span nobody knows; in a longer one they count on.
func (w *window) set(limit Rate, inFlight int, now int64) *window {
	if limit.N <= 0 {
		return nil
	}
	per, n := min(limit.per(), longest), int(min(limit.N, math.MaxInt32))
	if w == nil {
		w = &window{n: n, per: per}
		if !planted.On(planted.FullBucket) {
			w.spread(n-inFlight, 0, now)
		}
		return w
	}
	if w.n == n && w.per == per {
		return w
	}
	w.expire(now)
	before, longer := max(0, w.room(inFlight)), per-w.per
	if longer > 0 && !planted.On(planted.ForgetLonger) {
		before = 0
	}
	w.resize(per, now)
	w.n, w.per = n, per
	w.expire(now)
	if !planted.On(planted.BurstOnChange) {
		w.spread(w.room(inFlight)-before, longer, now)
	}
	return w
}

// resize brings the entries that expire at given times nearer for a shorter span:
// evenly, but none to less than the new span after its call. A longer one they keep up with.
func (w *window) resize(per, now int64) {
	less := w.per - per
	for i := range w.past {
		if less < 0 && !planted.On(planted.ForgetLonger) {
			w.past[i].Until -= less
		}
		if left := w.past[i].Until - now; less > 0 {
			w.past[i].Until = now + max(scale(left, per, w.per), left-less)
		}
	}
}

// spread takes n entries that expire evenly over a span, but none before a time has
// passed.
func (w *window) spread(n int, least, now int64) {
	parts := min(n, steps)
	for i := range parts {
		share := n*(i+1)/parts - n*i/parts
		w.hold(Held{now + max(scale(w.per, int64(i+1), int64(parts)), least), share})
	}
}

// entries appends those of answered calls and of the past to a list, in the order of
// their ends, which are at the ends of parts.
func (w *window) entries(list []Held, part int64) []Held {
	list = append(list, w.past...)
	for i := 0; i < w.ended.n; {
		h := Held{Until: upTo(w.ended.get(i).at+w.per, part)}
		for ; i < w.ended.n && w.ended.get(i).at+w.per <= h.Until; i++ {
			h.N += w.ended.get(i).n
		}
		list = add(list, h)
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
