package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/unwindhq/unwind"
)

// drain kills the server once amid the refunds that are due, pauses it once, and
// waits until none is owed.
func (b *backlog) drain(ctx context.Context) error {
	some := time.Duration(b.run.count(10_000, 300)) * time.Millisecond
	if err := b.pass(ctx, some); err != nil {
		return err
	}
	b.killed = time.Now()
	b.kill()
	took, err := b.up(ctx)
	if err != nil {
		return err
	}
	b.say("  it took %.2f s to start amid the drain", took.Seconds())
	for begin := time.Now(); time.Since(begin) < some; {
		if err := b.probe(ctx); err != nil {
			return err
		}
	}
	if err := b.pause(ctx); err != nil {
		return err
	}
	by := time.Now().Add(time.Duration(2*b.count/b.run.count(5000, 1000)+60) * time.Second)
	return b.until(ctx, by, func(l *unwind.LaneState) bool { return l.Depth.Ready+l.Depth.BackingOff+l.InFlight == 0 })
}

// probe asks as people and callers do while the lane drains.
func (b *backlog) probe(ctx context.Context) error {
	for _, ask := range []struct {
		took *[]time.Duration
		do   func() error
	}{
		{&b.lane, func() error { _, err := b.look(ctx); return err }},
		{&b.saga, func() error {
			inst, err := b.client.Get(ctx, b.last)
			if err == nil && inst.Status == unwind.Compensating && inst.Steps[0].Compensation.WaitingFor == "" {
				err = fmt.Errorf("saga %s does not say what it waits for", b.last)
			}
			return err //nolint:wrapcheck // it says what was asked
		}},
		{&b.start, func() error {
			_, _, err := b.client.Start(ctx, unwind.StartRequest{Saga: "wait", Input: input})
			return err //nolint:wrapcheck // it says what was asked
		}},
	} {
		begin := time.Now()
		if err := ask.do(); err != nil {
			return err
		}
		*ask.took = append(*ask.took, time.Since(begin))
	}
	return b.pass(ctx, 50*time.Millisecond)
}

// rest is for how long the lane is paused.
func (b *backlog) rest() time.Duration {
	return time.Duration(b.run.count(2000, 300)) * time.Millisecond
}

// pause pauses the lane for a while.
func (b *backlog) pause(ctx context.Context) error {
	if err := b.setPaused(ctx, true); err != nil {
		return err
	}
	// What was in flight has arrived when it is answered.
	if err := b.until(ctx, time.Now().Add(time.Minute), func(l *unwind.LaneState) bool { return l.InFlight == 0 }); err != nil {
		return err
	}
	b.paused = time.Now()
	if err := b.pass(ctx, b.rest()); err != nil {
		return err
	}
	b.resumed = time.Now()
	return b.setPaused(ctx, false)
}

func (b *backlog) setPaused(ctx context.Context, paused bool) error {
	_, err := b.client.Control(ctx, unwind.ControlRequest{
		Scope: unwind.Scope{Kind: unwind.ScopeCompensation, Name: bank}, Paused: &paused, Reason: "the bank counts", Actor: "bench",
	})
	return err //nolint:wrapcheck // it says what was asked
}

// onTheWay is how long a call may take to arrive.
const onTheWay = 100 * time.Millisecond

// judge goes by what the bank counted.
func (b *backlog) judge() error {
	b.kill()
	var got counted
	if err := b.participant.ask("count", nil, &got); err != nil {
		return err
	}
	switch early, amid := got.between(time.Time{}, b.due), got.between(b.paused, b.resumed); {
	case got.Keys != b.count:
		return fmt.Errorf("%d refunds were owed, and %d arrived", b.count, got.Keys)
	case early > 0:
		return fmt.Errorf("%d refunds arrived before the first was due", early)
	case amid > 0:
		return fmt.Errorf("%d refunds arrived while the lane was paused", amid)
	}
	first, _ := got.after(b.due)
	again, _ := got.after(b.killed.Add(onTheWay))
	last := time.UnixMicro(got.At[len(got.At)-1])
	limits := b.refundLimits()
	b.add(Figure{Name: fmt.Sprintf("from the moment at which %s come due to the first call", quantity(float64(b.count/2), "")), Value: millis(first.Sub(b.due)), Unit: "ms"}.below(1000))
	b.add(Figure{Name: "from a kill -9 amid the drain to the next call", Value: again.Sub(b.killed).Seconds(), Unit: "s"}.below(5))
	b.add(Figure{Name: quantity(float64(b.count), "") + " refunds drained", Value: float64(b.count) / last.Sub(b.due).Seconds(), Unit: "/s"}.
		of(limits.Rate.CallsPerSecond(), "the lane's rate").shareAtLeast(0.95).
		noting("with a kill -9 and a pause of %v; each arrived, %d twice, for the kill", b.rest(), len(got.At)-got.Keys))
	b.add(Figure{Name: "calls in the busiest 10 s", Value: float64(got.most(limits.Window.Per.Std())), Unit: ""}.atMost(float64(limits.Window.Calls)).
		noting("%s in the busiest second; none before its time, none while the lane was paused", quantity(float64(got.most(time.Second)), "")))
	b.add(Figure{Name: "resident beside them", Value: b.resident, Unit: "MiB"}.below(300).noting("at most, of three processes"))
	for _, asked := range []struct {
		name string
		took []time.Duration
	}{{"the lane told of", b.lane}, {"the last saga told of, and why it waits", b.saga}, {"a new saga started", b.start}} {
		slices.Sort(asked.took)
		b.add(Figure{Name: "meanwhile, " + asked.name + ", p50", Value: millis(percentile(asked.took, 50)), Unit: "ms"}.
			noting("p99 %.2f ms, %d times", millis(percentile(asked.took, 99)), len(asked.took)))
	}
	return nil
}
