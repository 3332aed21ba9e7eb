package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/unwindhq/unwind"
)

// An Incident is a storm that takes a bad turn: orders that are paid are all
// refused, and while their refunds go through the payments gateway a bad version
// of payments is deployed, which refuses refunds for good. Call its methods in
// their order.
type Incident struct {
	Service unwind.Service
	Troupe  *Troupe
	Sink    *Sink
	// Orders of [Undeliverable].
	Orders []Order
	// Say is told what happens, in a line each; Watch, from Strike on, again and
	// again how the refunds go.
	Say   func(format string, args ...any)
	Watch func(Drain)

	begin time.Time
}

// A Drain is how the refunds stand.
type Drain struct {
	Elapsed            time.Duration
	Owed, Refunded     int
	StillCharged       int64 // cents
	Accepted, Rejected int   // refund calls so far, as the gateway counts
	DeadLetters        int64
	Lane               unwind.LaneState // of refunds
}

// A Situation is what a person is woken with.
type Situation struct {
	Orders       int   `json:"orders"`
	StillCharged int   `json:"still_charged"`
	ChargedCents int64 `json:"still_charged_cents"`
	// DeadLetters were refused for good, with RiskCents at risk; Waiting are behind
	// the lane, which has paused itself.
	DeadLetters int64    `json:"dead_letters"`
	RiskCents   int64    `json:"amount_at_risk_cents"`
	Waiting     int      `json:"waiting"`
	Error       string   `json:"error"`
	Group       string   `json:"group"`
	Alerts      []string `json:"alerts"` // that fire
	Commands    []string `json:"commands"`
}

// Reason is what the operator is told, and writes into the audit.
const Reason = "rollback"

// Prepare has every order reserved and paid, and none shipped.
func (in *Incident) Prepare(ctx context.Context) error {
	if err := in.pause(ctx, true, "the carrier asks to wait"); err != nil {
		return err
	}
	reqs := make([]unwind.StartRequest, 0, len(in.Orders))
	for i := range in.Orders {
		input, err := json.Marshal(&in.Orders[i])
		if err != nil {
			return fmt.Errorf("writing order %s: %w", in.Orders[i].OrderID, err)
		}
		reqs = append(reqs, unwind.StartRequest{Saga: Definition().Name, Key: in.Orders[i].OrderID, Input: input})
	}
	results, err := in.Service.StartBatch(ctx, reqs)
	if err != nil {
		return fmt.Errorf("placing the orders: %w", err)
	}
	for i := range results {
		if results[i].Err != nil {
			return fmt.Errorf("placing order %s: %w", reqs[i].Key, results[i].Err)
		}
	}
	return in.until(ctx, giveUp, func(d *Drain) bool { return d.Owed == len(in.Orders) })
}

// Strike has every order refused, and half-way through the refunds a bad version
// deployed. It returns when the lane of refunds has paused itself, nothing is in
// flight, the alerts are there, and the version is rolled back.
func (in *Incident) Strike(ctx context.Context) (*Situation, error) {
	half := len(in.Orders) / 2
	if err := in.Troupe.Deploy(ctx, Version{Unknown: in.Orders[0].Currency, After: int64(half)}); err != nil {
		return nil, err
	}
	in.begin = time.Now()
	if err := in.pause(ctx, false, "the carrier answers again"); err != nil {
		return nil, err
	}
	in.Say("shipping refuses all of them: %d refunds are owed", len(in.Orders))
	if err := in.until(ctx, giveUp, func(d *Drain) bool { return d.Refunded >= half }); err != nil {
		return nil, err
	}
	in.Say("payments deploys a new version, which has forgotten a currency")
	var last Drain
	err := in.until(ctx, giveUp, func(d *Drain) bool {
		last = *d
		return d.Lane.Paused != nil && d.Lane.InFlight == 0 || d.Refunded == d.Owed
	})
	if err == nil && last.Refunded == last.Owed {
		err = errors.New("every refund went through, the new version of payments was not live: was the process killed?")
	}
	if err == nil {
		err = in.Sink.WaitFor(ctx, unwind.AlertDeadLetter, unwind.AlertLaneGuard)
	}
	if err != nil {
		return nil, err
	}
	groups, err := in.Service.DeadLetterGroups(ctx, unwind.GroupFilter{State: unwind.DeadLetterOpen, Service: Payments})
	if err != nil {
		return nil, fmt.Errorf("reading the dead letters: %w", err)
	}
	if len(groups.Items) != 1 {
		return nil, fmt.Errorf("the dead letters have %d causes; there should be one", len(groups.Items))
	}
	g := &groups.Items[0]
	var risk int64
	if err := json.Unmarshal(g.AmountAtRisk, &risk); err != nil {
		return nil, fmt.Errorf("reading what the dead letters put at risk: %w", err)
	}
	in.Say("the payments team hears of the alert, and rolls its version back")
	if err := in.Troupe.Deploy(ctx, Version{}); err != nil {
		return nil, err
	}
	return &Situation{
		Orders: len(in.Orders), StillCharged: last.Owed - last.Refunded, ChargedCents: last.StillCharged, DeadLetters: g.Open, RiskCents: risk,
		Waiting: last.Owed - last.Refunded - int(g.Open), Error: fmt.Sprintf("%d %s", g.Error.Status, g.Error.Message), Group: g.Group, Alerts: in.Sink.Firing(),
	}, nil
}

