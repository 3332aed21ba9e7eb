package flow

import (
	"fmt"
	"testing"
)

// killed is a lane before a gateway whose process dies after so many ns or up to twice
// as many. It returns what was accepted per second and refused per accepted after the first
// ten seconds.
func killed(seed uint64, gateway gatewayModel, limits Limits, lives, end int64) (perSecond, refused float64) {
	random := splitmix(seed)
	target := Target{"payments", Compensation}
	const begin, warm = 1000 * second, 10 * second
	var stored []byte
	saga, taken, not := uint64(0), 0, 0
	for now := begin; now < begin+end; {
		s := New(Config{Durable: true})
		s.Configure(target.Scope(), limits, now)
		if stored != nil {
			r, err := DecodeReservation(target.Scope(), stored)
			if err != nil {
				panic(err)
			}
			s.Restore([]Reservation{r}, now)
		}
		fresh := func() {
			saga++
			s.Push(Task{Key: sagaKey(saga, Compensation), Target: target, SagaType: "order"}, now)
		}
		for range 100 {
			fresh()
		}
		for dies := min(now+lives+random(lives), begin+end); now < dies; now += ms - now%ms {
			for task, g, ok := s.Next(now); ok; task, g, ok = s.Next(now) {
				f := Feedback{Outcome: OK, Status: 200}
				free, wait := gateway.take(now - begin)
				if !free {
					f = Feedback{Outcome: Throttled, Status: 429, Hint: max(1, (wait+second-1)/second) * second}
				}
				r := s.Done(g, f, now)
				if free {
					fresh()
				} else {
					task.Due = now + r.Wait + random(second)
					s.Push(task, now)
				}
				switch {
				case now < begin+warm:
				case free:
					taken++
				default:
					not++
				}
			}
			rs := s.Reservations(now, nil)
			for i := range rs {
				stored = AppendReservation(nil, &rs[i])
			}
			s.Reserved(rs, true, now)
		}
	}
	return float64(taken) / float64((end-warm)/second), float64(not) / float64(taken)
}

// killedOften is a lane far below its limit, before a gateway of 50/s.
func killedOften(seed uint64) (perSecond, refused float64) {
	return killed(seed, &tokens{rate: steady, burst: 6}, Limits{Rate: PerSecond(2000), Concurrency: 50, Adaptive: true}, 2*second, 70*second)
}

// kept: a lane that is killed again and again goes on from what it had found.
func kept(seed uint64) error {
	if rate, refused := killedOften(seed); rate < 38 || refused > 0.03 {
		return fmt.Errorf("%.1f/s of 50/s taken, %.1f%% refused", rate, 100*refused)
	}
	return nil
}

