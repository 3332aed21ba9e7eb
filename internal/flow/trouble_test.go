package flow

import (
	"fmt"
	"testing"
	"time"
)

// A lane before a service that works, fails and throttles in turns, with
// restarts: an open breaker sends nothing but its probes, one at a time; only
// a probe closes it, and then by a ramp; a 429 neither opens it nor keeps it
// open; a gate holds everybody, until an operator opens it; and in the end everything
// is done.
func TestALaneInTroubleKeepsItsPromises(t *testing.T) {
	for seed := range uint64(200) {
		if err := trouble(seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

type troubled struct {
	s      *Scheduler
	random func(n int64) int64
	now    int64
	out    []flying
	seq    uint64

	open             bool
	until, gate      int64
	closedAt, closed int64 // when it closed, and how many were granted in the 180 ms since
}

var troubledLane = Target{"payments", Compensation}

func trouble(seed uint64) error {
	limits := Limits{Rate: PerSecond(100), Burst: 3, Concurrency: 20, HintCap: 60 * second, Breaker: Breaker{Failures: 0.5, Minimum: 4, Open: 5 * second}}
	w := &troubled{s: New(Config{CompensationHeads: Unlimited}), random: splitmix(seed), now: 1000 * second}
	w.s.Configure(troubledLane.Scope(), limits, w.now)
	for range 600 {
		w.push(0)
	}
	mood := int64(0)
	for turn := range 4000 {
		if turn%100 == 0 {
			mood = w.random(4) // 0, 1: works, 2: fails, 3: throttles
		}
		if turn > 2000 {
			mood = 0
		}
		if len(w.out) == 0 && w.random(60) == 0 {
			states := []Reservation{{Scope: troubledLane.Scope(), Target: w.s.target(troubledLane, w.now).state(w.now)}}
			left := w.s.Snapshot(troubledLane.Scope(), w.now)
			w.s = New(Config{CompensationHeads: Unlimited})
			w.s.Configure(troubledLane.Scope(), limits, w.now)
			w.s.Restore(states, w.now)
			for range left.Ready + left.BackingOff {
				w.push(0)
			}
		}
		if turn%50 == 49 { // an operator opens the gate, and nothing else
			w.s.OpenGate(troubledLane, w.now)
			w.gate = 0
		}
		if err := w.grants(); err != nil {
			return err
		}
		if len(w.out) > 0 && (w.random(2) == 0 || w.s.Wake() == Never) {
			w.now += w.random(40 * ms)
			if err := w.answer(mood); err != nil {
				return err
			}
			continue
		}
		if at := w.s.Wake(); at != Never {
			w.now = max(w.now, min(at, w.now+second))
		} else if len(w.out) == 0 {
			break
		}
	}
	for deadline := w.now + 900*second; w.now < deadline; {
		if err := w.grants(); err != nil {
			return err
		}
		if len(w.out) > 0 {
			w.now += ms
			if err := w.answer(0); err != nil {
				return err
			}
		} else if at := w.s.Wake(); at == Never {
			break
		} else {
			w.now = max(w.now, at)
		}
	}
	if s := w.s.Snapshot(troubledLane.Scope(), w.now); s.Ready+s.BackingOff+s.InFlight > 0 {
		return fmt.Errorf("%d tasks wait although the service works: %s", s.Ready+s.BackingOff, w.s.ExplainTarget(troubledLane, w.now))
	}
	return nil
}

func (w *troubled) push(due int64) {
	w.seq++
	w.s.Push(Task{Key: sagaKey(w.seq, Compensation), Target: troubledLane, SagaType: types[w.seq%2], Due: due}, w.now)
}

func (w *troubled) grants() error {
	for {
		task, g, ok := w.s.Next(w.now)
		if !ok {
			return nil
		}
		if s := w.s.Snapshot(troubledLane.Scope(), w.now); s.Rate > s.Effective.Rate.Float() {
			return fmt.Errorf("%g/s goes, %g/s is configured", s.Rate, s.Effective.Rate.Float())
		}
		switch {
		case g.Probe != w.open:
			return fmt.Errorf("probe %v, breaker open %v", g.Probe, w.open)
		case w.open && w.now < w.until:
			return fmt.Errorf("a probe %s too early", time.Duration(w.until-w.now))
		case w.now < w.gate:
			return fmt.Errorf("granted %s before the gate opens", time.Duration(w.gate-w.now))
		}
		for _, o := range w.out {
			if g.Probe && o.grant.Probe {
				return fmt.Errorf("two probes at a time")
			}
		}
		if w.closedAt > 0 && w.now < w.closedAt+180*ms {
			if w.closed++; w.closed > 3 {
				return fmt.Errorf("%d calls in the first fifth of a second after the breaker closed", w.closed)
			}
		}
		w.out = append(w.out, flying{task, g})
	}
}

func (w *troubled) answer(mood int64) error {
	i := int(w.random(int64(len(w.out))))
	o := w.out[i]
	w.out = append(w.out[:i], w.out[i+1:]...)
	f := Feedback{Outcome: OK, Status: 200, Rand: uint64(w.random(1 << 40))}
	switch {
	case mood == 2 && w.random(4) > 0:
		f = Feedback{Outcome: Error, Status: 500, Rand: f.Rand}
		if w.random(3) == 0 {
			f.Status, f.Hint = 0, w.random(20*second)
		}
	case mood == 3 && w.random(4) > 0:
		f = Feedback{Outcome: Throttled, Status: 429, Hint: []int64{0, second, 3 * second}[w.random(3)]}
		if w.random(20) == 0 {
			f.Status, f.Hint = 503, []int64{0, second, 365 * 24 * 3600 * second}[w.random(3)]
		}
	}
	r := w.s.Done(o.grant, f, w.now)
	switch {
	case r.BreakerOpened && f.Outcome == Throttled:
		return fmt.Errorf("a 429 opened the breaker")
	case r.BreakerClosed && !o.grant.Probe:
		return fmt.Errorf("an answer to a call that was no probe closed the breaker")
	case o.grant.Probe && w.open && f.Outcome == Throttled && f.Status == 429 && !r.BreakerClosed:
		return fmt.Errorf("a 429 to the probe did not close the breaker")
	case r.Wait > 60*second:
		return fmt.Errorf("a wait of %s", time.Duration(r.Wait))
	}
	if r.BreakerOpened || w.open && o.grant.Probe && f.Outcome == Error {
		w.open, w.until, w.closedAt = true, w.now+max(f.Hint, 4*second), 0
	}
	if r.BreakerClosed {
		w.open, w.closedAt, w.closed = false, w.now, 0
	}
	if r.Gated {
		w.gate = max(w.gate, w.now+r.Wait)
	}
	if f.Outcome != OK {
		w.push(w.now + max(r.Wait, second))
	}
	return nil
}

// splitmix returns the generator of a seed.
func splitmix(seed uint64) func(n int64) int64 {
	return func(n int64) int64 {
		if n <= 0 {
			return 0
		}
		seed += 0x9e3779b97f4a7c15
		z := (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return int64((z ^ z>>31) % uint64(n))
	}
}

// drained: an adaptive lane takes what a gateway bears, and little more, also of
// one that counts calls in windows and does not say so.
func drained(seed uint64) error {
	st := storm{rtt: roundTrips[seed%3], limits: unknown, length: time.Minute, seed: seed, gateway: &tokens{rate: steady, burst: 6}}
	least, most := 0.97, 0.01
	if seed%4 == 3 {
		st.gateway, st.noHint = later{&windowed{limit: 500, width: 10 * second}, int64(seed) * 1_700 * ms}, true
		least, most = 0.9, 0.02
	}
	st.jitter = st.rtt / 100
	o := st.run(failing{})
	if e := float64(o.accepted) / (50 * st.length.Seconds()); e < least || o.rejectedShare() > most {
		return fmt.Errorf("efficiency %.1f%%, rejected %.2f%%", 100*e, 100*o.rejectedShare())
	}
	return nil
}

// heeded: a lane far too fast for a gateway is slowed down by its RateLimit headers.
func heeded(seed uint64) error {
	window := &windowed{limit: 500, width: 10 * second}
	l := wide
	l.Adaptive = false
	ahead := int64(seed) * 70 * ms
	st := storm{rtt: roundTrips[seed%3], limits: l, length: time.Minute, seed: seed, gateway: later{window, ahead}}
	st.feedback = func(f *Feedback, at int64) {
		reset := (window.window+1)*window.width - at - ahead
		f.Quota = Quota{Remaining: int64(window.limit - window.taken), Reset: max(1, (reset+second-1)/second) * second}
	}
	o := st.run(failing{})
	if e := float64(o.accepted) / (50 * st.length.Seconds()); e < 0.9 || o.rejectedShare() > 0.01 {
		return fmt.Errorf("efficiency %.1f%%, rejected %.2f%%", 100*e, 100*o.rejectedShare())
	}
	return nil
}

// failing fails a storm by a panic: its caller is no test.
type failing struct{}

func (failing) Helper()                           {}
func (failing) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func TestRateLimitHeadersSlowALaneDown(t *testing.T) {
	for seed := range uint64(6) {
		if err := heeded(seed); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

func TestAShortDrainReachesItsFigures(t *testing.T) {
	for seed := range uint64(12) {
		if err := drained(seed); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}