// Recover waits until every order is undone and no dead letter is left: an
// operator has brought the money back.
func (in *Incident) Recover(ctx context.Context) error {
	in.begin = time.Now()
	return in.until(ctx, 0, func(d *Drain) bool {
		if d.DeadLetters > 0 || d.Refunded < d.Owed {
			return false
		}
		stats, err := in.Service.Stats(ctx)
		return err == nil && stats.Sagas[unwind.Compensated] == int64(len(in.Orders))
	})
}

// pause holds or frees the orders before shipping.
func (in *Incident) pause(ctx context.Context, paused bool, reason string) error {
	_, err := in.Service.Control(ctx, unwind.ControlRequest{Scope: unwind.Scope{Kind: unwind.ScopeForward, Name: Shipping}, Paused: &paused, Reason: reason})
	if err != nil {
		return fmt.Errorf("pausing the calls of shipping: %w", err)
	}
	return nil
}

const (
	// lookTime bounds one look at how the refunds stand. After tellBlind without one it
	// is said why; after giveUp what waits for it ends, where no person is waited for.
	lookTime  = 5 * time.Second
	tellBlind = 10 * time.Second
	giveUp    = time.Minute
)

// until looks again and again until it is so. What can't be seen right now, as while
// payments is away, is looked at again, for so long; 0: for ever.
func (in *Incident) until(ctx context.Context, patience time.Duration, so func(*Drain) bool) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	seen, told := time.Now(), false
	for {
		d, err := in.look(ctx)
		blind := time.Since(seen)
		switch {
		case err == nil:
			seen, told = time.Now(), false
			if !in.begin.IsZero() {
				in.Watch(d)
			}
			if so(&d) {
				return nil
			}
		case ctx.Err() != nil:
		case patience > 0 && blind >= patience:
			return fmt.Errorf("looking how the refunds stand, in vain for %s: %w; see the logs in %s", blind.Round(time.Second), err, in.Troupe.options.Dir)
		case blind >= tellBlind && !told:
			told = true
			in.Say("how the refunds stand can't be seen for %s: %v", blind.Round(time.Second), err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (in *Incident) look(ctx context.Context) (d Drain, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	books, err := in.Troupe.Payments(ctx)
	if err != nil {
		return d, err
	}
	states, err := in.Service.Participants(ctx)
	if err != nil {
		return d, fmt.Errorf("reading the lanes: %w", err)
	}
	stats, err := in.Service.Stats(ctx)
	if err != nil {
		return d, fmt.Errorf("reading the counts of sagas: %w", err)
	}
	d = Drain{Elapsed: time.Since(in.begin), Owed: int(books.Charges), Refunded: int(books.Refunds), StillCharged: books.NetCents, DeadLetters: stats.DeadLettersOpen}
	if g, ok := in.Troupe.Gateway(ctx); ok {
		d.Accepted, d.Rejected = int(g.CompensationsAccepted), int(g.CompensationsRejected)
	}
	for i := range states {
		if states[i].Name == Payments {
			d.Lane = states[i].Lanes.Compensation
		}
	}
	return d, nil
}
