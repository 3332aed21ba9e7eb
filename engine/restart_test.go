package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

// patient gives calls time, so that they are out when the engine is dropped.
func patient(cfg *engine.Config) {
	both(cfg, func(p *unwind.Participant) { p.Timeout, p.Settle = 20*unwind.Second, unwind.Second })
}

// attempts is the attempt numbers that a path was called with.
func (w *world) attempts(path string) string {
	var n []int
	for _, r := range w.script.Calls(path) {
		n = append(n, r.Attempt)
	}
	return fmt.Sprint(n)
}

// Scenario 21, and its like for every state that a saga can be in: the engine is
// dropped without a word and opened anew on the same file.
func TestASagaInEveryStateSurvivesACrash(t *testing.T) {
	def := func(change func(*unwind.Definition)) unwind.Definition {
		d := placeOrder()
		if change != nil {
			change(&d)
		}
		return d
	}
	// Longer than it takes to see the state and to drop the engine.
	const long = 3
	slow := &unwind.Retry{Initial: long * unwind.Second, Multiplier: 1, Max: long * unwind.Second, Attempts: 5}
	undo := func(s *stage, id string) *unwind.CompensationInstance { return s.step(id, "charge").Compensation }
	for _, c := range []struct {
		name, script string
		def          unwind.Definition
		before       func(*stage, string) // waits for the state
		mended       map[string]string    // what answers differently afterwards
		after        func(*stage, string)
		end          unwind.Status
		calls        string
		path         string // whose attempts are
		attempts     string
	}{
		{name: "a call is out", script: "charge:never", def: def(nil),
			before: func(s *stage, _ string) { s.called("/charge", 1) },
			mended: map[string]string{"/charge": "200"},
			end:    unwind.Completed, calls: "reserve charge*2 ship", path: "/charge", attempts: "[1 1]"},
		{name: "a call waits to be tried again", script: "charge:500,200", def: def(func(d *unwind.Definition) { d.Retry = slow }),
			before: func(s *stage, id string) {
				s.until("the charge has not failed", func() bool { return s.step(id, "charge").Error != nil })
			},
			end: unwind.Completed, calls: "reserve charge*2 ship", path: "/charge", attempts: "[1 2]"},
		{name: "a call is throttled", script: "charge:429+2,200", def: def(nil),
			before: func(s *stage, id string) {
				s.until("the charge is not throttled", func() bool { return s.step(id, "charge").Throttled == 1 })
			},
			end: unwind.Completed, calls: "reserve charge*2 ship", path: "/charge", attempts: "[1 1]"},
		{name: "an asynchronous call is awaited", script: "charge:202", def: def(func(d *unwind.Definition) { d.Steps[1].Action.Async = true }),
			before: func(s *stage, id string) {
				s.until("the charge is not awaited", func() bool { return s.step(id, "charge").Status == unwind.StepAwaiting })
			},
			after: func(s *stage, id string) {
				if err := s.Complete(s.t.Context(), s.step(id, "charge").CallToken, unwind.Completion{Outcome: "done"}); err != nil {
					s.t.Error(err)
				}
			},
			end: unwind.Completed, calls: "reserve charge ship"},
		{name: "a signal is awaited", def: withSignal(unwind.Hour),
			before: func(s *stage, id string) {
				s.until("nobody is waited for", func() bool { return s.step(id, "approve").Status == unwind.StepAwaiting })
			},
			after: func(s *stage, id string) {
				if _, err := s.Signal(s.t.Context(), id, unwind.SignalRequest{Name: "approve", Data: json.RawMessage("true")}); err != nil {
					s.t.Error(err)
				}
			},
			end: unwind.Completed, calls: "reserve charge ship"},
		{name: "an uncertain call settles", script: "charge:500", def: def(func(d *unwind.Definition) { d.Retry = &unwind.Retry{Attempts: 1} }),
			before: func(s *stage, id string) {
				s.until("the charge has not failed", func() bool { return s.step(id, "charge").Error != nil })
			},
			end: unwind.Compensated, calls: "reserve charge refund release"},
		{name: "a compensation is out", script: "ship:409 refund:never", def: def(nil),
			before: func(s *stage, _ string) { s.called("/refund", 1) },
			mended: map[string]string{"/refund": "200"},
			end:    unwind.Compensated, calls: "reserve charge ship refund*2 release", path: "/refund", attempts: "[1 1]"},
		{name: "a compensation waits to be tried again", script: "ship:409 refund:500,200", def: def(func(d *unwind.Definition) { d.CompensationRetry = slow }),
			before: func(s *stage, id string) {
				s.until("the refund has not failed", func() bool { return undo(s, id).Error != nil })
			},
			end: unwind.Compensated, calls: "reserve charge ship refund*2 release", path: "/refund", attempts: "[1 2]"},
		{name: "an asynchronous compensation is awaited", script: "ship:409 refund:202", def: def(func(d *unwind.Definition) { d.Steps[1].Compensation.Async = true }),
			before: func(s *stage, id string) {
				s.until("the refund is not awaited", func() bool { return undo(s, id).Status == unwind.CompensationAwaiting })
			},
			after: func(s *stage, id string) {
				if err := s.Complete(s.t.Context(), undo(s, id).CallToken, unwind.Completion{Outcome: "done"}); err != nil {
					s.t.Error(err)
				}
			},
			end: unwind.Compensated, calls: "reserve charge ship refund release"},
		{name: "a compensation is dead", script: "ship:409 refund:422", def: def(nil),
			before: func(s *stage, id string) { s.rest(id) },
			mended: map[string]string{"/refund": "200"},
			after:  replayMended,
			end:    unwind.Compensated, calls: "reserve charge ship refund release refund"},
		{name: "a pivot is a forward dead letter", script: "ship:409", def: pivot(placeOrder()),
			before: func(s *stage, id string) { s.rest(id) },
			mended: map[string]string{"/ship": "200"},
			after:  replayMended,
			end:    unwind.Completed, calls: "reserve charge ship*2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, c.def, c.script, func(cfg *engine.Config) {
				patient(cfg)
				both(cfg, func(p *unwind.Participant) { p.Settle = long * unwind.Second })
			})
			id := s.begin("o-1")
			c.before(s, id)
			s.drop()
			for path, answer := range c.mended {
				s.script.On(path, answerOf(answer))
			}
			s.open()
			if c.after != nil {
				c.after(s, id)
			}
			s.until("it does not rest as "+string(c.end), func() bool { return s.rest(id).Status == c.end })
			if got := s.calls(); got != c.calls {
				t.Errorf("the calls were\n%s, not\n%s", got, c.calls)
			}
			if got := s.attempts(c.path); c.path != "" && got != c.attempts {
				t.Errorf("the attempts of %s were %s, not %s", c.path, got, c.attempts)
			}
			s.bodies()
			again, created, err := s.Start(t.Context(), unwind.StartRequest{Saga: "place-order", Key: "o-1", Input: json.RawMessage(`{"order":1}`)})
			if err != nil || created || again.ID != id {
				t.Errorf("the key began %+v, created %v, error %v", again, created, err)
			}
		})
	}
}

