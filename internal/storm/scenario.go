package storm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/gateway"
)

// A Spec is a gateway model in words.
type Spec struct {
	Capacity  string `json:"capacity"`
	Burst     int    `json:"burst"`
	Window    string `json:"window"`
	Rejection string `json:"rejection"` // what a rejected call uses up
	Hint      string `json:"hint"`
	Takes     string `json:"takes"` // how long a call takes
}

// A Scenario is a storm.
type Scenario struct {
	Name  string
	About string
	Spec  Spec
	// Sagas of Undos refunds each.
	Sagas, Undos int

	model   func(unit time.Duration) (gateway.Model, error)
	hint    gateway.Hint
	latency time.Duration // of each call, beside what the model says
	takes   time.Duration // what an undisturbed call takes at the gateway
	persist bool          // calls whose caller went away are carried out
	// The lane as it is configured.
	limits      unwind.Limits
	breaker     unwind.Breaker
	timeout     unwind.Duration
	keyLifetime int // units; zero: for ever

	changes    []change      // of the lane's rate, by an operator
	steps      []step        // of the machine's clock, each while the engine is restarted
	foreground float64       // other calls per second through the same gateway
	killEvery  time.Duration // the engine is a process, killed with -9
	patience   int           // units: how long the drain is watched at most
	few        int           // sagas of a quick run

	goals   []goal
	compare *comparison // two loads side by side, in place of the one
}

// A change of the lane's rate, in calls per second, so many units after the
// storm was let loose.
type change struct {
	at   int
	rate int64
}

// A scale is what makes a quick run quick: shorter times and fewer sagas.
type scale struct {
	unit  time.Duration // what stands for a second in models and in the control's backoff
	quick bool
}

func scaleOf(quick bool) scale {
	if quick {
		return scale{unit: 100 * time.Millisecond, quick: true}
	}
	return scale{unit: time.Second}
}

func (s scale) sagas(sc *Scenario) int {
	if s.quick {
		return sc.few
	}
	return sc.Sagas
}

// watched is how long a drain is watched at most, from its first refund on.
func (s scale) watched(sc *Scenario) time.Duration {
	if s.quick {
		return 3 * time.Second
	}
	return time.Duration(sc.patience) * s.unit
}

// Names lists the scenarios in their order.
func Names() []string {
	all := Scenarios()
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	return names
}

// Check reports a name that is no scenario's.
func Check(names []string) error {
	_, err := choose(names)
	return err
}

// choose finds scenarios by name; none are all.
func choose(names []string) ([]Scenario, error) {
	all := Scenarios()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []Scenario
	for _, name := range names {
		i := slices.IndexFunc(all, func(sc Scenario) bool { return sc.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no storm %q; there is %s", name, strings.Join(Names(), ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// bucket is a model of one rate.
func bucket(rate float64, burst int) func(time.Duration) (gateway.Model, error) {
	return func(time.Duration) (gateway.Model, error) { return gateway.NewTokenBucket(rate, burst) }
}

// inPhases is a model of phases whose times are counted in units.
func inPhases(o gateway.PhasesOptions) func(time.Duration) (gateway.Model, error) {
	return func(unit time.Duration) (gateway.Model, error) {
		scaled := o
		scaled.Cycle = units(o.Cycle, unit)
		scaled.Phases = slices.Clone(o.Phases)
		for i := range scaled.Phases {
			scaled.Phases[i].From = units(o.Phases[i].From, unit)
		}
		return gateway.NewPhases(scaled)
	}
}

// units turns a time that counts units into one.
func units(n, unit time.Duration) time.Duration { return time.Duration(int64(n) * int64(unit)) }
