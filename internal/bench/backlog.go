package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/client"
)

// refundLimits are those of the bank's lane of compensations.
func (r *run) refundLimits() unwind.Limits {
	rate := int64(r.count(5000, 1000))
	return unwind.Limits{
		Rate: unwind.PerSecond(rate), Burst: 50, Concurrency: 256,
		Window: unwind.Rate{Calls: 10 * rate, Per: 10 * unwind.Second},
	}
}

// A backlog is a server that is killed and paused while it owes refunds.
type backlog struct {
	*run
	participant, server *child
	client              *client.Client
	store, last         string
	count               int
	due                 time.Time     // of the first half
	spread              time.Duration // of the other half
	killed, paused      time.Time     // while they drained
	resumed             time.Time
	resident            float64 // MiB, at most
	lane, saga, start   []time.Duration
}

// errLate: refunds came due before the server had been started twice.
var errLate = errors.New("the refunds came due too soon")

// backlog measures what very many refunds cost that back off, and come due at once. On a
// machine that is too busy to start a server in time it begins again with more.
func (r *run) backlog(ctx context.Context) error {
	for lead := time.Duration(r.count(15, 1)) * time.Second; ; lead *= 4 {
		b := &backlog{run: r, count: r.count(1_000_000, 4000), store: r.path()}
		if err := b.measure(ctx, lead); !errors.Is(err, errLate) || lead > time.Minute {
			return err
		}
		r.say("  %v; once more", errLate)
	}
}

func (b *backlog) measure(ctx context.Context, lead time.Duration) error {
	defer b.discard(b.store)
	if err := b.fill(ctx, lead); err != nil {
		return err
	}
	var err error
	if b.participant, err = b.begin(ctx, "participant"); err != nil {
		return err
	}
	defer b.participant.kill()
	defer b.kill()
	for _, phase := range []func(context.Context) error{b.backOff, b.drain} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	return b.judge()
}

// fill has the refunds written, to come due when the server has been started twice.
func (b *backlog) fill(ctx context.Context, lead time.Duration) error {
	begin := time.Now()
	b.due = begin.Add(time.Duration(b.count)*50*time.Microsecond + lead)
	b.spread = time.Duration(b.run.count(60, 1)) * time.Second
	worker, err := b.begin(ctx, "worker")
	if err != nil {
		return err
	}
	defer worker.kill()
	var got owed
	if err := worker.ask("owe", oweTask{Path: b.store, Sagas: b.count, At: b.due, Spread: b.spread}, &got); err != nil {
		return err
	}
	b.last = got.Last
	b.say("  %d refunds written in %.1f s", b.count, time.Since(begin).Seconds())
	return worker.end()
}

// up starts the server, and returns when it has told of its lane.
func (b *backlog) up(ctx context.Context) (took time.Duration, err error) {
	begin := time.Now()
	if b.server, err = b.serve(ctx, b.participant, b.store); err != nil {
		return 0, err
	}
	if b.client, err = client.New(client.Config{URL: b.server.URL, Attempts: 1}); err != nil {
		return 0, err //nolint:wrapcheck // it says which server
	}
	_, err = b.look(ctx)
	return time.Since(begin), err
}

func (b *backlog) kill() {
	if b.server == nil {
		return
	}
	if _, peak, err := b.server.resident(); err == nil {
		b.resident = max(b.resident, peak)
	}
	b.server.kill()
	b.server = nil
}

func (b *backlog) look(ctx context.Context) (lane unwind.LaneState, err error) {
	services, err := b.client.Participants(ctx)
	for i := range services {
		if services[i].Name == bank {
			lane = services[i].Lanes.Compensation
		}
	}
	return lane, err //nolint:wrapcheck // it says what was asked
}

// backOff starts and kills the server while every refund backs off.
func (b *backlog) backOff(ctx context.Context) error {
	first, err := b.up(ctx)
	if err != nil {
		return err
	}
	b.kill()
	again, err := b.up(ctx)
	if err != nil {
		return err
	}
	backing := func(l *unwind.LaneState) bool { return l.Depth.BackingOff >= b.count }
	begin := time.Now()
	switch err := b.until(ctx, b.due, backing); {
	case err != nil && time.Now().After(b.due):
		return errors.Join(err, errLate)
	case err != nil:
		return err
	}
	b.add(Figure{Name: fmt.Sprintf("start beside %s refunds that back off, until the lane is told of", quantity(float64(b.count), "")), Value: max(first, again).Seconds(), Unit: "s"}.below(5).
		noting("%.2f s at first, %.2f s after a kill -9, each refund counted %.2f s later", first.Seconds(), again.Seconds(), time.Since(begin).Seconds()))
	return b.pass(ctx, time.Until(b.due))
}

// until looks at the lane until it is so.
func (b *backlog) until(ctx context.Context, by time.Time, so func(*unwind.LaneState) bool) error {
	for {
		begin := time.Now()
		lane, err := b.look(ctx)
		if err != nil {
			return err
		}
		b.lane = append(b.lane, time.Since(begin))
		if so(&lane) {
			return nil
		}
		if time.Now().After(by) {
			return fmt.Errorf("the lane did not come to it by %s: %+v in flight %d", by.Format(time.TimeOnly), lane.Depth, lane.InFlight)
		}
		if err := b.pass(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// pass lets time go by.
func (b *backlog) pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting: %w", ctx.Err())
	}
}