// replayMended replays the one dead letter there is.
func replayMended(s *stage, _ string) {
	list, err := s.DeadLetters(s.t.Context(), unwind.DeadLetterFilter{State: unwind.DeadLetterOpen})
	if err != nil || len(list.Items) != 1 {
		s.t.Fatalf("the dead letters are %+v, error %v", list.Items, err)
	}
	if _, err := s.Replay(s.t.Context(), list.Items[0].ID, unwind.ReplayRequest{Reason: "mended"}); err != nil {
		s.t.Error(err)
	}
}

// Scenario 25: once, on time; also where it is longer than a node remembers.
func TestADelayOverARestartFiresOnceOnTime(t *testing.T) {
	for _, wait := range []unwind.Duration{400 * unwind.Millisecond, 7 * unwind.Second} {
		t.Run(wait.String(), func(t *testing.T) {
			t.Parallel()
			if testing.Short() && wait > unwind.Second {
				t.Skip("a delay beyond the horizon takes its 7 s; make race waits for it")
			}
			def := placeOrder()
			def.Steps = slices.Insert(def.Steps, 2, unwind.Step{Name: "wait", Kind: unwind.DelayStep, For: wait})
			s := newStage(t, def, "", nil)
			id := s.begin("o-1")
			s.until("the delay has not begun", func() bool { return s.step(id, "wait").StartedAt != nil })
			begun := s.step(id, "wait").StartedAt.Time
			s.crash()
			opened := time.Now()
			s.until("it is not at rest", func() bool {
				inst, err := s.Get(t.Context(), id)
				return err == nil && inst.Status == unwind.Completed
			})
			fired, due := s.called("/ship", 1)[0].At, begun.Add(wait.Std())
			if due.Before(opened) {
				due = opened // how long a crash takes is the machine's
			}
			if late := fired.Sub(due); fired.Before(begun.Add(wait.Std())) || late > 5*time.Second {
				t.Errorf("it fired %s late", late)
			}
			if s.calls() != "reserve charge ship" {
				t.Errorf("the calls were %s", s.calls())
			}
		})
	}
}

