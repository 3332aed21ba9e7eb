package flow

import (
	"math/bits"

	"github.com/unwindhq/unwind/internal/planted"
)

const (
	// slotsBegin is with how many a lane begins.
	slotsBegin = 4
	// slotLevels is how many numbers of calls in flight are told apart: each up to
	// 16, and then eight to each doubling.
	slotLevels = 16 + 8*12
	// slotsFresh, in ns, is for how long what a number in flight carried counts.
	slotsFresh = 30 * second
	// slotsKeep: what carries less than so many hundredths of what fewer carried is
	// too many.
	slotsKeep = 80
	// slotsProof is how many answers in a row tell it. A timeout is as good as
	// that, where fewer are known to carry more.
	slotsProof = 3
	// slotsRush: until the first cut so many answers to calls that took the last
	// slot are enough to try for one more.
	slotsRush = 2
	// After a cut the number that was too many is tried again, first after
	// slotsFirst, then each time after twice as long, up to slotsMost.
	slotsFirst = 2 * second
	slotsMost  = 60 * second
)

// slots finds how many calls in flight a service bears, never more than are
// configured: n of them that take a time each carry n in that time (Little's
// law), and beyond some number a service that is crowded carries less. It goes
// by the time that calls take and by timeouts; a 429, by which the adaptive rate
// goes, says nothing to it, so that the two don't fight. A cut begins an epoch,
// as that of the rate does, and leaves half at least. One more is tried for when
// a round of calls has gone well with all slots in use.
type slots struct {
	limit  int     // never above most
	most   int     // configured
	levels []level // nil: not adaptive

	slow  bool
	mark  uint64 // grants up to this number were made before the last cut
	worse int    // answers in a row that tell of too many
	full  int    // answers to calls that had the last slot
	tight int    // was too many; 0: nothing was
	wait  int64  // from a cut to the next trial of it, ns
	next  int64  // that trial, ns
}

// level is what calls took that were granted with so many in flight.
type level struct {
	n    int
	trip int64 // ns, smoothed
	at   int64 // of the last answer, ns
}

// carries returns what so many carry, in millionths of a call per second; 0
// where that is not known.
func (l *level) carries(now int64) int64 {
	if l.n == 0 || now-l.at > slotsFresh {
		return 0
	}
	return carried(l.n, l.trip)
}

func carried(n int, trip int64) int64 { return scale(int64(n)*perCall, second, max(1, trip)) }

func levelOf(n int) int {
	if n <= 16 {
		return max(n, 1) - 1
	}
	octave := bits.Len(uint(n)) - 5
	return min(8+8*octave+n>>(octave+1), slotLevels-1)
}

// configure sets the most, at start and live.
func (s *slots) configure(on bool, most int) {
	switch {
	case !on:
		*s = slots{}
	case s.levels == nil:
		*s = slots{slow: true, limit: slotsBegin, most: most, levels: make([]level, slotLevels)}
	}
	s.most, s.limit = most, min(s.limit, most)
}

// answered takes in that the call with the given number, which made n in
// flight, took so long, or that its caller gave up on it; last is the number of
// the last grant.
func (s *slots) answered(number uint64, n int, trip int64, gaveUp bool, last uint64, now int64) {
	l := &s.levels[levelOf(n)]
	if l.carries(now) == 0 {
		l.trip = trip
	}
	l.n, l.at, l.trip = n, now, max(trip, (l.trip+trip)/2)
	if number <= s.mark || planted.On(planted.IgnoreCrowd) {
		return
	}
	best, slower := s.best(n, carried(n, trip), now)
	switch {
	case !slower && carried(n, trip) < best.carries(now)/100*slotsKeep:
		if s.worse++; gaveUp {
			s.worse = slotsProof
		}
	case gaveUp:
		s.worse++
	default:
		s.worse = 0
		s.grow(n, now)
		return
	}
	if s.worse >= slotsProof {
		s.cut(max(1, best.n, s.limit/2), last, now)
	}
}

// best returns which of the numbers below n carries most. The service got slower
// by itself where a number between these two, tried later, carries less than n does.
func (s *slots) best(n int, got, now int64) (best level, slower bool) {
	for i := range levelOf(n) {
		l := &s.levels[i]
		switch c := l.carries(now); {
		case c > best.carries(now):
			best, slower = *l, false
		case c > 0 && l.at > best.at && c < got:
			slower = true
		}
	}
	return best, slower
}

// cut begins an epoch.
func (s *slots) cut(limit int, last uint64, now int64) {
	s.worse, s.full, s.mark, s.slow = 0, 0, last, false
	if limit >= s.limit {
		return
	}
	s.limit, s.tight = limit, limit+1
	s.wait = min(max(2*s.wait, slotsFirst), slotsMost)
	s.next = now + s.wait
}

// grow tries for one more once a round of calls has gone well with all slots in
// use.
func (s *slots) grow(n int, now int64) {
	if n < s.limit || s.limit == s.most {
		return
	}
	if s.full++; s.full < s.limit && (!s.slow || s.full < slotsRush) {
		return
	}
	if s.limit >= s.tight {
		s.tight, s.wait = 0, 0 // it is too many no more
	}
	if s.limit+1 == s.tight && now < s.next {
		return
	}
	s.limit, s.full = s.limit+1, 0
}
