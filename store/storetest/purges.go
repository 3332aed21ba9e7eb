package storetest

import (
	"errors"
	"fmt"
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

// purge deletes sagas and frees their keys.
func (s *scene) purge(before int64, limit int) int {
	s.Helper()
	return must(s.Purge(s.Context(), s.epoch, before, before, limit))(s)
}

func (s *scene) purgeKeys(before int64, limit int) int {
	s.Helper()
	return must(s.PurgeKeys(s.Context(), s.epoch, before, limit))(s)
}

func (s *scene) findKey(tenant, name, key string) store.Key {
	s.Helper()
	return must(s.FindKey(s.Context(), tenant, name, key))(s)
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
	s.is("what the key began", s.findKey("", "place-order", "ORD-1"), store.Key{Saga: again.Saga})
}

// kept purges a saga whose key stays taken, and returns what FindKey is to say of it.
func (s *scene) kept(key string) store.Key {
	s.Helper()
	t := s.start("place-order", "acme", key, `{"total":1}`)
	s.committed(t)
	end := s.then(t)
	end.Phase, end.Due, end.SetDue = compensated, store.AtRest, true
	s.committed(end)
	s.is("how many were purged", must(s.Purge(s.Context(), s.epoch, end.At+1, end.At, 0))(s), 1)
	return store.Key{Saga: t.Saga, Purged: true, Version: t.Start.Version, Phase: compensated, CreatedAt: t.At, UpdatedAt: end.At}
}

// A key that is kept is answered as before its saga was purged.
func (s *scene) keyIsTaken(key string, by store.Key) {
	s.Helper()
	again, other := s.start("place-order", "acme", key, `{"total":1}`), s.start("place-order", "acme", key, `{"total":2}`)
	s.is("starts with a kept key", s.commit(again, other), []store.Result{{Outcome: store.Duplicate, Saga: by.Saga}, {Outcome: store.KeyReused, Saga: by.Saga}})
	s.is("what the key began", s.findKey("acme", "place-order", key), by)
}

func purgeKeepsAKeyUntilItIsFreed(s *scene) {
	before := s.observe()
	by := s.kept("ORD-1")
	after := s.observe()
	before.Stats, after.Stats = unwind.Stats{}, unwind.Stats{}
	s.is("what is left", after, before)
	s.keyIsTaken("ORD-1", by)
	other := []store.Transition{s.start("place-order", "", "ORD-1", `{}`), s.start("refund", "acme", "ORD-1", `{}`), s.start("place-order", "acme", "ORD-2", `{}`)}
	for i, r := range s.commit(other...) {
		s.is(fmt.Sprintf("start %d with another identity", i), r, store.Result{Outcome: store.Committed})
	}
	if _, err := s.Load(s.Context(), by.Saga); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("loading the purged saga: %v", err)
	}
	s.is("how many keys were freed too early", s.purgeKeys(by.UpdatedAt, 0), 0)
	s.keyIsTaken("ORD-1", by)
	s.is("how many keys were freed", s.purgeKeys(by.UpdatedAt+1, 0), 1)
	again := s.start("place-order", "acme", "ORD-1", `{"total":2}`)
	s.is("a start with the key that is free", s.commit(again)[0], store.Result{Outcome: store.Committed})
	s.is("what the key began", s.findKey("acme", "place-order", "ORD-1"), store.Key{Saga: again.Saga})
	s.is("how many keys are freed next", s.purgeKeys(s.now+second, 0), 0)
}

func purgeForgetsWhatHadNoKey(s *scene) {
	s.rested(completed, "")
	s.is("how many were purged", must(s.Purge(s.Context(), s.epoch, s.now+1, 0, 0))(s), 1)
	s.is("how many keys there were", s.purgeKeys(s.now+second, 0), 0)
}

func keysAreFreedInSmallBatches(s *scene) {
	var last store.Key
	for i := range 7 {
		last = s.kept(fmt.Sprint(i))
	}
	var counts []int
	for range 4 {
		counts = append(counts, s.purgeKeys(last.UpdatedAt, 4))
	}
	s.is("how many were freed each time", counts, []int{4, 2, 0, 0})
	s.keyIsTaken("6", last)
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
