package engine

import (
	"context"
	"encoding/json"
	"math"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// A livelane is a lane that an operation's calls go through, as it stands.
type livelane struct {
	laneName
	state unwind.LaneState
}

// held says what keeps the lane from sending; empty: nothing for long.
func (l *livelane) held() string {
	switch {
	case l.state.Paused != nil:
		return "paused by " + pausedBy(l.state.Paused)
	case len(l.state.Held) > 0 && l.state.Held[0].Scope.Kind == unwind.ScopeGlobal:
		return "all compensations are paused by " + pausedBy(&l.state.Held[0].LanePause)
	case l.state.Breaker.State == "open":
		return "the breaker is open"
	}
	return ""
}

func pausedBy(p *unwind.LanePause) string {
	if p.Until != nil {
		return p.By + " until " + p.Until.Format("15:04:05.000Z") + ": " + p.Reason
	}
	return p.By + ": " + p.Reason
}

func (e *Engine) lanesOf(ctx context.Context, x *errand) ([]livelane, error) {
	if len(x.Lanes) == 0 {
		return nil, nil
	}
	services, err := e.Participants(ctx)
	if err != nil {
		return nil, err
	}
	lanes := make([]livelane, len(x.Lanes))
	for i, name := range x.Lanes {
		lanes[i].laneName = name
		if state := laneOf(services, name.Service, name.Dir); state != nil {
			lanes[i].state = *state
		}
	}
	return lanes, nil
}

// pace is the rate at which items are taken up, per second: what was asked for,
// but no more than the lanes that send may send together. Nil: nothing bounds it.
func pace(asked *unwind.Rate, lanes []livelane) *float64 {
	sum, bounded := 0.0, len(lanes) > 0
	for i := range lanes {
		switch r := lanes[i].state.Rate.Effective; {
		case lanes[i].held() != "":
		case r == nil:
			bounded = false
		default:
			sum += *r
		}
	}
	if asked != nil {
		if n := asked.CallsPerSecond(); !bounded || n < sum {
			return &n
		}
	}
	if !bounded {
		return nil
	}
	return &sum
}

// remaining is how long it takes until items are done, in ms, of which so many are to be
// taken up at a pace yet and so many are being called, where all that waits in their lanes
// goes first. Nil: nobody can tell, because a lane that has work sends nothing or nothing
// bounds it, or because all that waits in it backs off.
func remaining(pace *float64, queued, called int64, lanes []livelane, now machine.Micros) *int64 {
	if pace == nil || *pace <= 0 {
		return nil
	}
	longest := float64(queued) / *pace
	ahead, sum, bounded := int64(0), 0.0, true
	for i := range lanes {
		l := &lanes[i].state
		waits := l.Depth.Ready + l.Depth.BackingOff
		if waits > 0 && (lanes[i].held() != "" || len(l.Held) > 0 || l.Depth.Ready == 0) {
			return nil
		}
		ahead += int64(waits)
		switch r := l.Rate.Effective; {
		case lanes[i].held() != "":
		case r == nil:
			bounded = false
		default:
			through := *r * (1 - l.Throttled - l.Failed)
			if through <= 0 && waits > 0 {
				return nil
			}
			sum += through
			if waits > 0 {
				longest = max(longest, closedFor(l, now)+float64(waits)/through)
			}
		}
	}
	if work := queued + max(ahead, called); bounded && work > 0 && len(lanes) > 0 {
		if sum <= 0 {
			return nil
		}
		longest = max(longest, float64(work)/sum)
	}
	if longest == 0 && called > 0 {
		return nil
	}
	ms := int64(math.Ceil(min(longest*1000, math.MaxInt32)))
	return &ms
}

// closedFor is how long a lane's gate is closed for still, in seconds.
func closedFor(l *unwind.LaneState, now machine.Micros) float64 {
	if l.Gate == nil {
		return 0
	}
	return max(0, float64(l.Gate.Until.UnixMicro()-int64(now))/1e6)
}

// heldUp says why none of the lanes sends; empty: one does.
func heldUp(lanes []livelane) string {
	text := ""
	for i := range lanes {
		held := lanes[i].held()
		if held == "" {
			return ""
		}
		text = "the lane of " + lanes[i].Service + ": " + held
	}
	return text
}

// operation is a stored operation as users see it, counted now.
func (e *Engine) operation(ctx context.Context, op *store.Operation) (*unwind.Operation, error) {
	x, err := errandOf(op)
	if err != nil {
		return nil, err
	}
	items, err := e.recentItems(ctx, op)
	if err != nil {
		return nil, err
	}
	counts := sumItems(items, x)
	out := &unwind.Operation{
		ID: operationName(op.ID), Kind: x.Kind, State: unwind.OperationState(op.State), Selection: x.Selection, Counts: counts,
		Rate: x.Rate, Canary: x.Canary, Auto: x.Auto, CanaryPassed: x.Canary == 0 || x.Passed, Paused: x.Paused,
		AmountAtRisk: json.RawMessage(x.Amount), By: x.By, Reason: x.Reason,
		CreatedAt: unwind.TimeFromMicros(x.BegunAt), UpdatedAt: unwind.TimeFromMicros(op.At),
	}
	if x.EndedAt > 0 {
		t := unwind.TimeFromMicros(x.EndedAt)
		out.EndedAt = &t
		return out, nil
	}
	lanes, err := e.lanesOf(ctx, x)
	if err != nil {
		return nil, err
	}
	out.EffectiveRate, out.WaitingFor = pace(x.Rate, lanes), heldUp(lanes)
	for i := range lanes {
		out.Throttled = max(out.Throttled, lanes[i].state.Throttled)
	}
	if op.State == store.OperationRunning && out.WaitingFor == "" {
		out.EstimateMS = remaining(out.EffectiveRate, counts.Queued, counts.Replaying, lanes, e.clock.now())
	}
	return out, nil
}

// sumItems sums up what became of the items. What was skipped when the selection was
// frozen counts as skipped.
func sumItems(counts []store.ItemCount, x *errand) unwind.OperationCounts {
	c := unwind.OperationCounts{SkippedWhy: map[string]int64{}}
	for why, n := range x.Left {
		c.Skipped += n
		c.Total += n
		c.SkippedWhy[why] += n
	}
	for _, n := range counts {
		c.Total += n.Items
		if planted.On(planted.CountSkipped) && n.Outcome == store.ItemSkipped {
			n.Outcome = store.ItemSucceeded
		}
		switch n.Outcome {
		case store.ItemQueued:
			c.Queued += n.Items
		case store.ItemRunning:
			c.Replaying += n.Items
		case store.ItemSucceeded:
			c.Succeeded += n.Items
		case store.ItemFailed:
			c.FailedAgain += n.Items
		case store.ItemSkipped:
			c.Skipped += n.Items
			c.SkippedWhy[n.Why] += n.Items
		}
	}
	return c
}
