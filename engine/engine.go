// Package engine is the shell around the pure node: goroutines, clock, calls and
// commits. [Open] assembles it; *Engine implements unwind.Service.
//
// One goroutine owns the node and gives it one event after another. Everything
// that takes time (commits, reads, calls) happens beside it and comes back as an
// event. Reading order, the way data takes: start.go, loop.go, carry.go
// (commits, reads), call.go, operate.go, read.go.
package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/node"
	"github.com/unwindhq/unwind/store"
)

// An Engine runs sagas. It is safe for concurrent use.
type Engine struct {
	cfg            Config
	store          store.Store
	epoch          int64
	ids            *id.Source
	plans          plans
	caller         *caller
	metrics        *metrics
	clock          clock
	stamped        int64 // when the last reading of the clocks was written; the commit loop's
	events         queue
	committed      bell // rung for all that events tell of
	fan            fan
	standings      standings
	lacking        rate.Sometimes // warnings of what this machine lacks
	begun, refused atomic.Int64   // starts since the engine was opened
	node           *node.Node     // owned by run

	depths tally[store.QueueDepth]
	holds  map[string]unwind.Duration // how long calls may be out, by service; owned by run
	groups tally[store.DeadLetterGroup]
	items  itemTallies

	operations operations

	gauges  *gauges
	waiting map[node.Token]chan node.Reply // owned by run
	token   node.Token                     // owned by run
	commits chan *store.Batch
	calls   chan *node.Call // to goroutines that wait for another call
	free    atomic.Int32    // how many of them there are
	reads   reads

	ctx     context.Context // ends when the engine is closed
	cancel  context.CancelFunc
	workers sync.WaitGroup
	stopped chan struct{} // closed when run has ended
	failure error         // why run ended; read after stopped

	draining atomic.Bool   // it is being closed
	released chan struct{} // closed when it is not on hold, or not any more
}

var _ unwind.Service = (*Engine)(nil)

// idleCallers bounds the goroutines that wait for another call.
const idleCallers = 256

// concurrentReads bounds the reads of the store that the loop has under way.
const concurrentReads = 8

// Open joins the store, takes up every unfinished saga, and begins to work. It
// returns when sagas can be started; recovery goes on beside that. Close ends it.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	epoch, err := cfg.Store.Join(ctx, cfg.Node)
	if err != nil {
		return nil, fmt.Errorf("joining the store as node %q: %w", cfg.Node, err)
	}
	e := &Engine{
		cfg: cfg, store: cfg.Store, epoch: epoch, ids: id.NewSource(nil, nil),
		clock: newClock(cfg.Clock()), lacking: rate.Sometimes{Interval: time.Minute}, waiting: map[node.Token]chan node.Reply{}, holds: map[string]unwind.Duration{},
		commits: make(chan *store.Batch, 1), calls: make(chan *node.Call), stopped: make(chan struct{}), released: make(chan struct{}),
	}
	if !cfg.Hold {
		close(e.released)
	}
	e.depths, e.groups = newTally(e.countQueues), newTally(e.countGroups)
	e.operations.wake = make(chan struct{}, 1)
	e.fan, e.standings = newFan(), newStandings()
	e.events.wake = make(chan struct{}, 1)
	e.plans.init(cfg.Store, cfg.Participants, cfg.Definitions)
	if e.metrics, err = newMetrics(cfg.Metrics); err != nil {
		return nil, err
	}
	e.caller = newCaller(cfg.Participants, cfg.Transport)
	e.ctx, e.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := e.prepare(ctx); err != nil {
		e.cancel()
		return nil, err
	}
	if err := e.register(); err != nil {
		e.cancel()
		return nil, err
	}
	e.workers.Add(7)
	go e.watchDepths()
	go e.watchAlerts()
	go e.watchServices()
	go e.commitLoop()
	go e.run() //nolint:contextcheck // it lives as long as the engine, not as the caller's context
	go e.purgeLoop()
	go e.runOperations()
	return e, nil
}

// prepare stores the definitions, and gives the node its limits and its work.
func (e *Engine) prepare(ctx context.Context) error {
	states, err := e.store.FlowStates(ctx)
	if err != nil {
		return fmt.Errorf("reading the states of flow control: %w", err)
	}
	e.carryOn(states) // first: what follows asks for the time
	for i := range e.cfg.Definitions {
		if _, err := e.PutDefinition(ctx, e.cfg.Definitions[i], "configuration"); err != nil {
			return err
		}
	}
	revisions, err := e.store.Definitions(ctx)
	if err != nil {
		return fmt.Errorf("reading the definitions: %w", err)
	}
	queues, err := e.store.Queues(ctx, int64(e.clock.now()))
	if err != nil {
		return fmt.Errorf("reading the compensation queues: %w", err)
	}
	controls, err := e.store.Controls(ctx)
	if err != nil {
		return fmt.Errorf("reading what operators have set: %w", err)
	}
	m := e.moment()
	e.node = node.New(node.Config{Name: e.cfg.Node, Epoch: e.epoch, QuietDeadLetters: e.cfg.AlertRules.DeadLetters > 0, MaxActive: e.cfg.MaxActive, MaxBytes: e.cfg.MaxActiveBytes, Hold: e.cfg.Hold}, m)
	e.limit(m, revisions)
	e.node.Recover(m, queues, controls, e.kept(states))
	return nil
}

// every does something again and again until the engine is closed or can't go on.
func (e *Engine) every(period time.Duration, do func()) {
	ticks := time.NewTicker(period)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			do()
		case <-e.ctx.Done():
			return
		case <-e.stopped:
			return
		}
	}
}

// Drain takes no more starts from here on; what is under way ends. Close waits for that.
func (e *Engine) Drain() {
	e.draining.Store(true)
	e.post(func(node.Moment) { e.node.Drain() })
}

// Close takes no more starts, waits for the calls in flight (until ctx ends, at
// most), commits what they answered, and closes the store. What was cut short is
// made again by the next process.
func (e *Engine) Close(ctx context.Context) error {
	e.unregister()
	e.Drain()
	select {
	case <-e.stopped:
	case <-ctx.Done():
	}
	e.cancel()
	<-e.stopped
	e.workers.Wait()
	e.caller.close()
	if err := e.store.Close(); err != nil {
		return fmt.Errorf("closing the store: %w", err)
	}
	return nil
}

// Done is closed when the engine can't go on; Err says why.
func (e *Engine) Done() <-chan struct{} { return e.stopped }

// Err is why the engine stopped by itself; nil while it runs or after Close.
func (e *Engine) Err() error {
	select {
	case <-e.stopped:
		return e.failure
	default:
		return nil
	}
}
