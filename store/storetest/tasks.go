package storetest

import (
	"slices"

	"github.com/unwindhq/unwind/store"
)

var (
	payments = store.Queue{Target: "payments", SagaType: "place-order"}
	low      = store.Queue{Target: "payments", SagaType: "place-order", Class: 2}
	acme     = store.Queue{Target: "payments", SagaType: "place-order", Tenant: "acme"}
	refunds  = store.Queue{Target: "payments", SagaType: "refund"}
	stock    = store.Queue{Target: "inventory", SagaType: "place-order", Class: 1}
)

// put returns the change that puts a task into its queue.
func put(t store.Transition, step int, q store.Queue, due int64) store.TaskChange {
	return store.TaskChange{Task: store.Task{Saga: t.Saga, Step: step, Queue: q, Due: due, QueuedAt: t.At}}
}

func take(t store.Transition, step int) store.TaskChange {
	return store.TaskChange{Task: store.Task{Saga: t.Saga, Step: step}, Delete: true}
}

// queued starts a saga with the tasks.
func (s *scene) queued(changes ...func(store.Transition) store.TaskChange) store.Transition {
	t := s.anonymous()
	t.Phase = compensating
	for _, c := range changes {
		t.Tasks = append(t.Tasks, c(t))
	}
	return s.committed(t)
}

func at(step int, q store.Queue, due int64) func(store.Transition) store.TaskChange {
	return func(t store.Transition) store.TaskChange { return put(t, step, q, due) }
}

// stored is a change's task as the store gives it.
func (s *scene) stored(c store.TaskChange) store.Task {
	c.Epoch = s.epoch
	return c.Task
}

func (s *scene) tasks(q store.Queue, limit int) []store.Task {
	s.Helper()
	return must(s.Tasks(s.Context(), q, limit))(s)
}

func taskIsReadBackAsItWasPut(s *scene) {
	t := s.anonymous()
	task := store.Task{
		Saga: t.Saga, Step: 127, Queue: low, Generation: 3, Attempt: 4_000_000_000,
		Due: s.now + 5, QueuedAt: s.now - 5, Ask: true,
	}
	t.Tasks = []store.TaskChange{{Task: task}}
	s.committed(t)
	task.Epoch = s.epoch
	s.is("the queue", s.tasks(low, 0), []store.Task{task})
}

func tasksComeInTheOrderOfDueSagaAndStep(s *scene) {
	a := s.queued(at(2, payments, 50), at(1, payments, 50), at(3, payments, 90))
	b := s.queued(at(1, payments, 10), at(2, payments, 50))
	want := []store.Task{s.stored(b.Tasks[0]), s.stored(a.Tasks[1]), s.stored(a.Tasks[0]), s.stored(b.Tasks[1]), s.stored(a.Tasks[2])}
	s.is("the queue", s.tasks(payments, 0), want)
	s.is("its first three", s.tasks(payments, 3), want[:3])
}

func queuesAreApart(s *scene) {
	queues := []store.Queue{payments, low, acme, refunds, stock}
	for _, q := range queues {
		s.queued(at(1, q, 10))
	}
	for _, q := range queues {
		tasks := s.tasks(q, 0)
		s.is("how many tasks the queue has", len(tasks), 1)
		s.is("the task's queue", tasks[0].Queue, q)
	}
	s.is("a queue without tasks", s.tasks(store.Queue{Target: "payments"}, 0), []store.Task{})
}

func taskIsReplacedByTheNextOfItsStep(s *scene) {
	t := s.queued(at(1, payments, 10), at(2, payments, 20))
	moved := s.then(t)
	later, elsewhere := put(moved, 1, payments, 30), put(moved, 2, stock, 20)
	later.Attempt, later.Generation = 2, 1
	moved.Tasks = []store.TaskChange{later, elsewhere}
	s.committed(moved)
	s.is("the queue", s.tasks(payments, 0), []store.Task{s.stored(later)})
	s.is("the other target's queue", s.tasks(stock, 0), []store.Task{s.stored(elsewhere)})
}

func taskIsTakenOut(s *scene) {
	a, b := s.queued(at(1, payments, 10), at(2, payments, 20)), s.queued(at(1, payments, 10))
	next := s.then(a)
	next.Tasks = []store.TaskChange{take(a, 1), take(a, 7)} // step 7 has none
	s.committed(next)
	s.is("the queue", s.tasks(payments, 0), []store.Task{s.stored(b.Tasks[0]), s.stored(a.Tasks[1])})
}

func changesOfOneTaskApplyInTheirOrder(s *scene) {
	t := s.anonymous()
	t.Tasks = []store.TaskChange{
		put(t, 1, payments, 10), take(t, 1),
		take(t, 2), put(t, 2, payments, 20),
		put(t, 3, payments, 30), put(t, 3, payments, 5),
	}
	s.committed(t)
	s.is("the queue", s.tasks(payments, 0), []store.Task{s.stored(t.Tasks[5]), s.stored(t.Tasks[3])})
}

func queuesAreCounted(s *scene) {
	s.is("the queues of an empty store", must(s.Queues(s.Context(), 0))(s), []store.QueueDepth{})
	a := s.queued(at(1, payments, 100), at(2, payments, 101), at(3, low, 100), at(4, stock, 300), at(5, acme, 100))
	b := s.queued(at(1, payments, 99), at(2, refunds, 500))
	s.is("the queues", must(s.Queues(s.Context(), 100))(s), []store.QueueDepth{
		{Queue: stock, BackingOff: 1, Oldest: a.At},
		{Queue: payments, Ready: 2, BackingOff: 1, Oldest: a.At},
		{Queue: low, Ready: 1, Oldest: a.At},
		{Queue: acme, Ready: 1, Oldest: a.At},
		{Queue: refunds, BackingOff: 1, Oldest: b.At},
	})
	next := s.then(a)
	next.Tasks = []store.TaskChange{take(a, 1), take(a, 2), take(a, 3), take(a, 4), take(a, 5)}
	s.committed(next)
	s.is("the queues once the first saga's tasks are gone", must(s.Queues(s.Context(), 500))(s), []store.QueueDepth{
		{Queue: payments, Ready: 1, Oldest: b.At},
		{Queue: refunds, Ready: 1, Oldest: b.At},
	})
}

// A storm queues thousands for the same moment.
func longQueueKeepsItsOrder(s *scene) {
	var want []store.Task
	for range 300 {
		t := s.queued(at(2, payments, 10), at(1, payments, 10))
		want = append(want, s.stored(t.Tasks[1]), s.stored(t.Tasks[0]))
	}
	s.is("the queue", s.tasks(payments, 1000), want)
	s.is("its beginning", s.tasks(payments, 5), slices.Clone(want[:5]))
}
