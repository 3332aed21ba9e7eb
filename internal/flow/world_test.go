package flow

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A world is a scheduler with what surrounds it: a network that delays requests
// and answers as it likes, a receiver that counts, a store whose commits take
// time and may be lost, and crashes at any point. The clock goes on meanwhile.
type world struct {
	r     *rand.Rand
	s     *Scheduler
	now   int64
	seq   uint64
	calm  int64 // no crash from then on
	crash int64 // when the next one is due
	every int64 // the longest time from crash to crash

	limits map[Scope]Limits
	scopes []Scope
	stored map[Scope][]byte
	commit []Reservation // under way
	lands  int64         // when it ends
	writes int

	calls   []*wire
	granted map[Scope][]int64
	arrived map[Scope][]int64
	express bool   // an operator sends now
	still   bool   // it acts when something happens or the scheduler says so, no sooner
	tasks   []Task // in the queue, from the oldest
	sentNow map[TaskKey]bool
}

// wire is a call that is out.
type wire struct {
	task           Task
	grant          Grant
	arrives, ended int64
	there, lost    bool // it has come in; its process is gone
}

const hold = 500 * ms // timeout and settle of a call

func newWorld(seed uint64) *world {
	w := &world{
		r: rand.New(rand.NewPCG(seed, 1)), now: 1_000_000 * ms, calm: Never,
		limits: map[Scope]Limits{}, stored: map[Scope][]byte{}, sentNow: map[TaskKey]bool{},
		granted: map[Scope][]int64{}, arrived: map[Scope][]int64{},
	}
	w.scopes = append(w.scopes, Scope{Kind: ScopeAll})
	for _, name := range services {
		w.scopes = append(w.scopes, Scope{Kind: ScopeCompensation, Name: name})
	}
	for _, name := range types {
		w.scopes = append(w.scopes, Scope{Kind: ScopeSagaType, Name: name})
		for _, tenant := range tenants {
			w.scopes = append(w.scopes, Scope{Kind: ScopeTenant, Name: name, Tenant: tenant})
		}
	}
	return w
}

// any limits, most of the time none.
func (w *world) draw() Limits {
	l := Limits{Rate: Rate{N: Unlimited}, Hold: hold, Burst: 1 + w.r.IntN(6)}
	if w.r.IntN(2) == 0 {
		l.Rate = Rate{int64(1 + w.r.IntN(100)), []int64{1000 * ms, 1000 * ms, 10_000 * ms}[w.r.IntN(3)]}
	}
	if w.r.IntN(2) == 0 {
		l.Window = Rate{int64(1 + w.r.IntN(30)), []int64{100 * ms, 1000 * ms, 4000 * ms}[w.r.IntN(3)]}
	}
	if w.r.IntN(3) > 0 {
		l.Concurrency = 1 + w.r.IntN(20)
	}
	return l
}

// join begins a process.
func (w *world) join() {
	w.s = New(Config{Durable: true})
	for _, sc := range w.scopes {
		w.s.Configure(sc, w.limits[sc], w.now)
	}
	var states []Reservation
	for _, sc := range w.scopes {
		if body, ok := w.stored[sc]; ok {
			r, err := DecodeReservation(sc, body)
			if err != nil {
				panic(err)
			}
			states = append(states, r)
		}
	}
	w.s.Restore(states, w.now)
	for _, task := range w.tasks {
		w.s.Push(task, w.now)
	}
}

// die ends it; of the commit under way nobody knows whether it is durable.
func (w *world) die() {
	for _, c := range w.calls {
		if !c.lost {
			c.lost = true
			w.requeue(c.task)
		}
	}
	if w.commit != nil && w.r.IntN(2) == 0 {
		w.write()
	}
	w.commit, w.s = nil, nil
}

func (w *world) requeue(task Task) {
	w.tasks = append([]Task{task}, w.tasks...)
}

func (w *world) write() {
	w.writes++
	for i := range w.commit {
		w.stored[w.commit[i].Scope] = AppendReservation(nil, &w.commit[i])
	}
}

func (w *world) fill(most int) {
	for len(w.tasks) < most {
		w.seq++
		task := Task{
			Key: sagaKey(w.seq, Compensation), Target: Target{services[w.r.IntN(len(services))], Compensation},
			SagaType: types[w.r.IntN(len(types))], Tenant: tenants[w.r.IntN(len(tenants))], Class: Class(w.r.IntN(classes)),
		}
		w.tasks = append(w.tasks, task)
		if w.s != nil {
			w.s.Push(task, w.now)
		}
	}
}

