package node

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/flow"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
)

// A rig drives a node by hand and keeps what it commits, as a store would.
type rig struct {
	testing.TB
	n        *Node
	now      machine.Micros
	plan     *machine.Plan
	epoch    int64
	rows     map[id.ID]*store.Saga
	tasks    map[flow.TaskKey]store.Task
	batch    *store.Batch // under way
	calls    []Call
	replies  []Reply
	loads    []id.ID
	reads    []QueueRead
	claims   []Claim
	controls []store.Control
	kept     []Kept
	stop     error
	made     int
	knows    func() // what a process knows once it has recovered
}

const begin = 1_780_000_000_000_000

// threeSteps is reserve, charge, ship of one service, each with its compensation.
func threeSteps() *unwind.Definition {
	d := &unwind.Definition{Name: "order"}
	for _, name := range []string{"reserve", "charge", "ship"} {
		d.Steps = append(d.Steps, unwind.Step{Name: name,
			Action: &unwind.Call{Service: "shop", Path: "/do"}, Compensation: &unwind.Call{Service: "shop", Path: "/undo"}})
	}
	return d
}

func newRig(t testing.TB, def *unwind.Definition, cfg Config) *rig {
	t.Helper()
	plan, err := machine.Compile(def, map[string]unwind.Participant{"shop": {Timeout: unwind.Second}})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, now: begin, plan: plan, rows: map[id.ID]*store.Saga{}, tasks: map[flow.TaskKey]store.Task{}}
	r.restart(cfg)
	return r
}

// turnedBack is a rig with a saga of two steps whose second one was refused: the
// compensation of the first is out.
func turnedBack(t testing.TB) (*rig, id.ID) {
	t.Helper()
	r := newRig(t, &unwind.Definition{Name: "order", Steps: threeSteps().Steps[:2]}, Config{})
	saga := r.start(false)
	r.settle()
	r.answer(r.call("reserve", unwind.Action), 200)
	r.settle()
	r.answer(r.call("charge", unwind.Action), 422)
	r.settle()
	return r, saga
}

// restart begins a process on what is stored.
func (r *rig) restart(cfg Config) {
	r.epoch++
	cfg.Name, cfg.Epoch = "a", r.epoch
	if cfg.Horizon == 0 {
		cfg.Horizon = 1000 * 1000
	}
	r.n, r.batch, r.calls, r.replies, r.loads, r.reads, r.claims = New(cfg, r.moment()), nil, nil, nil, nil, nil, nil
	none := Limits{Limits: unwind.Limits{Rate: unwind.PerSecond(-1), Concurrency: -1}}
	r.n.Configure(r.moment(), unwind.Scope{Kind: unwind.ScopeForward, Name: "shop"}, none)
	r.n.Configure(r.moment(), unwind.Scope{Kind: unwind.ScopeCompensation, Name: "shop"}, none)
	depths := map[store.Queue]bool{}
	var queues []store.QueueDepth
	for _, t := range r.tasks {
		if !depths[t.Queue] {
			depths[t.Queue] = true
			queues = append(queues, store.QueueDepth{Queue: t.Queue})
		}
	}
	r.n.Recover(r.moment(), queues, r.controls, r.kept)
	if r.knows != nil {
		r.knows()
	}
	r.look()
	r.claimed()
}

func (r *rig) moment() Moment { return Moment{Now: r.now, Rand: 7} }

// look has the node act and keeps what it wants.
func (r *rig) look() {
	r.n.Tick(r.moment())
	out := r.n.Take(r.moment())
	if out.Commit != nil {
		if r.batch != nil {
			r.Fatal("two commits are under way")
		}
		r.batch = out.Commit
	}
	if out.Claim != nil {
		r.claims = append(r.claims, *out.Claim)
	}
	r.calls = append(r.calls, out.Calls...)
	r.replies = append(r.replies, out.Replies...)
	r.loads = append(r.loads, out.Loads...)
	r.reads = append(r.reads, out.Reads...)
	if out.Stop != nil {
		r.stop = out.Stop
	}
}

// commit ends the commit under way, with an error or as a store would.
func (r *rig) commit(err error) {
	r.Helper()
	if r.batch == nil {
		r.Fatal("no commit is under way")
	}
	b := r.batch
	r.batch = nil
	if err != nil {
		r.n.Committed(r.moment(), nil, err)
		r.look()
		return
	}
	results, _ := b.Apply(func(t *store.Transition) (store.Result, error) { return r.write(t), nil })
	r.n.Committed(r.moment(), results, nil)
	r.look()
}

// settle commits until nothing is left to commit.
func (r *rig) settle() {
	r.look()
	for r.batch != nil {
		r.commit(nil)
	}
}