// A wall clock that was set back between two processes makes no delay and no retry longer.
func TestAClockThatWasSetBackMakesNoWaitLonger(t *testing.T) {
	for name, words := range map[string]string{"a delay": "", "a retry": "ship:500,200"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			def := placeOrder()
			waits := "wait"
			if words == "" {
				def.Steps = slices.Insert(def.Steps, 2, unwind.Step{Name: waits, Kind: unwind.DelayStep, For: 2 * unwind.Second})
			} else {
				waits = "ship"
				def.Steps[2].Retry = &unwind.Retry{Initial: 2 * unwind.Second, Max: 2 * unwind.Second}
			}
			s := newStage(t, def, words, nil)
			id := s.begin("o-1")
			s.until("nothing waits", func() bool {
				return s.step(id, waits).StartedAt != nil && (words == "" || len(s.script.Calls("/ship")) > 0 && s.step(id, waits).Attempts > 0)
			})
			for _, back := range []time.Duration{time.Hour, 2 * time.Hour} {
				s.cfg.Clock = func() time.Time { return time.Now().Add(-back) }
				s.crash()
			}
			s.until("it is not at rest", func() bool {
				inst, err := s.Get(t.Context(), id)
				return err == nil && inst.Status == unwind.Completed
			})
		})
	}
}

func TestAPausedLaneStaysPausedOverACrash(t *testing.T) {
	s := newStage(t, placeOrder(), "ship:409", nil)
	if _, err := s.Control(t.Context(), refundLane(true, "the bank is closed")); err != nil {
		t.Fatal(err)
	}
	ids := s.beginMany(30)
	queued := func() {
		for _, id := range ids {
			s.until("its refund is not queued", func() bool {
				return s.step(id, "charge").Compensation.Status == unwind.CompensationQueued
			})
		}
	}
	queued()
	s.crash()
	queued()
	if n := len(s.script.Calls("/refund")); n != 0 {
		t.Fatalf("%d refunds through a paused lane", n)
	}
	if _, err := s.Control(t.Context(), refundLane(false, "the bank is open")); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if inst := s.rest(id); inst.Status != unwind.Compensated {
			t.Errorf("it rests as %s", inst.Status)
		}
	}
	s.crash()
	services, err := s.Participants(t.Context())
	if err != nil || services[0].Lanes.Compensation.Paused != nil {
		t.Errorf("it is paused again: %+v, error %v", services, err)
	}
}

// Compensations beyond the heads are rows. All of them drain, at no more than the
// rate, over a crash in the middle, and memory holds only the heads.
func TestQueuedCompensationsBeyondTheHeadsDrain(t *testing.T) {
	t.Parallel()
	n, rate := 10_000, int64(2500)
	if testing.Short() || raceDetector {
		n = 1500
	}
	s := newStage(t, placeOrder(), "ship:409", func(cfg *engine.Config) {
		both(cfg, func(p *unwind.Participant) {
			p.Timeout = 20 * unwind.Second
			p.Compensation = unwind.Limits{Rate: unwind.PerSecond(rate), Concurrency: 64}
		})
	})
	if _, err := s.Control(t.Context(), refundLane(true, "the bank is closed")); err != nil {
		t.Fatal(err)
	}
	s.beginMany(n)
	depth := func() (ready int) {
		services, err := s.Participants(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return services[0].Lanes.Compensation.Depth.Ready
	}
	s.reaches("those that are queued", n, depth)
	stats, err := s.Stats(t.Context())
	if err != nil || stats.ActiveSagas > 2000 {
		t.Errorf("%d sagas are in memory, error %v", stats.ActiveSagas, err)
	}
	if _, err := s.Control(t.Context(), refundLane(false, "the bank is open")); err != nil {
		t.Fatal(err)
	}
	s.called("/refund", n/3)
	s.crash()
	s.reaches("those that are drained", n, func() int {
		stats, err := s.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if stats.ActiveSagas > 2000 {
			t.Errorf("%d sagas are in memory", stats.ActiveSagas)
		}
		return int(stats.Sagas[unwind.Compensated])
	})
	perSecond := map[int64]int64{}
	keys := map[string]int{}
	for _, r := range s.script.Calls("/refund") {
		perSecond[r.At.Unix()]++
		keys[r.Key]++
	}
	for second, calls := range perSecond {
		if calls > rate+rate/5 {
			t.Errorf("%d refunds within second %d", calls, second)
		}
	}
	if len(keys) != n {
		t.Errorf("%d sagas were refunded", len(keys))
	}
}
