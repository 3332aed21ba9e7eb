package storetest

import (
	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

func transitionMovesTheSagaOn(s *scene) {
	start := s.committed(s.start("place-order", "acme", "ORD-1", `{"total":1}`))
	turn := s.then(start)
	turn.Phase, turn.Due, turn.SetDue = compensating, s.now+5*second, true
	s.committed(turn)
	s.is("the saga", s.load(start.Saga), store.Saga{
		ID: start.Saga, Start: *start.Start, Version: 2, Epoch: s.epoch, Phase: compensating, Due: turn.Due,
		CreatedAt: start.At, UpdatedAt: turn.At, State: turn.State,
		Journal: []store.JournalRow{
			{Saga: start.Saga, Epoch: s.epoch, Node: "node-a", At: start.At, Body: start.Journal},
			{Saga: start.Saga, Epoch: s.epoch, Node: "node-a", At: turn.At, Body: turn.Journal},
		},
	})
}

func dueStaysWhereItIsNotSet(s *scene) {
	start := s.start("place-order", "", "", `{}`)
	start.Due, start.SetDue = 77, false
	s.committed(start)
	s.is("a start's due", s.load(start.Saga).Due, store.Active)
	later := s.then(start)
	later.Due, later.SetDue = 42*second, true
	s.committed(later)
	kept := s.then(later)
	kept.Due = 77
	s.committed(kept)
	s.is("the due of a transition that sets none", s.load(start.Saga).Due, later.Due)
}

// full is a transition with a row of every kind.
func (s *scene) full(t store.Transition) store.Transition {
	t.Tasks = []store.TaskChange{{Task: store.Task{Saga: t.Saga, Step: 1, Queue: store.Queue{Target: "payments", SagaType: "place-order"}, Due: s.now}}}
	t.DeadLetters = []store.DeadLetterChange{{Open: &store.DeadLetter{
		DeadLetterID: store.DeadLetterID{Saga: t.Saga, Direction: unwind.Action}, State: unwind.DeadLetterOpen, DeadAt: s.now,
	}}}
	t.Alerts = []store.Alert{{At: s.now, Kind: unwind.AlertDeadLetter, Saga: t.Saga, Message: "refund failed"}}
	t.Audit = &store.Audit{At: s.now, Actor: "ada", Action: "cancel", Target: t.Saga.String()}
	return t
}

func conflictWritesNoneOfItsRows(s *scene) {
	start := s.committed(s.start("place-order", "", "ORD-1", `{}`))
	two := s.committed(s.then(start))
	stale, early, unknown, first := s.full(s.then(start)), s.full(s.then(two)), s.full(s.then(start)), s.full(s.then(start))
	early.Version++
	unknown.Saga = s.ids.New(0)
	first.Saga, first.Version = s.ids.New(0), 1
	before := s.observe()
	for _, r := range s.commit(stale, early, unknown, first) {
		s.is("a transition that does not follow", r, store.Result{Outcome: store.Conflicting})
	}
	s.is("what is stored", s.observe(), before)
}

func conflictLeavesTheOthersAlone(s *scene) {
	one, two := s.committed(s.anonymous()), s.committed(s.anonymous())
	stale := s.full(s.then(one))
	stale.Version += 5
	duplicate := s.committed(s.start("place-order", "", "ORD-1", `{}`))
	again := s.full(s.start("place-order", "", "ORD-1", `{}`))
	s.is("the outcomes", s.commit(s.then(one), stale, s.full(s.then(two)), again, s.anonymous()), []store.Result{
		{Outcome: store.Committed},
		{Outcome: store.Conflicting},
		{Outcome: store.Committed},
		{Outcome: store.Duplicate, Saga: duplicate.Saga},
		{Outcome: store.Committed},
	})
	o := s.observe()
	s.is("how many sagas there are", len(o.Sagas), 4)
	s.is("the first saga's version", s.load(one.Saga).Version, uint64(2))
	s.is("the second saga's version", s.load(two.Saga).Version, uint64(2))
	s.is("how many tasks, dead letters, alerts and audit rows there are",
		[]int{len(o.Tasks), len(o.DeadLetters), len(o.Alerts), len(o.Audit)}, []int{1, 1, 1, 1})
}

func batchBuildsOnItself(s *scene) {
	start := s.anonymous()
	two := s.then(start)
	three := s.then(two)
	s.is("the outcomes", s.commit(start, two, three), []store.Result{
		{Outcome: store.Committed}, {Outcome: store.Committed}, {Outcome: store.Committed},
	})
	saga := s.load(start.Saga)
	s.is("the version", saga.Version, uint64(3))
	s.is("the state", saga.State, three.State)
	s.is("how many rows its journal has", len(saga.Journal), 3)
}

// What follows a conflict was decided on a state that never was, also where its
// version fits what somebody else has written.
func conflictTakesItsSuccessorsWithIt(s *scene) {
	start := s.committed(s.anonymous())
	theirs := s.committed(s.then(start))
	mine := s.then(start)
	next := s.then(theirs)
	before := s.observe()
	s.is("the outcomes", s.commit(mine, next), []store.Result{{Outcome: store.Conflicting}, {Outcome: store.Conflicting}})
	s.is("what is stored", s.observe(), before)
}

func batchRowsDoNotDependOnTransitions(s *scene) {
	start := s.committed(s.anonymous())
	stale := s.then(start)
	stale.Version = 7
	s.is("the outcome", s.write(&store.Batch{
		Transitions: []store.Transition{stale},
		Controls:    []store.Control{{Scope: unwind.Scope{Kind: "compensation", Name: "payments"}, Paused: true, At: s.now}},
		Alerts:      []store.Alert{{At: s.now, Kind: unwind.AlertLaneGuard}},
		Audit:       []store.Audit{{At: s.now, Action: "pause"}},
	})[0], store.Result{Outcome: store.Conflicting})
	o := s.observe()
	s.is("how many controls, alerts and audit rows there are", []int{len(o.Controls), len(o.Alerts), len(o.Audit)}, []int{1, 1, 1})
}

func doneContextWritesNothing(s *scene) {
	start := s.committed(s.anonymous())
	before := s.observe()
	ctx := s.cancelled()
	if _, err := s.Commit(ctx, &store.Batch{Epoch: s.epoch, Transitions: []store.Transition{s.full(s.then(start))}}); err == nil {
		s.Error("Commit with a context that is done gave no error")
	}
	if _, err := s.PutDefinition(ctx, s.epoch, store.Definition{Name: "place-order", Version: "1"}, store.Audit{}); err == nil {
		s.Error("PutDefinition with a context that is done gave no error")
	}
	s.is("what is stored", s.observe(), before)
	s.is("the next commit", s.commit(s.then(start))[0], store.Result{Outcome: store.Committed})
}

func emptyBatchIsAnswered(s *scene) {
	before := s.observe()
	s.is("the answers", s.commit(), []store.Result{})
	s.is("what is stored", s.observe(), before)
}