// step does what is to be done now and returns when to come back.
func (w *world) step(delay int64) (next int64) {
	next = w.now + 1 + w.r.Int64N(50*ms)
	if w.still {
		next = Never
	}
	for i := 0; i < len(w.calls); i++ {
		c := w.calls[i]
		if !c.there && c.arrives <= w.now {
			c.there = true
			for _, sc := range scopesOf(c.task) {
				w.arrived[sc] = append(w.arrived[sc], c.arrives)
			}
		}
		if c.ended <= w.now {
			if !c.lost {
				f := Feedback{Outcome: Outcome(w.r.IntN(int(Fault))), Status: 429, Hint: ms}
				w.s.Done(c.grant, f, w.now)
				if f.Outcome == Throttled { // it is tried again
					c.task.Due = w.now + 20*ms
					w.requeue(c.task)
					w.s.Push(c.task, w.now)
				}
			}
			w.calls = slices.Delete(w.calls, i, i+1)
			i--
		}
	}
	if w.s != nil {
		next = min(next, w.act(delay))
	}
	for _, c := range w.calls {
		for _, at := range []int64{c.arrives, c.ended} {
			if at > w.now {
				next = min(next, at)
			}
		}
	}
	return next
}

// act has the process do what is to be done, and returns when it wants to again.
func (w *world) act(delay int64) (next int64) {
	next = Never
	if w.commit != nil && w.lands <= w.now {
		ok := w.r.IntN(10) > 0
		if ok {
			w.write()
		}
		w.s.Reserved(w.commit, ok, w.now)
		w.commit = nil
	}
	if w.express && w.r.IntN(20) == 0 && len(w.tasks) > 0 {
		task := w.tasks[w.r.IntN(len(w.tasks))]
		w.sentNow[task.Key] = w.s.SendNow(task, w.now)
	}
	for task, g, ok := w.s.Next(w.now); ok; task, g, ok = w.s.Next(w.now) {
		w.send(task, g, delay)
	}
	if w.commit == nil {
		if rs := w.s.Reservations(w.now, nil); len(rs) > 0 {
			w.commit, w.lands = rs, w.now+1+w.r.Int64N(20*ms)
		}
	}
	if w.commit != nil {
		next = min(next, w.lands)
	}
	if wake := w.s.Wake(); wake > w.now {
		next = min(next, wake)
	}
	return next
}

func (w *world) send(task Task, g Grant, delay int64) {
	i := slices.IndexFunc(w.tasks, func(t Task) bool { return t.Key == task.Key })
	w.tasks = slices.Delete(w.tasks, i, i+1)
	c := &wire{task: task, grant: g, arrives: w.now + w.r.Int64N(delay)}
	c.ended = c.arrives + 1 + w.r.Int64N(delay)
	w.calls = append(w.calls, c)
	at := w.now
	if w.sentNow[task.Key] {
		delete(w.sentNow, task.Key)
		at = -at // charged, whatever the pace says
	}
	for _, sc := range scopesOf(task) {
		w.granted[sc] = append(w.granted[sc], at)
	}
}

func scopesOf(task Task) []Scope {
	return []Scope{
		task.Target.Scope(), {Kind: ScopeSagaType, Name: task.SagaType},
		{Kind: ScopeTenant, Name: task.SagaType, Tenant: task.Tenant}, {Kind: ScopeAll},
	}
}

// crashes is a random world with random limits at every scope, and crashes.
func crashes(seed uint64) error {
	w := newWorld(seed)
	for _, sc := range w.scopes {
		l := w.draw()
		l.Adaptive = seed%4 == 1 && sc.Kind == ScopeCompensation
		w.limits[sc] = l
	}
	w.every = []int64{200 * ms, 2000 * ms, 100_000 * ms}[w.r.IntN(3)]
	if w.express = w.r.IntN(3) == 0; w.express { // a debt is not kept over a crash
		w.every = 100_000 * ms
	}
	delay := []int64{1, 10 * ms, 250 * ms}[w.r.IntN(3)]
	w.join()
	w.crash = w.now + w.r.Int64N(w.every)
	if w.express {
		w.crash = Never
	}
	for end := w.now + 12_000*ms; w.now < end; {
		w.fill(40)
		next := w.step(delay)
		if w.s != nil && w.now >= w.crash {
			w.die()
			w.crash = w.now + 1 + w.r.Int64N(300*ms)
		} else if w.s == nil && w.now >= w.crash {
			w.join()
			w.crash = w.now + 1 + w.r.Int64N(w.every)
		}
		w.now = next
		if err := w.sound(); err != nil {
			return err
		}
	}
	if err := w.judge(); err != nil || seed%5 > 0 {
		return err
	}
	return w.drain(delay)
}

