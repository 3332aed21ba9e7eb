package flow

import (
	"math"
	"testing"
	"time"
)

// A gatewayModel says whether a service takes a call that arrives at a time,
// and how long it would have to wait if not.
type gatewayModel interface {
	take(at int64) (ok bool, wait int64)
}

// tokens is a token bucket whose rate may change over time; rejections may
// cost a part of a token.
type tokens struct {
	rate  func(at int64) float64 // calls per second
	burst float64
	cost  float64 // of a rejection, in tokens

	level float64
	at    int64
}

func (b *tokens) take(at int64) (bool, int64) {
	r := b.rate(at)
	b.level = math.Min(b.burst, b.level+r*float64(at-b.at)/1e9)
	b.at = at
	if b.level >= 1 {
		b.level--
		return true, 0
	}
	wait := int64((1 - b.level) / r * 1e9)
	b.level = math.Max(0, b.level-b.cost)
	return false, wait
}

// windowed takes so many calls in each window of its own clock.
type windowed struct {
	limit int
	width int64

	window int64
	taken  int
}

func (w *windowed) take(at int64) (bool, int64) {
	if n := at / w.width; n != w.window {
		w.window, w.taken = n, 0
	}
	if w.taken < w.limit {
		w.taken++
		return true, 0
	}
	return false, (w.window+1)*w.width - at
}

func steady(int64) float64 { return 50 }

// A storm is a backlog without end in one lane before one gateway.
type storm struct {
	gateway  gatewayModel
	rtt      time.Duration
	jitter   time.Duration // of one way, at most
	noHint   bool
	limits   Limits
	length   time.Duration
	seed     uint64
	feedback func(f *Feedback, at int64)              // optional
	tasks    int                                      // 0: a backlog without end
	open     int                                      // of the tasks are there at once, each answer brings another; 0: all
	late     bool                                     // one call in two hundred is up to 4 ms late
	down     func(at int64) (f Feedback, after int64) // optional: answers what arrives while the service is down, so much later
}

// outcome is what a storm came to.
type outcome struct {
	accepted, rejected int
	perSecond          []int   // accepted
	rate               []int64 // the adaptive rate at the end of each second
	took               int64   // ns until the last of the tasks was accepted
}

func (o outcome) rejectedShare() float64 { return float64(o.rejected) / float64(o.accepted) }

type event struct {
	at    int64
	grant Grant
	task  Task
	// arrived: the answer comes back with these.
	arrived, ok bool
	wait        int64
	failed      Feedback
}

// run plays the storm in virtual time.
func (st storm) run(t failer) (o outcome) {
	t.Helper()
	const begin = int64(1000) * second
	s := New(Config{CompensationHeads: Unlimited})
	target := Target{"payments", Compensation}
	s.Configure(target.Scope(), st.limits, begin)
	random := splitmix(st.seed)
	saga := uint64(0)
	fresh := func(now int64) {
		saga++
		s.Push(Task{Key: sagaKey(saga, Compensation), Target: target, SagaType: "order"}, now)
	}
	late := func() int64 {
		if !st.late || random(200) > 0 {
			return 0
		}
		return random(4 * ms)
	}
	now, first := begin, int64(0) // first: when the first call arrives
	backlog := 500
	if st.tasks > 0 {
		backlog = st.tasks
	}
	if st.open > 0 {
		backlog = st.open
	}
	for range backlog {
		fresh(now)
	}
	var todo heap
	var events []event
	plan := func(e event) {
		events = append(events, e)
		todo.set(int32(len(events)-1), e.at, uint64(len(events)))
	}
	seconds := int(st.length / time.Second)
	o.perSecond, o.rate = make([]int, seconds), make([]int64, seconds)
	end := begin + int64(st.length)
	for now < end {
		for {
			task, g, ok := s.Next(now)
			if !ok {
				break
			}
			plan(event{at: now + int64(st.rtt)/2 + random(int64(st.jitter)) + late(), grant: g, task: task})
		}
		next := s.Wake()
		if next <= todo.top().at {
			if next == Never {
				t.Fatalf("the lane waits for nothing")
			}
			now = next
			continue
		}
		e := events[todo.top().id]
		todo.remove(todo.top().id)
		now = e.at
		if now >= end {
			break
		}
		if !e.arrived {
			e.arrived = true
			if first == 0 {
				first = now
			}
			after := int64(0)
			if st.down != nil {
				e.failed, after = st.down(now - first)
			}
			if e.failed.Outcome == Dropped {
				e.ok, e.wait = st.gateway.take(now - begin)
			}
			e.at = now + after + int64(st.rtt)/2 + random(int64(st.jitter))
			plan(e)
			continue
		}
		f := Feedback{Outcome: OK, Status: 200}
		switch {
		case e.failed.Outcome != Dropped:
			f = e.failed
			f.Rand = uint64(random(1 << 40))
			if f.Ends > 0 {
				f.Ends = now + 2*second
			}
		case !e.ok:
			f = Feedback{Outcome: Throttled, Status: 429}
			if !st.noHint {
				f.Hint = max(1, (e.wait+second-1)/second) * second
			}
		}
		if st.feedback != nil {
			st.feedback(&f, now-begin)
		}
		r := s.Done(e.grant, f, now)
		at := int((now - begin) / second)
		o.rate[at] = s.target(target, now).adaptive.rate
		if e.ok {
			o.accepted++
			o.perSecond[at]++
			if st.tasks == 0 || int(saga) < st.tasks {
				fresh(now)
			}
			if o.took = now - first; o.accepted == st.tasks {
				return o
			}
			continue
		}
		o.rejected++
		e.task.Due = now + r.Wait + random(second)
		s.Push(e.task, now)
	}
	return o
}

