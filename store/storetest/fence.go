package storetest

import (
	"errors"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

func epochsRise(s *scene) {
	first := s.epoch
	if first <= 0 {
		s.Fatalf("the first epoch is %d; epochs are positive", first)
	}
	s.join()
	if s.epoch <= first {
		s.Fatalf("after epoch %d came %d; epochs rise", first, s.epoch)
	}
}

// refused tries every write with the epoch, and fails if one is not refused or
// changes anything.
func (s *scene) refused(epoch int64, start store.Transition) {
	s.Helper()
	before := s.observe()
	next := s.full(s.then(start))
	_, commit := s.Commit(s.Context(), &store.Batch{
		Epoch: epoch, Node: "node-b", At: s.now,
		Transitions: []store.Transition{next, s.anonymous()},
		Controls:    []store.Control{{Scope: unwind.Scope{Kind: "forward", Name: "payments"}, Paused: true}},
		Alerts:      []store.Alert{{Kind: "deadline"}},
		Audit:       []store.Audit{{Action: "cancel"}},
	})
	_, nothing := s.Commit(s.Context(), &store.Batch{Epoch: epoch})
	_, put := s.PutDefinition(s.Context(), epoch, store.Definition{Name: "place-order", Version: "2"}, store.Audit{Action: "put"})
	_, purge := s.Purge(s.Context(), epoch, s.now+second, s.now+second, 10)
	_, keys := s.PurgeKeys(s.Context(), epoch, s.now+second, 10)
	delivered := s.AlertsDelivered(s.Context(), epoch, "", before.Alerts[0].ID)
	sinks := s.AlertSinks(s.Context(), epoch, nil)
	_, old := s.PurgeAlerts(s.Context(), epoch, s.now+second, 10)
	operation, add := s.AddOperation(s.Context(), epoch, store.Operation{State: store.OperationRunning})
	_, change := s.ChangeOperation(s.Context(), epoch, operation, nil)
	for what, err := range map[string]error{
		"AddOperation": add, "ChangeOperation": change, "AddItems": s.AddItems(s.Context(), epoch, 1, nil),
		"SkipItems": s.SkipItems(s.Context(), epoch, 1, nil), "DropOperation": s.DropOperation(s.Context(), epoch, 1),
		"AddNote": s.AddNote(s.Context(), epoch, store.DeadLetterID{Saga: start.Saga, Direction: unwind.Action}, store.Note{Text: "x"}, store.Audit{}),
		"Commit":  commit, "an empty Commit": nothing, "PutDefinition": put, "Purge": purge, "PurgeKeys": keys, "AlertsDelivered": delivered, "AlertSinks": sinks, "PurgeAlerts": old,
	} {
		if !errors.Is(err, store.ErrFenced) {
			s.Errorf("%s with epoch %d while %d is current: %v; want ErrFenced", what, epoch, s.epoch, err)
		}
	}
	s.is("what is stored", s.observe(), before)
}

// purgeable writes a saga that a purge would take and an alert that is pending,
// so that a write which is not fenced shows.
func (s *scene) purgeable() store.Transition {
	start := s.full(s.anonymous())
	start.DeadLetters = nil
	start.Phase, start.Due = completed, store.AtRest
	return s.committed(start)
}

func writerOfAnOldEpochChangesNothing(s *scene) {
	start := s.purgeable()
	old := s.epoch
	s.join()
	s.refused(old, start)
	s.is("the current writer's transition", s.commit(s.then(start))[0], store.Result{Outcome: store.Committed})
}

func epochThatNobodyWasGivenIsRefused(s *scene) {
	start := s.purgeable()
	s.refused(s.epoch+1, start)
	s.refused(0, start)
	s.refused(-1, start)
}

func rowsCarryTheirWriter(s *scene) {
	first := s.epoch
	start := s.committed(s.anonymous())
	one := s.then(start)
	one.Tasks = []store.TaskChange{
		{Task: store.Task{Saga: start.Saga, Step: 1, Queue: store.Queue{Target: "payments"}, Due: 1, Epoch: 99}},
		{Task: store.Task{Saga: start.Saga, Step: 2, Queue: store.Queue{Target: "payments"}, Due: 2}},
	}
	s.committed(one)
	s.join()
	two := s.then(one)
	two.Tasks = []store.TaskChange{{Task: store.Task{Saga: start.Saga, Step: 2, Queue: store.Queue{Target: "payments"}, Due: 2}}}
	s.committed(two)
	saga := s.load(start.Saga)
	s.is("the saga's epoch", saga.Epoch, s.epoch)
	s.is("its journal's epochs", []int64{saga.Journal[0].Epoch, saga.Journal[1].Epoch, saga.Journal[2].Epoch}, []int64{first, first, s.epoch})
	tasks := must(s.Tasks(s.Context(), store.Queue{Target: "payments"}, 0))(s)
	s.is("the tasks' epochs", []int64{tasks[0].Epoch, tasks[1].Epoch}, []int64{first, s.epoch})
}
