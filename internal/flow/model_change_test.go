package flow

import (
	"time"

	"pgregory.net/rapid"
)

func drawLimits(t *rapid.T) Limits {
	return Limits{
		Rate: rapid.SampledFrom([]Rate{{}, {N: Unlimited}, PerSecond(1), PerSecond(7), PerSecond(50),
			PerSecond(1000), {100, int64(time.Minute)}, {3, 7}}).Draw(t, "rate"),
		Concurrency: rapid.SampledFrom([]int{0, Unlimited, 1, 2, 5}).Draw(t, "concurrency"),
		Burst:       rapid.SampledFrom([]int{0, 1, 2, 6}).Draw(t, "burst"),
	}
}

func (m *model) configure(t *rapid.T) {
	name := m.drawScope(t)
	l := drawLimits(t)
	m.configured[name] = l
	m.s.Configure(name, l, m.now)
	m.limit()
}

func (m *model) pause(t *rapid.T) {
	name := m.drawScope(t)
	m.s.Pause(name, "test", Never, m.now)
	m.buckets[name].paused = true
}

func (m *model) resume(t *rapid.T) { m.resumeScope(m.drawScope(t)) }

func (m *model) resumeScope(name Scope) {
	m.s.Resume(name, m.now)
	if b := m.buckets[name]; b.paused {
		b.paused = false
		b.flow(m.now)
		b.level = min(b.level, 1)
	}
}

func (m *model) gate(t *rapid.T) {
	target := drawTarget(t)
	until := m.now + rapid.Int64Range(-100, 3000).Draw(t, "until")*ms
	m.s.Gate(target, until, "test", m.now)
	m.gates[target] = max(m.gates[target], until)
}

func (m *model) weight(t *rapid.T) {
	m.s.Weight(m.drawScope(t), rapid.IntRange(-1, 2*MaxWeight).Draw(t, "weight"))
}

func (m *model) dead(t *rapid.T) {
	target := drawTarget(t)
	for n := range rapid.IntRange(1, GuardRun).Draw(t, "dead") {
		if m.s.DeadLettered(target, sagaKey(uint64(n), Forward).Saga, "422", m.now) {
			m.buckets[target.Scope()].paused = true
		}
	}
}

// refill reads the store for whatever asks for it, as the caller does.
func (m *model) refill(t *rapid.T) {
	for rounds := 0; ; rounds++ {
		if rounds > 10_000 {
			t.Fatalf("a queue asks for a refill again and again")
		}
		name, room, ok := m.s.Short(m.now)
		if !ok {
			return
		}
		var tasks []Task
		for _, k := range m.order {
			if task, in := m.store[k]; in && task.Queue() == name {
				at := len(tasks)
				for at > 0 && tasks[at-1].Due > task.Due {
					at--
				}
				tasks = append(tasks[:at], append([]Task{task}, tasks[at:]...)...)
			}
		}
		rest := int64(Never)
		if len(tasks) > room {
			tasks, rest = tasks[:room], tasks[room].Due
		}
		if added := m.s.Refill(name, tasks, rest, m.now); added != len(tasks) {
			t.Fatalf("there was room for %d, %d were added", room, added)
		}
		for _, task := range tasks {
			delete(m.store, task.Key)
			m.hold(task)
		}
	}
}
