// Package sim runs the whole system in a world of its own: seeded clock, network,
// disk, participants, clients and operators around the real machine, flow and
// node. One seed is one schedule; what happened is judged by sagatest/history.
package sim

import (
	"fmt"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/sagatest/history"
	"github.com/unwindhq/unwind/store/memory"
)

// epoch is the time at which every world begins, in microseconds.
const epoch = 1_780_000_000 * second

// A world is one run of a schedule. Its time is its own; nothing in it happens
// at once.
type world struct {
	plan   *Schedule
	swarm  Swarm // still on
	now    int64 // since epoch
	calm   bool  // the trouble is over
	events agenda
	count  int // events so far
	chance chance
	ids    *id.Source

	store   *memory.Store
	stored  journal
	current *process // whom clients ask; nil: none is up
	all     []*process
	offset  int64                  // of the clock of the next process
	steps   int64                  // by how much clocks were set in all
	offsets []int64                // of the clocks, by epoch
	stamps  map[unwind.Scope]int64 // the offset of who wrote a state of flow control
	hold    hold
	scopes  map[unwind.Scope]*scope
	named   []*scope          // in the order in which they came up
	urgent  map[place]*urgent // calls that an operator has it send now

	wishes   []*wish
	sagas    map[id.ID]*life // by every id that a start was given
	told     map[string]bool // groups of dead letters that have an alert
	lives    []*life         // that are durable
	books    map[place]*book
	standing map[place]*effects
	strays   map[place]stray
	waiting  int // requests of clients without an answer

	log      history.History
	found    []history.Violation // by the world itself
	counts   Counts
	delay    int64 // the longest that a call took to come in
	torn     bool  // a process ended with calls out
	happened []bool
	ended    bool
	trace    *tracer
}

// A place is one direction of one step.
type place struct {
	saga      id.ID
	step, dir int
}

func newWorld(s *Schedule, t *tracer) *world {
	w := &world{
		plan: s, swarm: s.Swarm, happened: make([]bool, len(s.Incidents)), chance: dice(s.Seed, 2), trace: t,
		scopes: map[unwind.Scope]*scope{}, urgent: map[place]*urgent{},
		store: memory.New(), books: make(map[place]*book, 32), standing: make(map[place]*effects, 32), strays: map[place]stray{}, stamps: map[unwind.Scope]int64{}, sagas: make(map[id.ID]*life, 16), told: map[string]bool{},
	}
	w.ids = id.NewSource(func() time.Time { return time.UnixMicro(epoch + w.now) }, w.chance.next)
	return w
}

// at has something done at a time.
func (w *world) at(t int64, do func()) { w.events.add(max(t, w.now), do) }

// after has something done after a while.
func (w *world) after(d int64, do func()) { w.at(w.now+d, do) }

// limitEvents bounds a run; one that takes more never ends.
const limitEvents = 60_000

// limitTime is how long after the calm everything must be at rest: longer than
// the longest wait that a participant can ask for.
const limitTime = 30 * 60 * second

// run lets everything happen.
func (w *world) run() {
	w.begin()
	for !w.ended {
		w.incidents()
		t, p := w.next()
		if t < 0 {
			w.fail(history.Liveness, "", "nothing will ever happen again: %s", w.unfinished())
			return
		}
		if !w.calm && t >= w.plan.Calm {
			w.now = w.plan.Calm
			w.calmDown()
			continue
		}
		if w.count++; w.count > limitEvents || t > w.plan.Calm+limitTime {
			w.fail(history.Liveness, "", "after %d events, %s after the trouble was over: %s", w.count, time.Duration(t-w.plan.Calm)*time.Microsecond, w.unfinished())
			return
		}
		w.now = t
		if p != nil {
			p.wakeUp()
			continue
		}
		w.events.take()()
	}
}

// next is when something happens next; p, where not nil, wakes up by itself.
func (w *world) next() (t int64, p *process) {
	t = w.events.when()
	for _, q := range w.all {
		if q.wake >= 0 && (t < 0 || q.wake < t) {
			t, p = q.wake, q
		}
	}
	if t >= 0 {
		t = max(t, w.now)
	}
	return t, p
}

func (w *world) begin() {
	w.join()
	for i := range w.plan.Sagas {
		w.want(&w.plan.Sagas[i])
	}
	w.after(400*millis, w.operate)
	for i := range w.plan.Acts {
		a := &w.plan.Acts[i]
		w.at(a.At, func() { w.act(i, a) })
	}
}

// calmDown ends the trouble.
func (w *world) calmDown() {
	w.calm, w.swarm = true, 0
	w.hold = hold{}
	w.tracef("calm")
	if w.current == nil {
		w.join()
	}
	if w.plan.Swarm.Has(HoldBreaker) {
		w.release()
	}
	w.after(100*millis, w.watchEnd)
}

// watchEnd ends the run when nothing is left to do.
func (w *world) watchEnd() {
	if w.unfinished() != "" {
		w.after(150*millis, w.watchEnd)
		return
	}
	w.after(2*second, func() {
		if w.unfinished() != "" {
			w.after(150*millis, w.watchEnd)
			return
		}
		w.ended = true
	})
}

// fail notes what the world itself found wrong.
func (w *world) fail(g history.Guarantee, saga, format string, args ...any) {
	if len(w.found) < 20 {
		w.found = append(w.found, history.Violation{Guarantee: g, Saga: saga, Message: fmt.Sprintf(format, args...)})
		w.tracef("VIOLATION %s %s", g, w.found[len(w.found)-1].Message)
	}
}

// strikes reports whether a fault that is on hits a call, at a place.
func (w *world) strikes(f Fault, percent int, where *chance) bool {
	if where.intn(100) >= percent || !w.swarm.Has(f) {
		return false
	}
	w.counts[f]++
	return true
}

func (w *world) micros() machine.Micros { return machine.Micros(epoch + w.now) }
