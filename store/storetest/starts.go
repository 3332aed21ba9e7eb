package storetest

import (
	"errors"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

func startIsReadBack(s *scene) {
	start := s.committed(s.start("place-order", "acme", "ORD-1", `{"total":12.50}`))
	s.is("the saga", s.load(start.Saga), store.Saga{
		ID: start.Saga, Start: *start.Start, Version: 1, Epoch: s.epoch, Due: store.Active,
		CreatedAt: start.At, UpdatedAt: start.At, State: start.State,
		Journal: []store.JournalRow{{Saga: start.Saga, Epoch: s.epoch, Node: "node-a", At: start.At, Body: start.Journal}},
	})
	s.is("what the key began", s.findKey("acme", "place-order", "ORD-1"), store.Key{Saga: start.Saga})
}

func sameKeyAndInputIsOneSaga(s *scene) {
	first := s.committed(s.start("place-order", "acme", "ORD-1", `{"total":1}`))
	before := s.observe()
	s.is("the second start", s.commit(s.start("place-order", "acme", "ORD-1", `{"total":1}`))[0],
		store.Result{Outcome: store.Duplicate, Saga: first.Saga})
	s.is("what is stored", s.observe(), before)
}

func sameKeyWithOtherInputIsRefused(s *scene) {
	first := s.committed(s.start("place-order", "acme", "ORD-1", `{"total":1}`))
	before := s.observe()
	s.is("the second start", s.commit(s.start("place-order", "acme", "ORD-1", `{"total":2}`))[0],
		store.Result{Outcome: store.KeyReused, Saga: first.Saga})
	s.is("what is stored", s.observe(), before)
}

func keyOutlivesTheSagasWay(s *scene) {
	first := s.committed(s.start("place-order", "", "ORD-1", `{}`))
	end := s.then(first)
	end.Phase, end.Due, end.SetDue = completed, store.AtRest, true
	s.committed(end)
	s.is("a start after the end", s.commit(s.start("place-order", "", "ORD-1", `{}`))[0],
		store.Result{Outcome: store.Duplicate, Saga: first.Saga})
}

func keyBelongsToTenantAndName(s *scene) {
	// The last two differ only in where one part ends and the next begins.
	starts := []store.Transition{
		s.start("place-order", "acme", "ORD-1", `{}`),
		s.start("place-order", "", "ORD-1", `{}`),
		s.start("place-order", "ACME", "ORD-1", `{}`),
		s.start("refund", "acme", "ORD-1", `{"other":true}`),
		s.start("place-orderacme", "", "ORD-1", `{}`),
		s.start("acme", "place-order", "ORD-1", `{}`),
	}
	for _, r := range s.commit(starts...) {
		s.is("each start", r, store.Result{Outcome: store.Committed})
	}
	for _, t := range starts {
		s.is("what the key began", s.findKey(t.Start.Tenant, t.Start.Name, t.Start.Key), store.Key{Saga: t.Saga})
	}
}

func duplicatesMeetInsideOneBatch(s *scene) {
	first := s.start("place-order", "", "ORD-1", `{"total":1}`)
	s.is("the outcomes", s.commit(
		first,
		s.start("place-order", "", "ORD-1", `{"total":1}`),
		s.start("place-order", "", "ORD-2", `{"total":1}`),
		s.start("place-order", "", "ORD-1", `{"total":2}`),
	), []store.Result{
		{Outcome: store.Committed},
		{Outcome: store.Duplicate, Saga: first.Saga},
		{Outcome: store.Committed},
		{Outcome: store.KeyReused, Saga: first.Saga},
	})
	s.is("how many sagas there are", len(s.observe().Sagas), 2)
}

func startsWithoutKeyNeverMeet(s *scene) {
	for _, r := range s.commit(s.anonymous(), s.anonymous(), s.anonymous()) {
		s.is("each start", r, store.Result{Outcome: store.Committed})
	}
	if _, err := s.FindKey(s.Context(), "", "place-order", ""); !errors.Is(err, store.ErrNotFound) {
		s.Fatalf("finding the empty key: %v; the empty key names no saga", err)
	}
}

// Among a few billion keys two share a hash of 64 bits; they are two keys all
// the same.
func keysThatShareTheirHashAreTwo(s *scene) {
	first, second := s.start("place-order", "", "ORD-1", `{}`), s.start("place-order", "", "ORD-2", `{}`)
	second.Start.KeyHash = first.Start.KeyHash
	s.committed(first)
	s.committed(second)
	again := s.start("place-order", "", "ORD-2", `{}`)
	again.Start.KeyHash = first.Start.KeyHash
	s.is("the second key's next start", s.commit(again)[0], store.Result{Outcome: store.Duplicate, Saga: second.Saga})
	s.is("what the first key began", s.findKey("", "place-order", "ORD-1"), store.Key{Saga: first.Saga})
}

// The writer did not hear the answer and asks once more.
func startMadeAgainIsADuplicate(s *scene) {
	start := s.committed(s.start("place-order", "", "ORD-1", `{}`))
	s.is("the same start again", s.commit(start)[0], store.Result{Outcome: store.Duplicate, Saga: start.Saga})
}

func startOnATakenIDConflicts(s *scene) {
	start := s.committed(s.anonymous())
	before := s.observe()
	again := s.anonymous()
	again.Saga = start.Saga
	s.is("the same id again", s.commit(again)[0], store.Result{Outcome: store.Conflicting})
	s.is("what is stored", s.observe(), before)
}

func unknownSagasAndKeysAreNotFound(s *scene) {
	start := s.full(s.start("place-order", "acme", "ORD-1", `{}`))
	s.committed(start)
	guessed := s.then(start)
	guessed.Saga[15] ^= 1 // the same place in the order of making
	if _, err := s.Load(s.Context(), guessed.Saga); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("loading an id that is another's but for its chance: %v", err)
	}
	if _, err := s.DeadLetter(s.Context(), store.DeadLetterID{Saga: guessed.Saga, Direction: unwind.Action}); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("finding that id's dead letter: %v", err)
	}
	s.is("that id's transition", s.commit(guessed)[0], store.Result{Outcome: store.Conflicting})
	unknown := s.ids.New(0)
	if _, err := s.Load(s.Context(), unknown); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("loading an unknown saga: %v", err)
	}
	if _, err := s.Load(s.Context(), id.ID{}); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("loading the zero id: %v", err)
	}
	for _, key := range [][3]string{{"acme", "place-order", "ORD-2"}, {"", "place-order", "ORD-1"}, {"acme", "refund", "ORD-1"}} {
		if _, err := s.FindKey(s.Context(), key[0], key[1], key[2]); !errors.Is(err, store.ErrNotFound) {
			s.Errorf("finding %q: %v", key, err)
		}
	}
}
