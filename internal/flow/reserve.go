package flow

import (
	"slices"
	"time"

	"github.com/unwindhq/unwind/internal/planted"
)

const (
	// block, in ns, is how far ahead of now limits are reserved.
	block = 200 * int64(time.Millisecond)
	// low is when a scope under load asks for the next block.
	low = 80 * int64(time.Millisecond)
	// slow is the interval, 10 calls per second, above which each call is
	// reserved by itself; slack is for the time until that is durable.
	slow, slack = 100 * int64(time.Millisecond), 100 * int64(time.Millisecond)
)

// reserve is what a scope may grant by what is durable. For the pace that is a
// time which the pacer's eligible time doesn't pass. For the window it is a
// number of calls until a time, whose entries are durable already, to end when
// the last of them would.
type reserve struct {
	until int64 // the pace may be spent up to here
	good  int64 // left may be spent until then
	left  int   // of the window
	step  int   // of the window: calls in the last block
	since int64 // when that was asked for

	listed   bool // in Scheduler.listed
	asked    bool // Reservations has named it and Reserved has not come yet
	starving bool // a call waits for nothing else
	fresh    bool // begins anew: the way to its first call is worth keeping
	changed  bool // its TargetState has
}

// ahead is how far a reservation goes beyond what was granted.
func (s *scope) ahead() int64 {
	return max(block, s.pace.interval+slack)
}

// hold is how long after its grant a call has ended, and its entry too.
func (s *scope) hold() int64 {
	if planted.On(planted.ForgetHold) {
		return s.window.per
	}
	return s.effective.Hold + s.window.per
}

// covered reports whether a call now would be inside of what is durable.
func (s *scope) covered(now int64) bool {
	if planted.On(planted.GrantUnreserved) {
		return true
	}
	if p := &s.pace; p.interval != 0 && max(p.tat, now)+p.interval-(p.burst-1)*p.interval > s.until {
		return false
	}
	return s.window == nil || s.left > 0 && now <= s.good
}

// lacking reports whether less than a part of a block is left.
func (s *scope) lacking(part, now int64) bool {
	if p := &s.pace; p.interval != 0 && p.interval <= slow && s.until-max(p.eligible(), now) < part {
		return true
	}
	return s.window != nil && s.step > 1 && (2*s.left < s.step || s.good-now < part)
}

// list notes that the scope is to be looked at with the next reservations.
func (s *Scheduler) list(sc *scope) {
	if !sc.listed {
		sc.listed = true
		s.listed = append(s.listed, sc)
	}
}

// charge charges one call to a scope.
func (s *Scheduler) charge(sc *scope, now int64) {
	sc.take(now)
	if !s.durable || sc.pace.interval == 0 && sc.window == nil {
		return
	}
	s.list(sc)
	if sc.lacking(low, now) {
		s.wanted = true
	}
}

// covered reports whether a call of a queue is inside of what is durable for
// all of its scopes. Those for which it is not ask for more, all at once.
func (s *Scheduler) covered(q *queue, now int64) bool {
	if !s.durable {
		return true
	}
	t := q.target
	ok := s.covers(&s.lanes[t.lane].all, now)
	ok = s.covers(&t.scope, now) && ok
	for _, c := range q.flow.commons() {
		if c != nil {
			ok = s.covers(&c.scope, now) && ok
		}
	}
	return ok
}

func (s *Scheduler) covers(sc *scope, now int64) bool {
	if sc.covered(now) {
		return true
	}
	sc.starving = true
	if !sc.asked {
		s.list(sc)
		s.urge(now)
	}
	return false
}

// note has the state of a target made durable with the next commit.
func (s *Scheduler) note(t *target) {
	if s.durable {
		t.changed, s.wanted = true, true
		s.list(&t.scope)
	}
}

// urge has Wake say that Reservations has something to say.
func (s *Scheduler) urge(now int64) {
	s.wanted = true
	if s.urgent == Never {
		s.urgent = now
	}
}

// remember makes the way of a scope to its first call durable, so that restart
// after restart doesn't begin it anew.
func (s *Scheduler) remember(sc *scope, now int64) {
	if s.durable && sc.fresh && !sc.asked {
		sc.fresh = false
		sc.changed = true
		s.list(sc)
		s.urge(now)
	}
}

// Reservations appends to dst what is to be made durable next, and returns it. What
// dst has room for it takes over, with the entries that were there.
// The caller asks whenever it builds a commit, and when Wake says so; while
// nothing is used there is nothing to say. What it gets it writes with that
// commit, each one replacing what was written for its scope, and reports by
// Reserved. Until then these scopes are not named again.
func (s *Scheduler) Reservations(now int64, dst []Reservation) []Reservation {
	if !s.wanted {
		return dst
	}
	s.wanted, s.urgent = false, Never
	kept := s.listed[:0]
	for _, sc := range s.listed {
		if sc.asked { // until Reserved
			kept = append(kept, sc)
			continue
		}
		sc.listed = false
		if sc.starving || sc.changed || sc.lacking(3*block/4, now) {
			var spare []Held
			if len(dst) < cap(dst) {
				spare = dst[:len(dst)+1][len(dst)].Window
			}
			dst = append(dst, s.reservation(sc, spare[:0], now))
		}
	}
	clear(s.listed[len(kept):])
	s.listed = kept
	return dst
}