func TestAFoundRateIsKeptOverCrashes(t *testing.T) {
	for seed := range uint64(5) {
		rate, refused := killedOften(seed)
		t.Logf("seed %d: %.1f/s of 50/s taken, %.2f%% refused", seed, rate, 100*refused)
		if err := kept(seed); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// A lane beside others that dies every minute or so: the more careful it is, the less it wins
// from them.
func TestACarefulLaneIsCarefulAfterARestart(t *testing.T) {
	var perSecond, refused, lost spread
	for seed := range uint64(6) {
		gateway := besideOthers(seed)
		n, r := killed(seed, gateway, unknown, 40*second, 1200*second)
		perSecond.add(n)
		refused.add(r)
		lost.add(float64(gateway.refused) / float64(gateway.n))
	}
	t.Logf("%.1f/s of 10/s taken, %.2f%% refused, of the others %.1f%%", perSecond.mean(), 100*refused.mean(), 100*lost.mean())
	if perSecond.mean() < 9 || refused.mean() > 0.003 || lost.mean() > 0.025 {
		t.Error("want 9/s, 0.3% refused, of the others 2.5%")
	}
}

func TestWhatIsInVainIsKnownAfterARestart(t *testing.T) {
	var perSecond spread
	for seed := range uint64(12) {
		n, _ := killed(seed, besideMany(2, seed), unknown, 40*second, 1200*second)
		perSecond.add(n)
	}
	if t.Logf("%.2f/s taken (least %.2f/s)", perSecond.mean(), perSecond.least); perSecond.mean() < 1.6 {
		t.Error("want 1.6/s")
	}
}

func TestWhatOthersUseIsReadAsItWasWritten(t *testing.T) {
	lane := func(careful bool, least, usual int64) *adaptive {
		return &adaptive{on: true, rate: 8 * perCall, peak: 10 * perCall, limit: 500 * perCall, careful: careful, vain: vain{least: least, usual: usual}}
	}
	starting := lane(true, 0, 0)
	starting.peak = 0
	for _, c := range []struct {
		name         string
		body         []byte
		careful      bool
		least, usual int64
	}{
		{"careful", lane(true, 0, 0).encode(), true, 0, 0},
		{"not careful", lane(false, 0, 0).encode(), false, 0, 0},
		{"cuts are in vain", lane(false, 6*perCall, perCall/5).encode(), false, 6 * perCall, perCall / 5},
		{"beyond what may be", lane(false, 2*fastest, perCall).encode(), false, fastest, vainMost},
		{"above a limit of now", lane(false, 30*perCall, perCall/5).encode(), false, 30 * perCall, perCall / 5},
		{"slow start has not ended", starting.encode(), false, 0, 0},
		{"of an earlier release", []byte{1, 2, 2, 0}, false, 0, 0},
	} {
		var a adaptive
		a.limited(true, 20*perCall)
		begun := a.rate
		if a.restore(c.body); a.rate == begun {
			t.Errorf("%s: it was not read", c.name)
		}
		if a.careful != c.careful || a.vain.least != c.least || a.vain.usual != c.usual || a.vain.share != c.usual {
			t.Errorf("%s: careful %v, no cut below %d, a share of %d", c.name, a.careful, a.vain.least, a.vain.usual)
		}
	}
}

// It begins lower than it was, never above what is configured by then, and with an
// empty bucket; what can't be read says nothing.
func TestAFoundRateBeginsLow(t *testing.T) {
	found := (&adaptive{on: true, rate: 50 * perCall, peak: 55 * perCall, limit: 500 * perCall}).encode()
	for _, c := range []struct {
		name     string
		limit    int64
		adaptive bool
		body     []byte
		want     float64
	}{
		{"as it was", 500, true, found, 38.5},
		{"lower limit", 20, true, found, 20},
		{"not adaptive", 500, false, found, 0},
		{"nothing", 500, true, nil, 500.0 / firstShare},
		{"cut off", 500, true, found[:len(found)-1], 500.0 / firstShare},
		{"another version", 500, true, append([]byte{9}, found[1:]...), 500.0 / firstShare},
		{"a rate beyond everything", 500, true, append([]byte{1, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, 0, 0), 500},
	} {
		s := New(Config{Durable: true})
		target := Target{"payments", Compensation}
		now := 100 * second
		s.Configure(target.Scope(), Limits{Rate: PerSecond(c.limit), Adaptive: c.adaptive}, now)
		s.Restore([]Reservation{{Scope: target.Scope(), Until: now, Target: TargetState{Adaptive: c.body}}}, now)
		snap := s.Snapshot(target.Scope(), now)
		if snap.Adaptive != c.want {
			t.Errorf("%s: the rate is %g/s, want %g", c.name, snap.Adaptive, c.want)
		}
		if at := s.target(target, now).pace.eligible(); snap.Adaptive > 0 && at < now {
			t.Errorf("%s: the first call may go %d ns before the restart", c.name, now-at)
		}
	}
}

// A limit that an operator lowers for a while takes nothing of what was found, over a
// restart meanwhile either.
func TestALimitForAWhileLeavesWhatWasFound(t *testing.T) {
	found := (&adaptive{on: true, rate: perCall, peak: 40 * perCall, limit: perCall}).encode()
	var a adaptive
	a.limited(true, perCall)
	a.restore(found)
	if a.rate != perCall {
		t.Errorf("under the limit the rate is %d", a.rate)
	}
	a.limited(true, 400*perCall)
	now := 100 * second
	a.last = now
	for number := uint64(1); now < 110*second; number++ {
		now += interval(a.rate)
		a.worked(number, false, 5*ms, now)
	}
	if a.rate < 38*perCall {
		t.Errorf("ten seconds after the limit was lifted the rate is %d millionths", a.rate)
	}
}

// The end of a drain does not go back to a peak that slow start has left behind.
func TestAnEndOfADrainKeepsWhatSlowStartHasFound(t *testing.T) {
	a := adaptive{on: true, slow: true, rate: 200 * perCall, peak: 2 * perCall, limit: 400 * perCall, last: 100 * second}
	a.worked(1, true, 5*ms, 100*second+interval(a.rate))
	if a.rate != 200*perCall {
		t.Errorf("the rate is %d millionths", a.rate)
	}
}
