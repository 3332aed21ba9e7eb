package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
)

// A turn is a change that somebody or something makes, and how it shows.
type turn struct {
	what  string
	do    func(*street) // nil: it comes by itself
	shows func(*unwind.LaneState) bool
}

// Whatever changes at a lane, whoever watches is told within a second.
func TestEveryChangeOfALaneIsToldWithinASecond(t *testing.T) {
	two, three := 2*unwind.Second, unwind.PerSecond(3)
	breaks := unwind.Participant{Timeout: 5 * unwind.Second, Breaker: unwind.Breaker{Minimum: 2, Open: 3 * unwind.Second}}
	fails := func(path, answer string, n int) func(*street) {
		return func(s *street) { s.answer(path, answer); s.start(n) }
	}
	gated := func(l *unwind.LaneState) bool { return l.Gate != nil }
	open := func(l *unwind.LaneState) bool { return l.Gate == nil && l.Fault == "" }
	goes := func(l *unwind.LaneState) bool { return l.Paused == nil && l.Backlog == nil }
	for name, c := range map[string]struct {
		payments unwind.Participant
		lane     unwind.ScopeKind
		changes  []turn
	}{
		"a pause": {lane: unwind.ScopeCompensation, changes: []turn{
			{"paused", func(s *street) { s.pause(unwind.ScopeCompensation, "payments", true) }, func(l *unwind.LaneState) bool { return l.Paused != nil && l.Paused.By == "ops" }},
			{"resumed", func(s *street) { s.pause(unwind.ScopeCompensation, "payments", false) }, goes},
		}},
		"a limit": {lane: unwind.ScopeCompensation, changes: []turn{
			{"set", func(s *street) {
				s.control(unwind.ScopeCompensation, "payments", unwind.ControlRequest{Limits: &unwind.LimitsChange{Rate: &three}, ExpiresIn: two})
			}, func(l *unwind.LaneState) bool { return l.Overrides != nil && *l.Rate.Configured == 3 }},
			{"over", nil, func(l *unwind.LaneState) bool { return l.Overrides == nil && *l.Rate.Configured == 10 }},
		}},
		"a breaker that is held": {lane: unwind.ScopeForward, changes: []turn{
			{"open", func(s *street) { s.breaker(unwind.BreakerOpen) }, func(l *unwind.LaneState) bool { return l.Breaker.State == "open" && l.Breaker.Probe == nil }},
			{"auto", func(s *street) { s.breaker(unwind.BreakerAuto) }, func(l *unwind.LaneState) bool { return l.Breaker.State == "closed" }},
		}},
		"a breaker": {payments: breaks, lane: unwind.ScopeForward, changes: []turn{
			{"open", fails("/charge", "500", 12), func(l *unwind.LaneState) bool { return l.Breaker.State == "open" && l.Breaker.Probe != nil }},
			{"half-open", func(s *street) { s.answer("/charge", "200"); s.mu.Lock(); s.takes = time.Second; s.mu.Unlock() }, func(l *unwind.LaneState) bool { return l.Breaker.State == "half_open" }},
			{"ramp", nil, func(l *unwind.LaneState) bool { return l.Breaker.State == "closed" && l.Breaker.Ramp != nil }},
			{"closed", nil, func(l *unwind.LaneState) bool { return l.Breaker.State == "closed" && l.Breaker.Ramp == nil }},
		}},
		"a gate": {lane: unwind.ScopeForward, changes: []turn{
			{"closed", fails("/charge", "503+5", 1), gated}, {"open", nil, open},
		}},
		"a service fault": {lane: unwind.ScopeForward, changes: []turn{
			{"begins", fails("/charge", "401", 1), func(l *unwind.LaneState) bool { return l.Fault != "" }},
			{"ends", func(s *street) { s.answer("/charge", "200") }, open},
		}},
		"the lane guard": {lane: unwind.ScopeCompensation, changes: []turn{
			{"pauses", func(s *street) { s.answer("/ship", "409"); s.answer("/refund", "422"); s.start(5) }, func(l *unwind.LaneState) bool { return l.Paused != nil && l.Paused.By == "lane guard" }},
		}},
		"a backlog": {payments: unwind.Participant{Backlog: unwind.Backlog{Objective: 4 * unwind.Second, Policy: unwind.HoldStarts}}, lane: unwind.ScopeCompensation, changes: []turn{
			{"waits", func(s *street) {
				s.answer("/ship", "409")
				s.pause(unwind.ScopeCompensation, "payments", true)
				s.start(1)
			}, func(l *unwind.LaneState) bool { return l.Depth.Ready == 1 }},
			{"holds", nil, func(l *unwind.LaneState) bool { return l.Backlog != nil && l.Backlog.Policy == unwind.HoldStarts }},
			{"is over", func(s *street) { s.pause(unwind.ScopeCompensation, "payments", false) }, goes},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, c.payments, func(s *street) {
				v := s.view()
				defer v.end()
				pass(5 * time.Second) // the first looks are over
				for _, turn := range c.changes {
					s.isTold(v, c.lane, turn)
				}
			})
		})
	}
}

