package flow

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = int64(time.Millisecond)

// TestSchedulerKeepsItsPromises drives random operations against a model that
// knows nothing of heaps: token buckets as real numbers, lists, and flags.
func TestSchedulerKeepsItsPromises(t *testing.T) { rapid.Check(t, promises) }

func FuzzScheduler(f *testing.F) { f.Fuzz(rapid.MakeFuzz(promises)) }

func promises(t *rapid.T) {
	m := newModel(t)
	t.Repeat(map[string]func(*rapid.T){
		"push":      m.push,
		"push more": m.push,
		"remove":    m.remove,
		"next":      m.next,
		"next more": m.next,
		"answer":    m.answer,
		"advance":   m.advance,
		"configure": m.configure,
		"pause":     m.pause,
		"resume":    m.resume,
		"gate":      m.gate,
		"weight":    m.weight,
		"dead":      m.dead,
		"refill":    m.refill,
		"":          func(t *rapid.T) { check(t, m.s) },
	})
	m.drain(t)
}

// bucket is the model of a scope: what has flowed in less what was taken.
type bucket struct {
	limits   Limits
	level    float64
	at       int64
	inFlight int
	paused   bool
}

func (b *bucket) flow(now int64) {
	if b.limits.Rate.N > 0 {
		b.level = min(float64(b.limits.Burst), b.level+b.limits.Rate.Float()*float64(now-b.at)/1e9)
	}
	b.at = now
}

func (b *bucket) set(l Limits, now int64) {
	if l.Rate.Float() == b.limits.Rate.Float() && l.Burst == b.limits.Burst {
		b.limits = l
		return
	}
	b.flow(now)
	if b.limits.Rate.N <= 0 {
		b.level = 0
	}
	b.level = min(b.level, 1)
	b.limits = l
}

type held struct {
	task  Task
	ready int64 // when it became due in memory
	seq   int
}

type model struct {
	s      *Scheduler
	now    int64
	seq    int
	memory map[TaskKey]held
	store  map[TaskKey]Task
	order  []TaskKey // of everything ever pushed, for choosing
	flight []flying

	configured map[Scope]Limits
	buckets    map[Scope]*bucket
	gates      map[Target]int64
	faults     map[Target]bool
	granted    int
}

type flying struct {
	task  Task
	grant Grant
}

var (
	services = []string{"payments", "stock"}
	types    = []string{"order", "refund"}
	tenants  = []string{"", "acme"}
)

func newModel(t *rapid.T) *model {
	heads := rapid.SampledFrom([]int{1, 3, Unlimited}).Draw(t, "heads")
	m := &model{
		s: New(Config{CompensationHeads: heads, ForwardHeads: heads}), now: 1000 * ms,
		memory: map[TaskKey]held{}, store: map[TaskKey]Task{}, configured: map[Scope]Limits{},
		buckets: map[Scope]*bucket{}, gates: map[Target]int64{}, faults: map[Target]bool{},
	}
	for _, sc := range m.scopes() {
		m.buckets[sc] = &bucket{limits: Limits{Rate: Rate{N: Unlimited}, Burst: DefaultBurst}, at: m.now}
		m.s.Configure(sc, Limits{}, m.now)
	}
	m.limit()
	return m
}

func (m *model) scopes() (all []Scope) {
	all = append(all, Scope{Kind: ScopeAll})
	for _, name := range services {
		all = append(all, Scope{Kind: ScopeForward, Name: name}, Scope{Kind: ScopeCompensation, Name: name})
	}
	for _, name := range types {
		all = append(all, Scope{Kind: ScopeSagaType, Name: name})
		for _, tenant := range tenants {
			all = append(all, Scope{Kind: ScopeTenant, Name: name, Tenant: tenant})
		}
	}
	return all
}

// limit brings every bucket to the limits that hold now.
func (m *model) limit() {
	for _, sc := range m.scopes() {
		l := m.configured[sc]
		switch sc.Kind {
		case ScopeForward:
			l = l.forward()
		case ScopeCompensation:
			l = l.compensation(m.configured[Scope{Kind: ScopeForward, Name: sc.Name}].forward())
		default:
			l = l.shared()
		}
		m.buckets[sc].set(l, m.now)
	}
}

func (m *model) scopesOf(task Task) []Scope {
	if task.Target.Lane == Forward {
		return []Scope{task.Target.Scope()}
	}
	return []Scope{task.Target.Scope(), {Kind: ScopeSagaType, Name: task.SagaType},
		{Kind: ScopeTenant, Name: task.SagaType, Tenant: task.Tenant}, {Kind: ScopeAll}}
}

