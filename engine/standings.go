package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// Standings are how the services stood when somebody last looked, and which change
// brought each there. Gates and breakers open by time alone, and no row says so:
// somebody looks again and again while streams are open, and never else. A stream that
// has seen some change is told of the services that changed later, as they stand then.
// Another process counts other changes: who comes from there is told of all services.
type standings struct {
	process  int64
	watchers atomic.Int64  // who wait for events
	wake     chan struct{} // somebody asked for events
	mu       sync.Mutex
	change   int64
	told     []standing // in the order of the services' names
}

// A standing is what was last told of a service.
type standing struct {
	state  unwind.ServiceState
	at     machine.Micros
	change int64
	data   json.RawMessage
}

const (
	// standingsEvery is how soon a change is seen that a person or an answer made.
	standingsEvery = 250 * time.Millisecond
	// figuresEvery is how often figures are told that move.
	figuresEvery = time.Second
)

func newStandings() standings {
	return standings{process: rand.Int64(), wake: make(chan struct{}, 1)}
}

// watch asks for looks, at least one, until leave.
func (s *standings) watch() {
	s.watchers.Add(1)
	s.ask()
}

func (s *standings) leave() { s.watchers.Add(-1) }

func (s *standings) ask() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// watchServices looks how the services stand while somebody watches.
func (e *Engine) watchServices() {
	defer e.workers.Done()
	s := &e.standings
	var queues []store.QueueDepth
	var counted time.Time
	timer := time.NewTimer(standingsEvery)
	defer timer.Stop()
	for {
		select {
		case <-s.wake:
		case <-e.ctx.Done():
			return
		case <-e.stopped:
			return
		}
		figures := time.Since(counted) >= figuresEvery
		if figures {
			rows, err := e.depths.recent(e.ctx)
			if err == nil { // else the loop says that the store is sick
				queues, counted = rows, time.Now()
			}
			figures = err == nil
		}
		if !counted.IsZero() {
			e.lookAtServices(queues, figures)
		}
		if s.watchers.Load() > 0 {
			s.ask()
		}
		timer.Reset(standingsEvery)
		select {
		case <-timer.C:
		case <-e.ctx.Done():
			return
		}
	}
}

// lookAtServices tells of the services that stand differently.
func (e *Engine) lookAtServices(queues []store.QueueDepth, figures bool) {
	states, err := e.services(e.ctx, queues)
	if err != nil {
		return // the engine ends, or has more to do than it can
	}
	news, err := e.standings.update(states, e.clock.now(), figures)
	if err != nil {
		e.cfg.Logger.Error("telling how the services stand", "error", err)
	}
	if news {
		e.committed.ring()
	}
}

// update takes in how the services stand, in the order of their names, and reports
// whether there is something to be told. Figures that have moved are told with them.
func (s *standings) update(states []unwind.ServiceState, at machine.Micros, figures bool) (news bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told == nil {
		s.told = make([]standing, len(states)) // they are the same as long as the process lives
	}
	for i := range states {
		old, now := &s.told[i], &states[i]
		if old.change > 0 && !differ(&old.state, now) && !(figures && moved(old, now, at)) {
			continue
		}
		data, err := json.Marshal(now)
		if err != nil {
			return news, fmt.Errorf("writing how service %s stands: %w", now.Name, err)
		}
		s.change++
		*old, news = standing{state: *now, at: at, change: s.change, data: data}, true
	}
	return news, nil
}

// since returns up to limit services that changed after the cursor, in that order, and
// moves it.
func (s *standings) since(at *eventCursor, limit int) []unwind.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.process != s.process || at.change > s.change {
		at.process, at.change = s.process, 0
	}
	if at.change == s.change {
		return nil
	}
	var later []*standing
	for i := range s.told {
		if s.told[i].change > at.change {
			later = append(later, &s.told[i])
		}
	}
	slices.SortFunc(later, func(a, b *standing) int { return cmp.Compare(a.change, b.change) })
	later = later[:min(len(later), store.PageLimit(limit))]
	events := make([]unwind.Event, len(later))
	for i, t := range later {
		at.change = t.change
		events[i] = unwind.Event{Kind: unwind.EventService, Data: t.data, Cursor: at.String()}
	}
	return events
}

func lanes(s *unwind.ServiceState) [2]*unwind.LaneState {
	return [...]*unwind.LaneState{&s.Lanes.Forward, &s.Lanes.Compensation}
}

// differ reports whether two looks at a service differ in more than figures.
func differ(a, b *unwind.ServiceState) bool {
	x, y := *a, *b
	for _, s := range []*unwind.ServiceState{&x, &y} {
		for _, l := range lanes(s) {
			*l = still(*l)
		}
	}
	return !reflect.DeepEqual(&x, &y)
}

// still is a lane without its figures. That there is a gate is none, until when is.
func still(l unwind.LaneState) unwind.LaneState {
	l.Rate.Adaptive, l.Rate.Effective, l.AdaptiveConcurrency = nil, nil, nil
	l.InFlight, l.Depth, l.OldestAgeMS, l.DrainEstimateMS, l.Throttled, l.Failed = 0, unwind.LaneDepth{}, 0, nil, 0, 0
	if l.Gate != nil {
		l.Gate = &unwind.LaneGate{Reason: l.Gate.Reason}
	}
	l.Breaker.Ramp = nil
	return l
}

// moved reports whether a service's figures are others than were told. That what waits
// has become older is no news, that something else is the oldest now is.
func moved(told *standing, now *unwind.ServiceState, at machine.Micros) bool {
	x, y := told.state, *now
	was, is := lanes(&x), lanes(&y)
	for i := range is {
		aged := int64(at-told.at)/1000 + was[i].OldestAgeMS - is[i].OldestAgeMS
		if is[i].OldestAgeMS > 0 && max(aged, -aged) > figuresEvery.Milliseconds() {
			return true
		}
		for _, l := range []*unwind.LaneState{was[i], is[i]} {
			l.OldestAgeMS, l.DrainEstimateMS = 0, nil // this one follows from the others
		}
	}
	return !reflect.DeepEqual(&x, &y)
}
