package storetest

import (
	"errors"
	"math"
	"testing"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// RunDamage holds stores to what they owe when the rows of one saga can't be
// read: open returns an empty store and how to damage a saga of it.
func RunDamage(t *testing.T, open func(t *testing.T) (st store.Store, damage func(saga id.ID))) {
	for _, b := range damageSuite {
		t.Run(titled(b.guarantee, b.name), func(t *testing.T) {
			st, damage := open(t)
			s := newScene(t, st)
			var three [3]store.Transition
			for i, key := range []string{"ORD-1", "ORD-2", "ORD-3"} {
				three[i] = s.committed(s.start("place-order", "acme", key, `{"total":1}`))
			}
			damage(three[1].Saga)
			b.test(s, three)
		})
	}
}

var damageSuite = []struct {
	guarantee, name string
	test            func(s *scene, three [3]store.Transition)
}{
	{"Liveness", "a claim names the damaged saga and returns the others", claimNamesTheDamaged},
	{"Store", "a list names the damaged saga and returns the others", listNamesTheDamaged},
	{"Store", "a damaged saga is not loaded", damagedIsNotLoaded},
	{"G7", "a transition of a damaged saga leaves the others alone", transitionOfTheDamagedLeavesTheOthersAlone},
	{"G1", "a start with a damaged saga's key is a duplicate", startWithADamagedKeyIsADuplicate},
	{"G13", "the journal goes on past a damaged saga", journalGoesOnPastTheDamaged},
	{"G1", "a purge passes a damaged saga over", purgePassesTheDamagedOver},
}

// isDamaged fails unless the middle one, and no other, is named as damaged.
func (s *scene) isDamaged(found []store.Saga, three [3]store.Transition) {
	s.Helper()
	if len(found) != 3 {
		s.Fatalf("%d sagas came, and there are 3", len(found))
	}
	for i := range found {
		is := &found[i]
		damaged := errors.Is(is.Damage, store.ErrDamaged)
		if is.ID.Sequence() != three[i].Saga.Sequence() || is.Due != store.Active || damaged != (i == 1) || !damaged && (is.Damage != nil || is.ID != three[i].Saga || is.Key == "") {
			s.Errorf("saga %d is %+v", i, is)
		}
	}
}

func claimNamesTheDamaged(s *scene, three [3]store.Transition) {
	s.isDamaged(s.claim(store.AtRest, id.ID{}, math.MaxInt64, 0), three)
	page := s.claim(store.AtRest, id.ID{}, math.MaxInt64, 2)
	s.is("what comes after it", sagaIDs(s.claim(page[1].Due, page[1].ID, math.MaxInt64, 0)), []id.ID{three[2].Saga})
}

func listNamesTheDamaged(s *scene, three [3]store.Transition) {
	found, _ := mustPage(s.List(s.Context(), store.Filter{}))(s)
	three[0], three[2] = three[2], three[0]
	s.isDamaged(found, three)
	s.is("another one by its key", s.list(store.Filter{Key: "ORD-1"}), []id.ID{three[2].Saga})
}

func damagedIsNotLoaded(s *scene, three [3]store.Transition) {
	named := s.claim(store.AtRest, id.ID{}, math.MaxInt64, 0)[1].ID
	for _, saga := range []id.ID{three[1].Saga, named} {
		if _, err := s.Load(s.Context(), saga); !errors.Is(err, store.ErrDamaged) {
			s.Errorf("loading it as %s: %v", saga, err)
		}
	}
	s.is("another one's input", string(s.load(three[2].Saga).Input), `{"total":1}`)
}

func transitionOfTheDamagedLeavesTheOthersAlone(s *scene, three [3]store.Transition) {
	results := s.commit(s.then(three[0]), s.then(three[1]), s.then(three[2]))
	s.is("the others' outcomes", []store.Result{results[0], results[2]}, []store.Result{{Outcome: store.Committed}, {Outcome: store.Committed}})
	s.is("another one's version", s.load(three[2].Saga).Version, uint64(2))
}

func startWithADamagedKeyIsADuplicate(s *scene, three [3]store.Transition) {
	results := s.commit(s.start("place-order", "acme", "ORD-2", `{"total":1}`), s.start("place-order", "acme", "ORD-4", `{}`))
	s.is("the outcomes", []store.Outcome{results[0].Outcome, results[1].Outcome}, []store.Outcome{store.Duplicate, store.Committed})
	s.is("the place of the saga it names", results[0].Saga.Sequence(), three[1].Saga.Sequence())
}

func journalGoesOnPastTheDamaged(s *scene, three [3]store.Transition) {
	for _, limit := range []int{1, 100} {
		rows := must(journalFrom(s.Context(), s.Store, "", limit))(s)
		if len(rows) != 3 || rows[0].Saga != three[0].Saga || !errors.Is(rows[1].Damage, store.ErrDamaged) || rows[2].Saga != three[2].Saga {
			s.Errorf("the journal in pages of %d is %+v", limit, rows)
		}
	}
}

func purgePassesTheDamagedOver(s *scene, three [3]store.Transition) {
	for _, i := range []int{0, 2} {
		rest := s.then(three[i])
		rest.Phase, rest.Due, rest.SetDue = completed, store.AtRest, true
		s.committed(rest)
	}
	s.is("how many were purged", s.purge(s.now+1, 0), 2)
	if _, err := s.Load(s.Context(), three[1].Saga); !errors.Is(err, store.ErrDamaged) {
		s.Errorf("loading the damaged one: %v", err)
	}
}