// The lane's limit is far above what the gateways bear.
var wide = Limits{Rate: PerSecond(500), Concurrency: 50, Adaptive: true}

var roundTrips = []time.Duration{5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond}

// seeds moves the gateways' clocks and the jitter of the network.
const seeds = 5

// spread is a figure over several runs.
type spread struct{ sum, least, most, n float64 }

func (s *spread) add(x float64) {
	if s.n == 0 {
		s.least, s.most = x, x
	}
	s.sum, s.n = s.sum+x, s.n+1
	s.least, s.most = min(s.least, x), max(s.most, x)
}

func (s *spread) mean() float64 { return s.sum / s.n }

// The figures of a steady capacity of 50/s over two minutes from an empty
// start, with and without Retry-After.
func TestTheAdaptiveRateReachesItsFigures(t *testing.T) {
	for _, c := range []struct {
		name                 string
		gateway              func() gatewayModel
		efficiency, rejected float64 // the figures to reach
	}{
		{"burst 6", func() gatewayModel { return &tokens{rate: steady, burst: 6} }, 0.98, 0.01},
		{"burst 1", func() gatewayModel { return &tokens{rate: steady, burst: 1} }, 0.92, 0.01},
		{"fixed window 10 s", func() gatewayModel { return &windowed{limit: 500, width: 10 * second} }, 0.93, 0.015},
		{"a rejection costs half", func() gatewayModel { return &tokens{rate: steady, burst: 6, cost: 0.5} }, 0.97, 0.01},
	} {
		for _, rtt := range roundTrips {
			for _, noHint := range []bool{false, true} {
				var efficiency, rejected spread
				for seed := range uint64(seeds) {
					st := storm{rtt: rtt, jitter: rtt / 100, noHint: noHint, limits: wide, length: 2 * time.Minute, seed: seed}
					st.gateway = later{c.gateway(), int64(seed) * 1_700 * ms}
					o := st.run(t)
					efficiency.add(float64(o.accepted) / (50 * st.length.Seconds()))
					rejected.add(o.rejectedShare())
				}
				t.Logf("%-22s rtt %-4s Retry-After %-5v  efficiency %.1f%% (least %.1f%%), rejected %.2f%% of accepted (most %.2f%%)", c.name, rtt, !noHint,
					100*efficiency.mean(), 100*efficiency.least, 100*rejected.mean(), 100*rejected.most)
				if efficiency.mean() < c.efficiency || rejected.mean() > c.rejected {
					t.Errorf("%s, rtt %s: want an efficiency of %.1f%% and %.1f%% rejected", c.name, rtt, 100*c.efficiency, 100*c.rejected)
				}
			}
		}
	}
}

