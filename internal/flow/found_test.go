package flow

import (
	"fmt"
	"testing"
)

// killed is a lane before a gateway of 50/s, far below its limit, whose process dies
// every two seconds or so. It returns what was accepted per second and refused per
// accepted after the first ten seconds.
func killed(seed uint64) (perSecond, refused float64) {
	random := splitmix(seed)
	limits := Limits{Rate: PerSecond(2000), Concurrency: 50, Adaptive: true}
	target := Target{"payments", Compensation}
	gateway := &tokens{rate: steady, burst: 6}
	const begin, warm, end = 1000 * second, 10 * second, 70 * second
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
		for range 500 {
			saga++
			s.Push(Task{Key: sagaKey(saga, Compensation), Target: target, SagaType: "order"}, now)
		}
		for dies := now + 2*second + random(second); now < dies; now += ms - now%ms {
			for task, g, ok := s.Next(now); ok; task, g, ok = s.Next(now) {
				f := Feedback{Outcome: OK, Status: 200}
				free, wait := gateway.take(now - begin)
				if !free {
					f = Feedback{Outcome: Throttled, Status: 429, Hint: max(1, (wait+second-1)/second) * second}
				}
				r := s.Done(g, f, now)
				if !free {
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

// kept: a lane that is killed again and again goes on from what it had found.
func kept(seed uint64) error {
	if rate, refused := killed(seed); rate < 38 || refused > 0.03 {
		return fmt.Errorf("%.1f/s of 50/s taken, %.1f%% refused", rate, 100*refused)
	}
	return nil
}

func TestAFoundRateIsKeptOverCrashes(t *testing.T) {
	for seed := range uint64(5) {
		rate, refused := killed(seed)
		t.Logf("seed %d: %.1f/s of 50/s taken, %.2f%% refused", seed, rate, 100*refused)
		if err := kept(seed); err != nil {
			t.Errorf("seed %d: %v", seed, err)
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