// isTold makes a change, and fails unless the viewer is told of it within a second.
func (s *street) isTold(v *viewer, lane unwind.ScopeKind, c turn) {
	s.t.Helper()
	before := len(v.all())
	if c.do != nil {
		c.do(s)
	}
	shows := func(state unwind.ServiceState) bool {
		l := &state.Lanes.Compensation
		if lane == unwind.ScopeForward {
			l = &state.Lanes.Forward
		}
		return c.shows(l)
	}
	for begin := time.Now(); !shows(s.stands()["payments"]); pass(10 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			s.t.Fatalf("%s: it never came", c.what)
		}
	}
	came := time.Now()
	pass(time.Second)
	for _, see := range v.all()[before:] {
		if see.state.Name == "payments" && shows(see.state) {
			if late := see.at.Sub(came); late > time.Second {
				s.t.Errorf("%s: it was told after %s", c.what, late)
			}
			return
		}
	}
	s.t.Fatalf("%s: it was not told", c.what)
}

// agree fails unless a picture is how the services stand.
func (s *street) agree(what string, picture map[string]unwind.ServiceState) {
	s.t.Helper()
	want := s.stands()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		a, b := ageless(s.t, picture[name]), ageless(s.t, want[name])
		if a != b {
			s.t.Errorf("%s, %s is seen as\n%s, and stands as\n%s", what, name, a, b)
		}
	}
}

// ageless is a service in JSON, but for the ages of what waits.
func ageless(t *testing.T, state unwind.ServiceState) string {
	t.Helper()
	state.Lanes.Forward.OldestAgeMS, state.Lanes.Compensation.OldestAgeMS = 0, 0
	b, err := json.Marshal(&state)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// After whichever event a stream broke, the next one ends with the picture that is
// right, however little is read at a time, and over a restart.
func TestStreamsThatResumeEndWithThePictureThatIsRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New()
		s := &street{t: t, answers: map[string]string{}}
		s.open(kept{st}, unwind.Participant{})
		v := s.view()
		for _, paused := range []bool{true, false} {
			for _, lane := range []unwind.ScopeKind{unwind.ScopeForward, unwind.ScopeCompensation} {
				for _, service := range []string{"payments", "shop"} {
					pass(time.Second)
					s.pause(lane, service, paused)
				}
			}
		}
		pass(time.Second)
		s.answer("/charge", "401") // which a restart forgets
		s.start(1)
		pass(time.Second)
		s.pause(unwind.ScopeForward, "payments", true) // no probe ends it
		pass(time.Minute)
		seen := v.all()
		v.end()
		if len(seen) < 11 {
			t.Fatalf("only %d events", len(seen))
		}
		s.resumesAfterAny("after a break", seen)

		// The lanes change while nobody watches.
		s.pause(unwind.ScopeCompensation, "shop", true)
		s.resumesAfterAny("after a change in between", seen)

		s.close()
		s.open(kept{st}, unwind.Participant{})
		other := s.view()
		for range len(seen) { // this process has counted as many changes
			pass(time.Second)
			s.pause(unwind.ScopeForward, "shop", true)
			pass(time.Second)
			s.pause(unwind.ScopeForward, "shop", false)
		}
		pass(time.Minute)
		other.end()
		s.resumesAfterAny("after a restart", seen)
		s.close()
	})
}

// kept is a store that the next engine opens again.
type kept struct{ store.Store }

func (kept) Close() error { return nil }

