package node

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// A Moment is the time and the chance that come with an event.
type Moment struct {
	Now  machine.Micros
	Rand uint64
}

// A Token names a request that waits for a [Reply].
type Token uint64

// Config of a Node.
type Config struct {
	// Name appears in the journal.
	Name string
	// Epoch of this process' writes, from store.Join.
	Epoch int64
	// MaxActive bounds the sagas in memory; starts beyond it are refused as
	// overloaded. Stored ones that time alone moves on may be two pages (ClaimPage)
	// more. Defaults to 131072.
	MaxActive int
	// MaxBytes bounds the inputs of the sagas in memory; starts beyond it are
	// refused as overloaded. Defaults to 256 MiB.
	MaxBytes int
	// Horizon is how far ahead parked sagas are read. Sagas that wait for less
	// stay in memory. Defaults to 5s.
	Horizon machine.Micros
	// ClaimPage is how many sagas one read brings. Defaults to 1000.
	ClaimPage int
	// Lease is how long the node may have been asleep and still call somebody
	// without asking the store whether another has taken over. Defaults to 5s.
	Lease machine.Micros
	// QuietDeadLetters: dead letters are told of by whoever counts them.
	QuietDeadLetters bool
	// Heads bounds the compensations in memory per queue. Defaults to flow's.
	Heads int
	// Hold: call nobody and move no saga before a Release.
	Hold bool
}

// A Node is one node's state. It is not safe for concurrent use.
type Node struct {
	cfg   Config
	sched *flow.Scheduler

	sagas    map[id.ID]*saga
	bytes    int // of their inputs
	loading  map[id.ID]*visit
	stuck    map[id.ID]bool // can't go on in this process; their compensations are passed over
	reloads  []reload
	muddled  map[id.ID]bool // sagas that somebody else moved: answers to their calls may be void
	orders   map[flow.TaskKey]*order
	asked    map[Token]*order // questions of persons
	backlogs []*backlog
	held     []*saga         // whose first orders wait for a backlog
	controls []*control      // by scope
	slowest  unwind.Duration // the longest Hold of the lanes
	expiry   machine.Micros  // of the settings that end first; 0: none
	flights  map[uint64]*order
	abroad   int                       // of flights, those to services
	set      map[string]machine.Micros // by how much the clock was set before this process, as the lanes of services know it
	setElse  machine.Micros            // the same of lanes that know nothing
	timers   timerHeap
	claim    claim
	halt     halt

	building *batch
	flying   *batch
	reserved []flow.Reservation // beside the rows of flying
	handed   machine.Micros     // when flying was
	gather   machine.Micros     // until when the next one may wait; 0: it does not
	sick     sickness
	written  machine.Micros // when the store was last known to take a write
	awake    machine.Micros // when it last looked what is to be done
	sleeps   int            // how often it slept for longer than its lease
	doubts   bool           // it has, and nothing was written since: nobody is called
	draining bool
	lastCall uint64
	chance   uint64
	out      Output
}

// Output is what is to be done now. Its parts are independent of each other.
type Output struct {
	// Commit, where not nil, is to be committed; the answer is Committed.
	Commit *store.Batch
	// Calls are to be made; the answers are CallEnded.
	Calls []Call
	// Loads are sagas to be read; the answers are Loaded.
	Loads []id.ID
	// Claim, where not nil, is to be read; the answer is Claimed.
	Claim *Claim
	// Reads are queues to be read; the answers are TasksRead.
	Reads []QueueRead
	// Rests are the sagas that have come to rest, durably.
	Rests []Rest
	// Replies go to whoever waits for their tokens.
	Replies []Reply
	// Released: the hold has ended.
	Released bool
	// Stop, where not nil, is why the process must end.
	Stop error
}

// A Rest is a saga that has come to rest.
type Rest struct {
	Name  string
	Phase machine.Phase
	Took  machine.Micros // since its start
}

// A Reply answers a request.
type Reply struct {
	Token Token
	// Err is why it was refused; nil: it is durable.
	Err error
	// Saga as it stands, where the node knows it.
	Saga *Snapshot
	// Existing is the saga that the key began before.
	Existing id.ID
	// Answer to a Question.
	Answer machine.Answer
}

