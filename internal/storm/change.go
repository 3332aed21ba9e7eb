package storm

import (
	"context"
	"fmt"
	"time"

	"github.com/unwindhq/unwind"
)

// A reign is the time in which limits are in force.
type reign struct {
	from   time.Time
	limits unwind.Limits
}

// settles is how long a change may take until it is in force.
const settles = time.Second

// operate makes the changes when their time comes. stop returns the limits that
// were in force: lower ones from a second after the answer on, higher ones from
// when they were asked for.
func (r *run) operate(ctx context.Context, sc *Scenario, s asked) (stop func() ([]reign, error)) {
	reigns := []reign{{time.Now(), sc.limits}}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		done <- func() error {
			begin := time.Now()
			for _, c := range sc.changes {
				timer := time.NewTimer(time.Until(begin.Add(units(time.Duration(c.at), r.unit))))
				select {
				case <-timer.C:
				case <-ctx.Done():
					timer.Stop()
					return nil
				}
				before := reigns[len(reigns)-1].limits
				next := reign{time.Now(), before}
				next.limits.Rate = unwind.PerSecond(c.rate)
				if _, err := s.Control(ctx, unwind.ControlRequest{
					Scope: unwind.Scope{Kind: unwind.ScopeCompensation, Name: payments}, Limits: &unwind.LimitsChange{Rate: &next.limits.Rate},
					Reason: "a storm changes its mind", Actor: "storm",
				}); err != nil && ctx.Err() == nil {
					return fmt.Errorf("storm: changing the rate: %w", err)
				}
				if c.rate < before.Rate.Calls {
					next.from = time.Now().Add(settles)
				}
				reigns = append(reigns, next)
			}
			return nil
		}()
	}()
	return func() ([]reign, error) {
		cancel()
		err := <-done
		return reigns, err
	}
}

// overReigns is the overshoot of every reign by itself, and of the most that
// ever was allowed over all of the time.
func overReigns(at []time.Time, reigns []reign, stood time.Duration) float64 {
	most := 0.0
	over := func(at []time.Time, l unwind.Limits) {
		if len(at) > 0 {
			most = max(most, overRate(at, l)-l.Rate.CallsPerSecond()*stood.Seconds(), overWindow(at, l))
		}
	}
	highest := unwind.Limits{}
	for i, r := range reigns {
		if r.limits.Rate.CallsPerSecond() >= highest.Rate.CallsPerSecond() {
			highest = r.limits
		}
		var mine []time.Time
		for _, t := range at {
			if !t.Before(r.from) && (i == len(reigns)-1 || t.Before(reigns[i+1].from)) {
				mine = append(mine, t)
			}
		}
		if i == 0 { // also what came before the storm was told to have begun
			for j, t := range at {
				if !t.Before(r.from) {
					mine = append(at[:j:j], mine...)
					break
				}
			}
		}
		over(mine, r.limits)
	}
	over(at, highest)
	return most
}