// reservation is what a scope wants to have durable; room is for its entries.
func (s *Scheduler) reservation(sc *scope, room []Held, now int64) Reservation {
	more := sc.starving || sc.lacking(3*block/4, now)
	sc.asked, sc.changed = true, false
	r := Reservation{Scope: sc.name, until: sc.until}
	if sc.pace.interval != 0 {
		r.Until = max(sc.until, sc.pace.eligible())
		if more {
			r.Until = max(r.Until, max(sc.pace.eligible(), now)+sc.ahead())
		}
		r.until = r.Until
	}
	if sc.window != nil {
		r.Window = room
		sc.reserveWindow(&r, more, now)
	}
	if t := s.targetOf(sc); t != nil {
		r.Target, r.wish = t.state(now), t.gate.wish.number
	}
	return r
}

// reserveWindow moves what is left to the end of the next block, and adds to
// it: about what the window carries in a block, and as much again as was used
// up in the block before when that went faster. What is written are the entries as
// they stand: those of answered calls end when they do here, the others when their
// calls have surely ended.
func (s *scope) reserveWindow(r *Reservation, more bool, now int64) {
	w := s.window
	w.expire(now)
	r.good = s.good
	if more {
		least := int(scale(block, int64(w.n), w.per))
		switch {
		case now-s.since < low+low/2:
			s.step *= 2
		case now-s.since > block:
			s.step /= 2
		}
		s.since, s.step = now, max(s.step, least, 1)
		r.more = max(0, min(s.step, w.room(s.inFlight)-s.left))
		r.good = now + block
	}
	part := (s.hold()+block)/steps + 1
	r.Window = w.entries(slices.Grow(r.Window, len(w.past)+steps+4), part)
	r.Window = add(r.Window, Held{upTo(now+s.hold(), part), s.inFlight})
	r.Window = add(r.Window, Held{upTo(max(r.good, now)+s.hold(), part), s.left + r.more})
	r.Window = slices.DeleteFunc(r.Window, func(h Held) bool { return h.N == 0 })
}

// upTo is the end of the part that a time lies in.
func upTo(at, part int64) int64 { return (at + part - 1) / part * part }

// Reserved ends what Reservations has asked for: it is durable, or the write
// failed and may or may not be. Then the scopes ask again.
func (s *Scheduler) Reserved(rs []Reservation, durable bool, now int64) {
	for i := range rs {
		r := &rs[i]
		sc := s.lookup(r.Scope)
		if sc == nil || !sc.asked {
			continue
		}
		sc.asked = false
		if !durable {
			sc.changed = true
			s.list(sc)
			s.urge(now)
			continue
		}
		sc.until = max(sc.until, r.until)
		if sc.window != nil && r.Window != nil {
			sc.good, sc.left = r.good, sc.left+r.more
		}
		if t := s.targetOf(sc); t != nil {
			s.openWished(t, r.wish, now)
		}
		if sc.listed {
			s.wanted = true
		}
		if sc.starving {
			sc.starving = false
			s.changed(sc.name, now)
		}
	}
}

// Restore takes up what an earlier process made durable, after the scopes have
// been configured and before the first task: each begins at what was reserved,
// with an empty bucket, so that nothing is overshot and at most one block is
// lost. No time is trusted further ahead than a block could have put it: a clock
// that went back holds nobody up for longer.
func (s *Scheduler) Restore(states []Reservation, now int64) {
	for i := range states {
		r := &states[i]
		sc := s.scope(r.Scope, now)
		if t := s.targetOf(sc); t != nil { // first: it may set another pace, for which a wait would be another
			t.restore(r.Target, now)
		}
		if p := &sc.pace; p.interval != 0 && r.Until != 0 {
			sc.until = min(r.Until, now+p.interval+sc.ahead())
			p.tat = max(sc.until, now) + (p.burst-1)*p.interval
			if planted.On(planted.RefillOnRestart) {
				p.tat = now
			}
			sc.fresh = false
		}
		if w := sc.window; w != nil && r.Window != nil {
			most := now + block + sc.hold() + (sc.hold()+block)/steps + 2
			w.past, w.held = nil, 0
			for _, h := range r.Window {
				if h.Until > now && h.N > 0 && !planted.On(planted.RefillOnRestart) {
					w.hold(Held{min(h.Until, most), h.N})
				}
			}
			sc.fresh = false
		}
		s.changed(r.Scope, now)
	}
}

// targetOf returns the target of a target's scope, nil for other scopes.
func (s *Scheduler) targetOf(sc *scope) *target {
	if k := sc.name.Kind; k != ScopeForward && k != ScopeCompensation {
		return nil
	}
	name := sc.name.Target()
	return s.targets[s.services[name.Service]+int32(name.Lane)]
}

// lookup returns a scope that is in memory, nil when it is not.
func (s *Scheduler) lookup(name Scope) *scope {
	switch name.Kind {
	case ScopeForward, ScopeCompensation:
		if first, ok := s.services[name.Name]; ok {
			return &s.targets[first+int32(name.Target().Lane)].scope
		}
		return nil
	case ScopeSagaType, ScopeTenant:
		if c := s.commons[name]; c != nil {
			return &c.scope
		}
		return nil
	}
	return &s.lanes[Compensation].all
}