// New returns a node that holds nothing. Its limits start empty.
func New(cfg Config, m Moment) *Node {
	if cfg.MaxActive == 0 {
		cfg.MaxActive = 131072
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 256 << 20
	}
	if cfg.Horizon == 0 {
		cfg.Horizon = 5_000_000
	}
	if cfg.Lease == 0 {
		cfg.Lease = 5_000_000
	}
	if cfg.ClaimPage == 0 {
		cfg.ClaimPage = 1000
	}
	n := &Node{
		cfg: cfg, awake: m.Now,
		sched:   flow.New(flow.Config{CompensationHeads: cfg.Heads, Durable: true}),
		sagas:   map[id.ID]*saga{},
		loading: map[id.ID]*visit{},
		muddled: map[id.ID]bool{},
		stuck:   map[id.ID]bool{},
		orders:  map[flow.TaskKey]*order{},
		asked:   map[Token]*order{},
		halt:    halt{on: cfg.Hold && !planted.On(planted.CallOnHold)},
		flights: map[uint64]*order{},
		set:     map[string]machine.Micros{},
	}
	// Go functions run in this process: nothing to pace.
	for _, kind := range []flow.ScopeKind{flow.ScopeForward, flow.ScopeCompensation} {
		n.sched.Configure(flow.Scope{Kind: kind}, flow.Limits{Rate: flow.Rate{N: flow.Unlimited}, Concurrency: flow.Unlimited}, nanos(m.Now))
	}
	n.building = newBatch()
	return n
}

func nanos(t machine.Micros) int64 { return int64(t) * 1000 }

// Flow is the node's flow control, for limits and for looking at it.
func (n *Node) Flow() *flow.Scheduler { return n.sched }

// Active is how many sagas are in memory.
func (n *Node) Active() int { return len(n.sagas) }

// InFlight is how many calls are out.
func (n *Node) InFlight() int { return len(n.flights) }

// Orders is how many calls are queued or out.
func (n *Node) Orders() int { return len(n.orders) }

// Drain stops taking starts and making calls. What is in flight ends; its
// answers are committed.
func (n *Node) Drain() { n.draining = true }

// Drained reports whether nothing is in flight and nothing waits to be committed.
func (n *Node) Drained() bool {
	return n.draining && len(n.flights) == 0 && n.flying == nil && n.building.empty() && len(n.loading) == 0
}

// Tick does what time alone brings about.
func (n *Node) Tick(m Moment) {
	n.fireTimers(m)
	n.expire(m)
	n.reload(m)
}

// Take returns what is to be done, and forgets it. A node that was asleep for
// longer than its lease calls nobody before a commit since has shown that it is current.
func (n *Node) Take(m Moment) Output {
	if m.Now-n.awake > n.cfg.Lease && !planted.On(planted.TrustLease) {
		n.sleeps, n.doubts = n.sleeps+1, true
	}
	n.awake = m.Now
	n.pump(m)
	n.flush(m)
	n.seek(m)
	out := n.out
	n.out = Output{}
	return out
}

// Wake is when Tick is to be called, if nothing happens before; 0: never.
func (n *Node) Wake() machine.Micros {
	next := machine.Micros(0)
	add := func(t machine.Micros) {
		if t > 0 && (next == 0 || t < next) {
			next = t
		}
	}
	if len(n.timers) > 0 {
		add(n.timers[0].timerAt)
	}
	for i := range n.reloads {
		add(n.reloads[i].at)
	}
	add(n.expiry)
	if n.flying == nil && !n.building.empty() {
		add(n.gather)
	}
	if !n.draining {
		at := n.sched.Timed()
		if reserve := n.sched.Wake(); reserve < at {
			switch { // what is to be durable waits for the commit under way, or for the store
			case n.flying != nil:
			case n.sick.err != nil:
				add(n.sick.retryAt)
			default:
				at = reserve
			}
		}
		if at != flow.Never && (!n.doubts || n.flying == nil) {
			at = (at + 999) / 1000
			if n.doubts {
				at = max(at, int64(n.sick.retryAt))
			}
			add(machine.Micros(at))
		}
		if r := n.reader(); r != nil && !n.claim.reading {
			add(r.next)
		}
	}
	if n.sick.err != nil && n.flying == nil && !n.building.empty() {
		add(n.sick.retryAt)
	}
	return next
}

// rand draws from the moment's chance.
func (n *Node) rand(m Moment) uint64 {
	// SplitMix64 (Steele, Lea, Flood 2014).
	n.chance += 0x9e3779b97f4a7c15
	z := m.Rand + n.chance
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// lane returns the target of one direction of a step.
func lane(p *machine.Plan, step int, dir unwind.Direction) flow.Target {
	t := flow.Target{Service: p.Call(step, dir).Service}
	if dir == unwind.Compensation {
		t.Lane = flow.Compensation
	}
	return t
}
