package gateway_test

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind/internal/gateway"
)

func phases(t testing.TB, o gateway.PhasesOptions) *gateway.Phases {
	t.Helper()
	p, err := gateway.NewPhases(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const ms = time.Millisecond

func TestPhasesChangeTheRateWithTheTime(t *testing.T) {
	p := phases(t, gateway.PhasesOptions{Phases: []gateway.Phase{{Rate: 10}, {From: time.Second, Rate: 1, Took: ms}, {From: 2 * time.Second, Rate: 10}}})
	// At 1.5 s half a token has come since the border, and the rest takes half a second.
	got := play(p, 0, 0, 1000*ms, 1500*ms, 2000*ms, 2050*ms, 2100*ms)
	if want := "ok 100ms ok 500ms ok 50ms ok "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if p.Capacity(1500*ms) != 1 || p.Capacity(time.Hour) != 10 {
		t.Error("the capacity is not that of the phase")
	}
	if p.Takes(1500*ms) != ms || p.Takes(time.Hour) != 0 {
		t.Error("a call does not take what it takes in the phase")
	}
}

func TestAPhaseWithoutARateBearsNothing(t *testing.T) {
	down := gateway.Phase{From: 5 * time.Second}
	p := phases(t, gateway.PhasesOptions{Phases: []gateway.Phase{{Rate: 10}, down}, Cycle: 10 * time.Second})
	start := time.Unix(1000, 0)
	p.Arrive(start, 0)
	if v := p.Arrive(start.Add(7*time.Second), 0); v.Status != http.StatusServiceUnavailable || v.Wait != 3*time.Second {
		t.Errorf("down: %+v", v)
	}
	if v := p.Arrive(start.Add(10*time.Second), 0); !v.Borne() {
		t.Errorf("up again: %+v", v)
	}
	down.Fate = gateway.Hung
	p = phases(t, gateway.PhasesOptions{Phases: []gateway.Phase{{Rate: 10}, down}})
	p.Arrive(start, 0)
	if v := p.Arrive(start.Add(7*time.Second), 0); v.Borne() || v.Fate != gateway.Hung || v.Status != 0 || v.Wait != 0 {
		t.Errorf("down for ever: %+v", v)
	}
}

func TestARejectionUsesUpWhatItCosts(t *testing.T) {
	p := phases(t, gateway.PhasesOptions{Phases: []gateway.Phase{{Rate: 10}}, Penalty: 0.5})
	// Each call before its time puts off the next by half a call.
	got := play(p, 0, 50*ms, 100*ms, 150*ms, 200*ms, 300*ms)
	if want := "ok 100ms 100ms 100ms 100ms ok "; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAnswersGetLostAfterTheirEffect(t *testing.T) {
	p := phases(t, gateway.PhasesOptions{Phases: []gateway.Phase{{Rate: 1000}}, Burst: 10, LoseEvery: 3})
	got := ""
	for i := range 6 {
		v := p.Arrive(time.Unix(1000, int64(i)), 0)
		got += fmt.Sprint(v.Borne(), v.Fate, " ")
	}
	if want := "true 0 true 0 true 1 true 0 true 0 true 1 "; got != want {
		t.Errorf("got %s", got)
	}
}

func TestPhasesBearNoMoreThanTheirCapacityAndBurst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := gateway.PhasesOptions{Burst: rapid.IntRange(1, 10).Draw(t, "burst"), Penalty: rapid.Float64Range(0, 1).Draw(t, "penalty")}
		from := time.Duration(0)
		for range rapid.IntRange(1, 4).Draw(t, "phases") {
			o.Phases = append(o.Phases, gateway.Phase{From: from, Rate: float64(rapid.IntRange(0, 100).Draw(t, "rate"))})
			from += time.Duration(rapid.IntRange(1, 3000).Draw(t, "length")) * ms
		}
		if rapid.Bool().Draw(t, "cycle") {
			o.Cycle = from
		}
		p, err := gateway.NewPhases(o)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Unix(1000, 0)
		at, capacity, borne := time.Duration(0), 0.0, 0
		for range rapid.IntRange(1, 200).Draw(t, "calls") {
			if p.Arrive(start.Add(at), 0).Borne() {
				borne++
			}
			if float64(borne) > float64(o.Burst)+capacity+1e-6 {
				t.Fatalf("%d calls were borne up to %v, and the capacity was %v", borne, at, capacity)
			}
			for range rapid.IntRange(0, 500).Draw(t, "gap") {
				capacity += p.Capacity(at) * ms.Seconds()
				at += ms
			}
		}
	})
}

func TestPhasesMustFollowEachOther(t *testing.T) {
	for name, o := range map[string]gateway.PhasesOptions{
		"none":       {},
		"late":       {Phases: []gateway.Phase{{From: 1}}},
		"backwards":  {Phases: []gateway.Phase{{}, {From: 2}, {From: 1}}},
		"past cycle": {Phases: []gateway.Phase{{}, {From: 2}}, Cycle: 2},
		"negative":   {Phases: []gateway.Phase{{Rate: -1}}},
	} {
		if _, err := gateway.NewPhases(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestACrowdDoesLessTheMoreItHasToDo(t *testing.T) {
	c, err := gateway.NewCrowd(4, 80*ms, 4)
	if err != nil {
		t.Fatal(err)
	}
	if c.Capacity(0) != 50 || c.Takes(0) != 80*ms {
		t.Errorf("capacity %v, a call takes %v", c.Capacity(0), c.Takes(0))
	}
	rate := func(n int) float64 { return float64(n) / c.Arrive(time.Unix(1000, 0), n-1).Took.Seconds() }
	if rate(4) != 50 || math.Round(rate(2)) != 25 || rate(10) > 4 || rate(10) >= rate(5) {
		t.Errorf("calls per second at 2, 4, 5, 10 in flight: %v %v %v %v", rate(2), rate(4), rate(5), rate(10))
	}
	if _, err := gateway.NewCrowd(0, 1, 1); err == nil {
		t.Error("a crowd without a knee was taken")
	}
}

func TestNonsenseIsWhatNoClientShouldBelieve(t *testing.T) {
	now := time.Unix(1000, 0)
	got := ""
	for n := range int64(5) {
		got += gateway.Nonsense(n, now, time.Second) + "|"
	}
	if want := "0|-30|Wed, 31 Dec 1969 23:16:40 GMT|soon™| |"; got != want {
		t.Errorf("got %s", got)
	}
	if gateway.AYear(7, now, time.Second) != "31536000" {
		t.Error("a year is not a year")
	}
}