// later is a gateway whose clock is ahead.
type later struct {
	gatewayModel
	by int64
}

func (l later) take(at int64) (bool, int64) { return l.gatewayModel.take(at + l.by) }

// The figures of a capacity of 50, then 10, then 50/s, a minute each.
func TestTheAdaptiveRateFollowsTheCapacity(t *testing.T) {
	for _, c := range []struct{ burst, efficiency, rejected float64 }{{6, 0.94, 0.01}, {1, 0.88, 0.01}} {
		for _, rtt := range roundTrips {
			var efficiency, rejected, down, up spread
			for seed := range uint64(2 * seeds) {
				fall := 60*second + int64(seed)*700*ms
				rate := func(at int64) float64 {
					if at >= fall && at < fall+60*second {
						return 10
					}
					return 50
				}
				st := storm{rtt: rtt, jitter: rtt / 100, noHint: seed%2 > 0, limits: wide, length: 3 * time.Minute, seed: seed}
				st.gateway = &tokens{rate: rate, burst: c.burst}
				o := st.run(t)
				efficiency.add(float64(o.accepted) / (50*120 + 10*60))
				rejected.add(o.rejectedShare())
				down.add(o.until(fall, func(at int) bool { return o.rate[at] <= 12*perCall }))
				up.add(o.until(fall+60*second, func(at int) bool { return o.perSecond[at] >= 45 }))
			}
			t.Logf("50-10-50 burst %g rtt %-4s  efficiency %.1f%% (least %.1f%%), rejected %.2f%% of accepted (most %.2f%%), down %.1f s (most %.1f s), up %.1f s (most %.1f s)", c.burst, rtt,
				100*efficiency.mean(), 100*efficiency.least, 100*rejected.mean(), 100*rejected.most, down.mean(), down.most, up.mean(), up.most)
			if efficiency.mean() < c.efficiency || rejected.mean() > c.rejected || down.most > 3 || up.most > 20 {
				t.Errorf("burst %g, rtt %s: want an efficiency of %.1f%% and %.1f%% rejected, down in 3 s, up in 20 s", c.burst, rtt, 100*c.efficiency, 100*c.rejected)
			}
		}
	}
}

// until returns the seconds from a time to the end of the first second in
// which it is so.
func (o outcome) until(from int64, so func(at int) bool) float64 {
	for at := int(from / second); at < len(o.perSecond); at++ {
		if so(at) {
			return float64(int64(at+1)*second-from) / float64(second)
		}
	}
	return math.Inf(1)
}

// Rejections that cost the gateway half a unit bring a lane down that only
// waits for its hints: the figures above are not the gateway's kindness.
func TestWithoutAnAdaptiveRateTheGatewayCollapses(t *testing.T) {
	naive := wide
	naive.Adaptive = false
	st := storm{rtt: 20 * time.Millisecond, noHint: true, limits: naive, length: time.Minute}
	st.gateway = &tokens{rate: steady, burst: 6, cost: 0.5}
	o := st.run(t)
	efficiency := float64(o.accepted) / (50 * st.length.Seconds())
	t.Logf("not adaptive: efficiency %.1f%%, rejected %.0f%% of accepted", 100*efficiency, 100*o.rejectedShare())
	if efficiency > 0.5 {
		t.Errorf("the efficiency is %.1f%%", 100*efficiency)
	}
}

// A lane that has nothing to send learns nothing, so that its next backlog
// does not begin with a burst of calls that nobody has asked for.
func TestAnIdleLaneLearnsNothing(t *testing.T) {
	s := New(Config{})
	target := Target{"payments", Compensation}
	s.Configure(target.Scope(), wide, 0)
	call := func(n uint64, now int64) {
		s.Push(Task{Key: sagaKey(n, Compensation), Target: target}, now)
		if _, g, ok := s.Next(now); ok {
			s.Done(g, Feedback{Outcome: OK, Status: 200}, now)
		}
	}
	for n := range uint64(60) {
		call(n, int64(n+1)*60*second)
	}
	if a := s.Snapshot(target.Scope(), 3600*second).Adaptive; a != wide.Rate.Float()/firstShare {
		t.Errorf("the rate is %g/s", a)
	}
}
