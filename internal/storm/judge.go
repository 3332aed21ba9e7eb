package storm

import (
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/gateway"
)

// An Outcome is what one side came to, as the gateway counted.
type Outcome struct {
	// Owed refunds: made, made more than once (each time beyond the first), still
	// being tried at the end, dead letters, and lost: missing, and nobody tries.
	Owed       int `json:"owed"`
	Done       int `json:"done"`
	Duplicated int `json:"duplicated"`
	Left       int `json:"left"`
	Dead       int `json:"dead_letters"`
	Lost       int `json:"lost"`
	// Accepted and Rejected calls; one that got no answer for no effect is rejected.
	Accepted int `json:"accepted"`
	Rejected int `json:"rejected"`
	// Drain is from the first arrival to the last refund; where refunds are left,
	// to the end of the watch.
	Drain      unwind.Duration `json:"drain"`
	Efficiency float64         `json:"efficiency"` // ideal time for what was done, by Drain
	// Overshoot is the most calls beyond the configured limit, in any window. Of
	// a rate it is what the gateway's standing still does not explain.
	Overshoot float64 `json:"overshoot"`
	// Stood is for how long the gateway stood still, at most.
	Stood unwind.Duration `json:"stood_still"`
	Kills int             `json:"kills,omitempty"`

	curve curve
}

// Drained reports whether nothing is missing.
func (o *Outcome) Drained() bool { return o.Done == o.Owed }

// RejectedPerAccepted is 0 where nothing was accepted or rejected.
func (o *Outcome) RejectedPerAccepted() float64 {
	return float64(o.Rejected) / float64(max(o.Accepted, 1))
}

// evidence is what a run leaves behind.
type evidence struct {
	arrivals []gateway.Arrival
	refunds  []effect
	owed     map[string]int                       // refunds by saga
	standing map[string]unwind.Status             // by saga
	ended    time.Time                            // of the watch
	reigns   []reign                              // of the lane's limits
	capacity func(at time.Duration) float64       // that is left to the engine
	takes    func(at time.Duration) time.Duration // a call, until it has its effect
	burst    int
	kills    int
	stood    time.Duration // for so long the gateway did not run, at most
}

func judge(e *evidence) Outcome {
	o := Outcome{Kills: e.kills, Stood: unwind.Duration(e.stood)}
	var undos []time.Time
	for i := range e.arrivals {
		a := &e.arrivals[i]
		if !a.Compensation {
			continue
		}
		undos = append(undos, a.At)
		if a.Borne {
			o.Accepted++
		} else {
			o.Rejected++
		}
	}
	done := map[string]int{}
	for c, n := range once(e.refunds) {
		o.Done++
		o.Duplicated += n - 1
		done[c.saga]++
	}
	for saga, n := range e.owed {
		o.Owed += n
		missing := n - done[saga]
		switch e.standing[saga] {
		case unwind.Running, unwind.Compensating:
			o.Left += missing
		case unwind.DeadLettered:
			o.Dead += missing
		default: // done, as the engine has it, or unknown to it
			o.Lost += missing
		}
	}
	if len(undos) == 0 {
		return o
	}
	first, last := undos[0], e.ended
	if o.Drained() {
		last = e.refunds[len(e.refunds)-1].at
	}
	o.Drain = unwind.Duration(last.Sub(first))
	if last.After(first) {
		o.Efficiency = e.ideal(o.Done).Seconds() / last.Sub(first).Seconds()
	}
	o.Overshoot = overReigns(undos, e.reigns, e.stood)
	o.curve = draw(e, first, last)
	return o
}

// ideal is the least time from the first of n calls to the effect of the last one; an
// hour at most. Of no call it is 0.
func (e *evidence) ideal(n int) time.Duration {
	const step = time.Millisecond
	if n == 0 {
		return 0
	}
	at, bearable := time.Duration(0), float64(max(e.burst, 1))
	for ; bearable < float64(n)-1e-9; at += step {
		if at >= time.Hour {
			return time.Hour
		}
		bearable += e.capacity(at) * step.Seconds()
	}
	return at + e.takes(at)
}

// overRate is the most calls by which any window of the arrivals, of whatever
// length, has more than the rate times its length and the burst. Less than one
// call is the unevenness of a network that delivers one call sooner than the
// other.
func overRate(at []time.Time, limits unwind.Limits) float64 {
	rate := limits.Rate.CallsPerSecond()
	if rate == 0 {
		return 0
	}
	burst := float64(limits.Burst)
	if burst == 0 {
		burst = unwind.DefaultBurst
	}
	// The calls from i to j are over by (j-i+1) - burst - rate*(t[j]-t[i]).
	most, least := 0.0, 0.0
	for j, t := range at {
		credit := float64(j) - rate*t.Sub(at[0]).Seconds()
		least = min(least, credit)
		most = max(most, credit-least+1-burst)
	}
	return most
}

// overWindow is the most calls by which any span of the configured window's
// length has more than its count.
func overWindow(at []time.Time, limits unwind.Limits) float64 {
	if limits.Window.IsZero() {
		return 0
	}
	most := 0.0
	for i, j := 0, 0; j < len(at); j++ {
		for at[j].Sub(at[i]) >= limits.Window.Per.Std() {
			i++
		}
		most = max(most, float64(j-i+1)-float64(limits.Window.Calls))
	}
	return most
}