func (m *model) drawScope(t *rapid.T) Scope { return rapid.SampledFrom(m.scopes()).Draw(t, "scope") }

func drawTarget(t *rapid.T) Target {
	return Target{rapid.SampledFrom(services).Draw(t, "service"), rapid.SampledFrom([]Lane{Compensation, Compensation, Forward}).Draw(t, "lane")}
}

func (m *model) push(t *rapid.T) {
	m.seq++
	task := Task{
		Key: sagaKey(uint64(m.seq), Forward), Target: drawTarget(t),
		SagaType: rapid.SampledFrom(types).Draw(t, "type"),
		Tenant:   rapid.SampledFrom(tenants).Draw(t, "tenant"),
		Class:    Class(rapid.IntRange(0, 2).Draw(t, "class")),
		Due:      m.now + rapid.SampledFrom([]int64{0, 0, 0, 5, 40, 300}).Draw(t, "due")*ms,
	}
	task.Key.Lane = task.Target.Lane
	m.order = append(m.order, task.Key)
	m.pushTask(t, task)
}

func (m *model) pushTask(t *rapid.T, task Task) {
	switch m.s.Push(task, m.now) {
	case Queued:
		m.hold(task)
	case Left:
		m.store[task.Key] = task
	default:
		t.Fatalf("%v is a duplicate", task.Key)
	}
	if m.s.Push(task, m.now) == Queued {
		t.Fatalf("%v was queued twice", task.Key)
	}
}

func (m *model) hold(task Task) {
	m.seq++
	m.memory[task.Key] = held{task, max(task.Due, m.now), m.seq}
}

func (m *model) remove(t *rapid.T) {
	if len(m.order) == 0 {
		t.Skip("nothing is queued: rapid draws another action")
	}
	k := rapid.SampledFrom(m.order).Draw(t, "key")
	_, want := m.memory[k]
	if got := m.s.Remove(k, m.now); got != want {
		t.Fatalf("removed %v, was in memory %v", got, want)
	}
	delete(m.memory, k)
}

// budgets is all that a grant is charged to.
func (m *model) budgets() (all []any) {
	for _, sc := range m.scopes() {
		s := m.s.scope(sc, m.now)
		all = append(all, s.pace, s.inFlight)
	}
	return all
}

func (m *model) next(t *rapid.T) {
	m.refill(t)
	before := m.budgets()
	task, g, ok := m.s.Next(m.now)
	if ok {
		m.admit(t, task, g)
		return
	}
	for i, b := range m.budgets() {
		if b != before[i] {
			t.Fatalf("a denial changed a budget: %v, was %v", b, before[i])
		}
	}
	for _, k := range m.order {
		if e, _ := m.s.Explain(k, m.now); (e.Why == Ready || e.Why == Behind) && m.memory[k].seq != 0 {
			t.Fatalf("nothing was granted, and nothing holds back %v", k)
		}
	}
	if wake := m.s.Wake(); wake <= m.now {
		t.Fatalf("nothing was granted at %d, and the wake is %d", m.now, wake)
	}
}

// admit holds a grant against everything that could have forbidden it.
func (m *model) admit(t *rapid.T, task Task, g Grant) {
	h, ok := m.memory[task.Key]
	want := h.task
	if want.Target.Lane == Forward {
		want.Tenant = ""
	}
	if !ok || want != task {
		t.Fatalf("granted %v, which is not queued", task)
	}
	if task.Due > m.now {
		t.Fatalf("granted at %d, due at %d", m.now, task.Due)
	}
	for _, o := range m.memory {
		if o.task.Queue() == task.Queue() && (o.ready < h.ready || o.ready == h.ready && o.seq < h.seq) {
			t.Fatalf("granted %v before %v", task, o.task)
		}
	}
	for _, name := range m.scopesOf(task) {
		b := m.buckets[name]
		b.flow(m.now)
		b.inFlight++
		b.level--
		switch l := b.limits; {
		case b.paused:
			t.Fatalf("%s: granted while paused", name)
		case l.Rate.N > 0 && b.level < -1e-6:
			t.Fatalf("%s: granted with a level of %g", name, b.level+1)
		case l.Concurrency != Unlimited && b.inFlight > l.Concurrency:
			t.Fatalf("%s: %d in flight of %d", name, b.inFlight, l.Concurrency)
		}
	}
	if until := m.gates[task.Target]; m.now < until {
		t.Fatalf("granted at %d, gate until %d", m.now, until)
	}
	if g.Probe != m.faults[task.Target] {
		t.Fatalf("probe %v, fault %v", g.Probe, m.faults[task.Target])
	}
	for _, f := range m.flight {
		if g.Probe && f.grant.Probe && f.task.Target == task.Target {
			t.Fatalf("two probes at a time")
		}
	}
	delete(m.memory, task.Key)
	m.flight = append(m.flight, flying{task, g})
	m.granted++
}

