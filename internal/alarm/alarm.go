// Package alarm decides what a person must hear of: pure, from what was seen. What
// begins with a commit is told in that commit, by the node; the rest is noticed here,
// and so is every end. What the commit told of is seen here too: where an alert was
// ended a moment too early, the next look raises it again.
package alarm

import (
	"cmp"
	"maps"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// A State is what was seen at one moment. Times are microseconds since the Unix epoch.
type State struct {
	Now int64
	// Groups are of dead letters.
	Groups []Group
	// Died counts the dead letters since the process began.
	Died int64
	// Lanes of all services, and what waits for these.
	Lanes  []Lane
	Queues []Queue
	// Moved are the keys of alerts on what was stuck and goes on.
	Moved []string
	// Firing are the alerts of the kinds in Kinds.
	Firing []store.Alert
}

// A Group is the dead letters of one cause.
type Group struct {
	Name                string
	Saga, Step, Service string
	Message             string // of the newest
	// Open waits for somebody, Replaying is being called again.
	Open, Replaying int64
	Oldest          int64 // when the first of both died
	AtRisk          *store.Sum
}

// A Lane is a service's lane.
type Lane struct {
	Service, Lane string
	// Breaker is open or closed; between them it is neither.
	BreakerOpen, BreakerClosed bool
	// Held: a person holds the breaker.
	Held bool
	// Fault is why the service's set-up is at fault; empty: it is not.
	Fault string
	// GateUntil is until when the service keeps it closed, for GateReason.
	GateUntil  int64
	GateReason string
	// Guarded is why it has paused itself; empty: it has not.
	Guarded string
	// Answers of the last minute, and the shares that were turned away or failed.
	Answers           int
	Throttled, Failed float64
}

// A Queue is the compensations that wait for a service.
type Queue struct {
	Service string
	Waiting int
	Oldest  int64 // when the oldest was queued; 0: none waits
}

// Kinds are the kinds of alerts whose ends are decided here.
var Kinds = []string{
	unwind.AlertDeadLetter, unwind.AlertDeadLetterGrowth, unwind.AlertDeadLetterAge, unwind.AlertAmount, unwind.AlertCompensationAge,
	unwind.AlertServiceFault, unwind.AlertBreaker, unwind.AlertGate, unwind.AlertRetryAfter, unwind.AlertLaneGuard, unwind.AlertWasted,
}

// Most is how many alerts one look raises and ends at most; the next one goes on.
const Most = 1000

// A Watch remembers what one look can't see. Make one with New.
type Watch struct {
	rules unwind.AlertRules
	lanes map[string]*memory
	fault map[string]bool // lanes whose fault was seen
	died  []sample
	began int64 // the first look
}

// memory is of one lane.
type memory struct{ since, last int64 } // it was closed since, and last seen so

type sample struct{ at, died int64 }

// New returns a Watch; the rules have no zero fields but those that may.
func New(rules unwind.AlertRules) *Watch {
	return &Watch{rules: rules.WithDefaults(), lanes: map[string]*memory{}, fault: map[string]bool{}, began: -1}
}

// A look is one State being judged.
type look struct {
	*Watch
	*State
	firing map[string]*store.Alert // by key
	out    []store.Alert
}

// Next returns what is to be raised and what is to be ended.
func (w *Watch) Next(s *State) []store.Alert {
	l := look{Watch: w, State: s, firing: map[string]*store.Alert{}}
	for i := range s.Firing {
		l.firing[s.Firing[i].Key] = &s.Firing[i]
	}
	if w.began < 0 {
		w.began = s.Now
	}
	l.deadLetters()
	l.growth()
	l.amounts()
	for i := range s.Queues {
		l.queue(&s.Queues[i])
	}
	for i := range s.Lanes {
		l.lane(&s.Lanes[i])
	}
	for _, key := range s.Moved {
		l.end(key, "it goes on")
	}
	// What is left is about what is not there any more.
	for _, key := range slices.Sorted(maps.Keys(l.firing)) {
		if a := l.firing[key]; a.Kind != unwind.AlertDeadLetter {
			l.end(key, "what it told of is not there any more")
		}
	}
	return l.out
}

// watched reports whether a whole minute was seen: what fires from before a restart is
// not over only because little has happened since.
func (l *look) watched() bool { return l.Now-l.began >= minute }

// raise raises an alert that does not fire yet.
func (l *look) raise(a store.Alert) {
	if l.firing[a.Key] != nil {
		delete(l.firing, a.Key)
		return
	}
	if len(l.out) < Most {
		a.At = l.Now
		l.out = append(l.out, a)
	}
}

// keep leaves an alert as it is.
func (l *look) keep(key string) { delete(l.firing, key) }

// end ends an alert, if it fires.
func (l *look) end(key, message string) {
	if l.firing[key] == nil && !slices.Contains(l.Moved, key) {
		return
	}
	delete(l.firing, key)
	if len(l.out) < Most {
		l.out = append(l.out, store.Alert{At: l.Now, Key: key, Ends: true, Message: message})
	}
}

// judge raises an alert while it holds, ends it once it is over, and leaves it be
// between the two.
func (l *look) judge(holds, over bool, a *store.Alert, ended string) {
	switch {
	case holds:
		l.raise(*a)
	case over:
		l.end(a.Key, ended)
	default:
		l.keep(a.Key)
	}
}

// Key is the identity of an alert: its kind and what it is about.
func Key(kind string, of ...string) string {
	for _, part := range of {
		kind += "/" + part
	}
	return kind
}

func span(micros int64) unwind.Duration {
	return unwind.Duration(micros) * 1000 / unwind.Second * unwind.Second
}

func micros(d unwind.Duration) int64 { return int64(d / 1000) }

func oldest(a, b int64) int64 {
	if a == 0 || b == 0 {
		return cmp.Or(a, b)
	}
	return min(a, b)
}