// drain: without crashes everything goes, in the end, by the wakes alone.
func (w *world) drain(delay int64) error {
	if w.s == nil {
		w.join()
	}
	w.tasks, w.express, w.still = w.tasks[:min(len(w.tasks), 20)], false, true
	for _, sc := range w.scopes {
		w.granted[sc], w.arrived[sc] = nil, nil
	}
	w.die()
	w.join()
	for end := w.now + 3_600_000*ms; len(w.tasks) > 0; {
		next := w.step(delay)
		if next > end && len(w.tasks) > 0 {
			return fmt.Errorf("%d tasks wait for an hour; the first: %v", len(w.tasks), w.why())
		}
		w.now = next
	}
	return w.judge()
}

func TestLimitsHoldAcrossCrashes(t *testing.T) {
	seeds := uint64(300)
	if testing.Short() {
		seeds = 60
	}
	for seed := range seeds {
		if err := crashes(seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// crowd is a world of one service with the given limits whose process is killed
// every two seconds; it returns how many calls were granted while it was up.
func crowd(l Limits, seed uint64, last int64) (granted, writes int, up int64, err error) {
	w := newWorld(seed)
	for _, sc := range w.scopes {
		w.limits[sc] = Limits{Rate: Rate{N: Unlimited}, Concurrency: Unlimited}
	}
	payments := Target{services[0], Compensation}.Scope()
	w.limits[payments] = l
	w.join()
	began := w.now
	w.crash = w.now + 2000*ms
	for w.now < began+last {
		for len(w.tasks) < 300 {
			w.seq++
			task := Task{Key: sagaKey(w.seq, Compensation), Target: Target{services[0], Compensation}, SagaType: types[0]}
			w.tasks = append(w.tasks, task)
			w.s.Push(task, w.now)
		}
		next := w.step(20 * ms)
		if w.now >= w.crash {
			w.die()
			w.now += w.r.Int64N(50 * ms)
			w.join()
			w.crash = w.now + 2000*ms
		}
		w.now = max(w.now, next)
	}
	return len(w.granted[payments]), w.writes, w.now - began, w.judge()
}

// With a crash every two seconds the limits still carry what they promise.
func TestLimitsAreNotStarvedByCrashes(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits Limits
		ideal  float64 // calls per second
		least  float64 // part of them
		last   int64
	}{
		{"50 per second", Limits{Rate: PerSecond(50), Burst: 2, Concurrency: Unlimited}, 50, 0.90, 60_000 * ms},
		{"10 per second", Limits{Rate: PerSecond(10), Burst: 1}, 10, 0.80, 60_000 * ms},
		{"one per minute", Limits{Rate: Rate{1, 60_000 * ms}, Burst: 1}, 1.0 / 60, 0.7, 3_000_000 * ms},
		{"one per minute, burst 2", Limits{Rate: Rate{1, 60_000 * ms}, Burst: 2}, 1.0 / 60, 0.7, 3_000_000 * ms},
		{"a window of 100 in 10 seconds", Limits{Rate: Rate{N: Unlimited}, Window: Rate{100, 10_000 * ms}, Hold: hold, Concurrency: Unlimited}, 10, 0.75, 100_000 * ms},
		{"50 per second, and a window of 100 in 2 seconds", Limits{Rate: PerSecond(50), Burst: 1, Window: Rate{100, 2_000 * ms}, Hold: hold, Concurrency: Unlimited}, 50, 0.75, 60_000 * ms},
		{"a window of one in a minute", Limits{Rate: Rate{N: Unlimited}, Window: Rate{1, 60_000 * ms}, Hold: hold, Concurrency: Unlimited}, 1.0 / 60, 0.7, 3_000_000 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			granted, writes, up, err := crowd(c.limits, 1, c.last)
			if err != nil {
				t.Fatal(err)
			}
			part := float64(granted) / (c.ideal * float64(up) / 1e9)
			t.Logf("%d calls in %d s: %.1f%% of the limit, %.2f writes/s", granted, up/1e9, 100*part, float64(writes)*1e9/float64(up))
			if part < c.least {
				t.Errorf("%.1f%% of the limit, want %.0f%%", 100*part, 100*c.least)
			}
		})
	}
}