// resumesAfterAny resumes after each event as the one who had seen those up to it.
func (s *street) resumesAfterAny(what string, seen []sight) {
	s.t.Helper()
	picture := map[string]unwind.ServiceState{}
	for i, see := range seen {
		picture[see.state.Name] = see.state
		now := maps.Clone(picture)
		for cursor := see.cursor; ; {
			ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Second)
			more, next, err := s.read(ctx, cursor, 1)
			cancel()
			if err != nil {
				break // nothing comes any more
			}
			for _, m := range more {
				now[m.state.Name] = m.state
			}
			cursor = next
		}
		s.agree(fmt.Sprintf("%s, after event %d", what, i), now)
	}
}

// Figures that never rest are told once a second, and a pause at once.
func TestWhatMovesIsToldOnceASecond(t *testing.T) {
	inBubble(t, unwind.Participant{Forward: unwind.Limits{Concurrency: 10}}, func(s *street) {
		s.takes = 400 * time.Millisecond
		v := s.view()
		defer v.end()
		pass(3 * time.Second)
		before := len(v.all())
		const seconds = 20
		for range seconds * 20 {
			s.start(2) // more than it takes
			pass(50 * time.Millisecond)
		}
		told := map[string]int{}
		for _, see := range v.all()[before:] {
			told[see.state.Name]++
		}
		if told["payments"] < seconds-2 || max(told["payments"], told["shop"]) > seconds+1 {
			t.Errorf("in %d s services were told of so often: %v", seconds, told)
		}
	})
}

// That time goes by is no news: what waits gets older, and nothing is told.
func TestWhatOnlyGetsOlderIsNotTold(t *testing.T) {
	inBubble(t, unwind.Participant{}, func(s *street) {
		s.answer("/ship", "409")
		s.pause(unwind.ScopeCompensation, "payments", true)
		s.start(3)
		pass(5 * time.Minute) // nor is it that the shares of the last minute end
		v := s.view()
		defer v.end()
		pass(5 * time.Second)
		before := len(v.all())
		pass(10 * time.Minute)
		if more := v.all()[before:]; len(more) > 0 {
			t.Errorf("in ten quiet minutes came %d events, the first: %+v", len(more), more[0].state)
		}
		var last unwind.LaneState
		for _, see := range v.all() {
			if see.state.Name == "payments" {
				last = see.state.Lanes.Compensation
			}
		}
		if last.Depth.Ready != 3 || last.OldestAgeMS < 290_000 {
			t.Errorf("it was told that %d wait, the oldest for %d ms", last.Depth.Ready, last.OldestAgeMS)
		}
	})
}

// Of as much that waits, another may be the oldest: then the ages that whoever watches
// counts on from are others.
func TestThatAnotherIsTheOldestIsTold(t *testing.T) {
	aged := func(ms int64) unwind.ServiceState {
		var s unwind.ServiceState
		s.Lanes.Compensation.Depth.Ready, s.Lanes.Compensation.OldestAgeMS = 7, ms
		return s
	}
	for _, c := range []struct {
		after int64 // s
		age   int64 // ms, from 60000
		moved bool
	}{{5, 65_000, false}, {5, 65_900, false}, {5, 64_100, false}, {5, 1200, true}, {5, 60_000, true}, {5, 70_000, true}} {
		now := aged(c.age)
		if got := moved(&standing{state: aged(60_000), at: 1}, &now, 1+machine.Micros(c.after*1_000_000)); got != c.moved {
			t.Errorf("%d s later the oldest has waited for %d ms: told is %v", c.after, c.age, got)
		}
	}
}

// Nobody looks how services stand while nobody asks for events.
func TestNobodyLooksWithoutAStream(t *testing.T) {
	inBubble(t, unwind.Participant{}, func(s *street) {
		changes := func() int64 {
			s.standings.mu.Lock()
			defer s.standings.mu.Unlock()
			return s.standings.change
		}
		toggle := func() {
			for _, paused := range []bool{true, false} {
				s.pause(unwind.ScopeCompensation, "payments", paused)
				pass(5 * time.Second)
			}
		}
		toggle()
		if n := changes(); n != 0 {
			t.Errorf("before there was a stream, %d changes were seen", n)
		}
		v := s.view()
		pass(time.Second)
		v.end()
		pass(time.Second)
		seen := changes()
		toggle()
		if n := changes(); n != seen || n == 0 {
			t.Errorf("with a stream %d changes were seen, and %d more after it", seen, n-seen)
		}
	})
}