func (r *rig) write(t *store.Transition) store.Result {
	row := r.rows[t.Saga]
	switch {
	case t.Start != nil:
		for _, other := range r.rows {
			if other.Key == t.Start.Key && t.Start.Key != "" {
				return store.Result{Outcome: store.Duplicate, Saga: other.ID}
			}
		}
		row = &store.Saga{ID: t.Saga, Start: *t.Start, CreatedAt: t.At}
		r.rows[t.Saga] = row
	case row == nil || row.Version != t.Version-1:
		return store.Result{Outcome: store.Conflicting}
	}
	row.Version, row.Epoch, row.Phase, row.UpdatedAt, row.State = t.Version, r.epoch, t.Phase, t.At, t.State
	if t.SetDue {
		row.Due = t.Due
	}
	row.Journal = append(row.Journal, store.JournalRow{Saga: t.Saga, Body: t.Journal})
	for _, c := range t.Tasks {
		key := taskKey(t.Saga, c.Step, unwind.Compensation)
		if delete(r.tasks, key); !c.Delete {
			c.Epoch = r.epoch
			r.tasks[key] = c.Task
		}
	}
	return store.Result{}
}

// start asks for a saga and returns its id.
func (r *rig) start(wait bool) id.ID {
	r.made++
	saga := id.ID{0x01, 0x9e, 0x70, 0x44, 0x88, byte(r.made), 0x70, 0, 0x80}
	saga[14], saga[15] = byte(r.made>>8), byte(r.made)
	r.n.Start(r.moment(), Start{Token: Token(r.made), ID: saga, Plan: r.plan, Wait: wait,
		Start: store.Start{Name: r.plan.Name, Version: r.plan.Version, Input: []byte(`{"n":1}`)}})
	r.look()
	return saga
}

// call takes the next call that was made, which must be of the named step.
func (r *rig) call(step string, dir unwind.Direction) Call {
	r.Helper()
	if len(r.calls) == 0 {
		r.Fatalf("nobody called the %s of %s", dir, step)
	}
	c := r.calls[0]
	r.calls = r.calls[1:]
	if got := c.Plan.Steps[c.Step].Name; got != step || c.Dir != dir {
		r.Fatalf("the %s of %s was called, not the %s of %s", c.Dir, got, dir, step)
	}
	return c
}

func (r *rig) quiet() {
	r.Helper()
	if len(r.calls) > 0 {
		r.Fatalf("%s was called", r.calls[0].Key)
	}
}

// answer ends a call with a status.
func (r *rig) answer(c Call, status int) {
	a := machine.Answer{Status: status, Message: "said so"}
	if status == 200 {
		a.Output = []byte(`{"ok":1}`)
	}
	r.n.CallEnded(r.moment(), c.ID, a)
	r.look()
}

// load answers the reads of sagas.
func (r *rig) load() {
	loads := r.loads
	r.loads = nil
	for _, saga := range loads {
		row := r.rows[saga]
		if row == nil {
			r.n.Loaded(r.moment(), saga, nil, nil, unwind.Errorf(unwind.NotFound, "there is none"))
		} else {
			c := *row
			r.n.Loaded(r.moment(), saga, r.plan, &c, nil)
		}
	}
	r.look()
}

// claimed answers the reads of unfinished sagas.
func (r *rig) claimed() {
	for len(r.claims) > 0 {
		r.claim()
	}
	r.load()
}

// claim answers the first of them, as a store does: without journals.
func (r *rig) claim() {
	c := r.claims[0]
	r.claims = r.claims[1:]
	var page []Claimed
	for _, row := range r.rows {
		past := cmp.Or(cmp.Compare(row.Due, c.AfterDue), bytes.Compare(row.ID[:], c.After[:])) > 0
		if past && row.Due <= c.Until && row.Due != store.AtRest {
			bare := *row
			bare.Journal = nil
			page = append(page, Claimed{Row: bare, Plan: r.plan})
		}
	}
	slices.SortFunc(page, func(a, b Claimed) int {
		return cmp.Or(cmp.Compare(a.Row.Due, b.Row.Due), bytes.Compare(a.Row.ID[:], b.Row.ID[:]))
	})
	page = page[:min(len(page), c.Limit)]
	r.n.Claimed(r.moment(), c, page, nil)
	r.look()
}

// queue answers the reads of queues.
func (r *rig) queue() {
	reads := r.reads
	r.reads = nil
	for _, q := range reads {
		var rows []store.Task
		for _, t := range r.tasks {
			if t.Queue == q.Queue {
				rows = append(rows, t)
			}
		}
		r.n.TasksRead(r.moment(), q, rows, nil)
	}
	r.look()
	r.load()
}

// phase is where the store has the saga.
func (r *rig) phase(saga id.ID) machine.Phase { return machine.Phase(r.rows[saga].Phase) }

var errFull = errors.New("no space left on device")