func (m *model) answer(t *rapid.T) {
	if len(m.flight) == 0 {
		t.Skip("nothing is in flight: rapid draws another action")
	}
	i := rapid.IntRange(0, len(m.flight)-1).Draw(t, "flight")
	f := Feedback{
		Outcome: Outcome(rapid.IntRange(0, int(Unsent)).Draw(t, "outcome")),
		Status:  rapid.SampledFrom([]int{0, 429, 500, 503}).Draw(t, "status"),
		Hint: rapid.OneOf(rapid.SampledFrom([]int64{0, 100 * ms, 2000 * ms, 2001 * ms}),
			rapid.Int64()).Draw(t, "hint"),
	}
	m.land(t, i, f, rapid.Bool().Draw(t, "again"))
}

func (m *model) land(t *rapid.T, i int, f Feedback, again bool) {
	fl := m.flight[i]
	m.flight = append(m.flight[:i], m.flight[i+1:]...)
	r := m.s.Done(fl.grant, f, m.now)
	if (m.s.Done(fl.grant, f, m.now) != Result{}) {
		t.Fatalf("a grant was given back twice")
	}
	for _, name := range m.scopesOf(fl.task) {
		m.buckets[name].inFlight--
	}
	target := fl.task.Target
	if r.Gated {
		if r.Wait <= 0 || r.Wait > DefaultHintCap || r.GateUntil < m.now+r.Wait || r.GateUntil < m.gates[target] {
			t.Fatalf("gate %+v at %d, was %d", r, m.now, m.gates[target])
		}
		m.gates[target] = r.GateUntil
	}
	if must := f.Outcome == Throttled && (f.Status == 503 || f.Hint > GateHint || f.Hint >= GateHint && target.Lane == Forward); r.Gated != must {
		t.Fatalf("%+v on %v: gated %v", f, target, r.Gated)
	}
	if r.FaultOpened || r.FaultClosed {
		m.faults[target] = r.FaultOpened
	}
	if again {
		fl.task.Due = m.now + r.Wait
		m.pushTask(t, fl.task)
	}
}

// advance moves time on, at most to the wake; nothing may be granted sooner.
func (m *model) advance(t *rapid.T) {
	step := rapid.SampledFrom([]int64{1, 3 * ms, 20 * ms, 100 * ms, 1500 * ms, 400_000 * ms}).Draw(t, "step")
	for _, _, ok := m.s.Next(-1); ok; {
		t.Fatalf("granted in the past")
	}
	task, g, ok := m.s.Next(m.now)
	for ; ok; task, g, ok = m.s.Next(m.now) {
		m.admit(t, task, g)
	}
	m.refill(t)
	if wake := m.s.Wake(); wake > m.now+1 && m.now+step >= wake {
		m.now = wake - 1
		if _, _, ok := m.s.Next(m.now); ok {
			t.Fatalf("granted before the wake, %d", wake)
		}
		m.now = wake
		return
	}
	m.now += step
}

// drain ends every hindrance: then everything is granted, in time.
func (m *model) drain(t *rapid.T) {
	for _, name := range m.scopes() {
		m.resumeScope(name)
	}
	for m.granted = 0; len(m.memory)+len(m.store)+len(m.flight) > 0; {
		left := len(m.memory) + len(m.store)
		task, g, ok := m.s.Next(m.now)
		switch {
		case ok:
			m.admit(t, task, g)
			continue
		case len(m.flight) > 0:
			m.land(t, 0, Feedback{Outcome: OK, Status: 200}, false)
			continue
		}
		m.refill(t)
		if task, g, ok = m.s.Next(m.now); ok {
			m.admit(t, task, g)
			continue
		}
		wake := m.s.Wake()
		if wake <= m.now || wake == math.MaxInt64 {
			t.Fatalf("%d tasks wait at %d, and the wake is %d", left, m.now, wake)
		}
		m.now = wake
	}
	check(t, m.s)
}
