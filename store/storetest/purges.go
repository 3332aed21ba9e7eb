package storetest

import (
	"errors"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// rested starts a saga that is at rest in the phase.
func (s *scene) rested(phase uint8, key string) store.Transition {
	t := s.start("place-order", "", key, `{}`)
	t.Phase, t.Due = phase, store.AtRest
	return s.committed(t)
}

func (s *scene) purge(before int64, limit int) int {
	s.Helper()
	return must(s.Purge(s.Context(), s.epoch, before, limit))(s)
}

func purgeTakesOnlyWhatEndedWell(s *scene) {
	var kept []id.ID
	for _, phase := range []uint8{running, compensating, completed, compensated, deadLettered} {
		t := s.rested(phase, "")
		if phase != completed && phase != compensated {
			kept = append(kept, t.Saga)
		}
	}
	s.is("how many were purged", s.purge(s.now+1, 0), 2)
	slices.Reverse(kept)
	s.is("what is left", s.list(store.Filter{}), kept)
	s.is("how many are purged next", s.purge(s.now+1, 0), 0)
}

func purgeTakesOnlyWhatRestedLongEnough(s *scene) {
	long, young := s.rested(completed, ""), s.rested(completed, "")
	s.is("how many were purged before the first came to rest", s.purge(long.At, 0), 0)
	moved := s.then(long) // a late answer
	s.committed(moved)
	s.is("how many were purged before the first was updated", s.purge(young.At+1, 0), 1)
	s.is("what is left", s.list(store.Filter{}), []id.ID{long.Saga})
	s.is("how many were purged after that", s.purge(moved.At+1, 0), 1)
}

func purgeTakesAllThatBelongsToASaga(s *scene) {
	s.committed(s.full(s.start("place-order", "", "ORD-1", `{}`)))
	before := s.observe()
	gone := s.full(s.start("place-order", "", "ORD-2", `{}`))
	gone.DeadLetters[0].Open.State = unwind.DeadLetterReplayed
	gone.Alerts, gone.Audit = nil, nil
	s.committed(gone)
	end := s.then(gone)
	end.Phase, end.Due, end.SetDue = compensated, 5, true // a due that nobody cleared goes too
	s.committed(end)
	s.is("how many were purged", s.purge(s.now+1, 0), 1)
	s.is("what is left", s.observe(), before)
	if _, err := s.Load(s.Context(), gone.Saga); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("loading the purged saga: %v", err)
	}
	if _, err := s.DeadLetter(s.Context(), gone.DeadLetters[0].Open.DeadLetterID); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("finding the purged saga's dead letter: %v", err)
	}
	s.is("a transition of the purged saga", s.commit(s.then(end))[0], store.Result{Outcome: store.Conflicting})
}

func purgeFreesTheKey(s *scene) {
	s.rested(completed, "ORD-1")
	s.is("how many were purged", s.purge(s.now+1, 0), 1)
	if _, err := s.FindKey(s.Context(), "", "place-order", "ORD-1"); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("finding the purged saga's key: %v", err)
	}
	again := s.start("place-order", "", "ORD-1", `{"other":true}`)
	s.is("a start with the key", s.commit(again)[0], store.Result{Outcome: store.Committed})
	s.is("the key's saga", must(s.FindKey(s.Context(), "", "place-order", "ORD-1"))(s), again.Saga)
}

func purgeWorksInSmallBatches(s *scene) {
	for range 7 {
		s.rested(completed, "")
	}
	var counts []int
	for range 4 {
		counts = append(counts, s.purge(s.now+1, 3))
		s.committed(s.anonymous())
	}
	s.is("how many were purged each time", counts, []int{3, 3, 1, 0})
	s.is("how many are left", len(s.list(store.Filter{})), 4)
}

func purgeKeepsWhatNobodySettled(s *scene) {
	var kept []id.ID
	for _, state := range []unwind.DeadLetterState{
		unwind.DeadLetterOpen, unwind.DeadLetterReplaying, unwind.DeadLetterReplayed, unwind.DeadLetterResolved,
	} {
		t := s.anonymous()
		settled, d := s.dead(t, 1, unwind.Action), s.dead(t, 1, unwind.Compensation)
		settled.State, d.State = unwind.DeadLetterResolved, state
		t.DeadLetters = []store.DeadLetterChange{{Open: &d}, {Open: &settled}}
		t.Phase, t.Due = compensated, store.AtRest
		s.committed(t)
		if state == unwind.DeadLetterOpen || state == unwind.DeadLetterReplaying {
			kept = append(kept, t.Saga)
		}
	}
	s.is("how many were purged", s.purge(s.now+1, 0), 2)
	slices.Reverse(kept)
	s.is("what is left", s.list(store.Filter{}), kept)
	s.is("how many dead letters are left", len(s.deadLetters(store.DeadLetterFilter{})), 4)
}

func purgeKeepsAlertsAndAudit(s *scene) {
	s.purgeable()
	before := s.observe()
	s.is("how many were purged", s.purge(s.now+1, 0), 1)
	after := s.observe()
	s.is("the alerts", after.Alerts, before.Alerts)
	s.is("the audit", after.Audit, before.Audit)
}
