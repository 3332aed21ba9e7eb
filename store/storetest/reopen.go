package storetest

import (
	"errors"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// RunReopen holds stores that keep sagas in a folder to what they owe across a
// restart. Each behaviour opens the stores of a folder of its own, and closes
// them.
func RunReopen(t *testing.T, open func(t *testing.T, dir string) store.Store) {
	for _, b := range reopenSuite {
		t.Run(titled(b.guarantee, b.name), func(t *testing.T) {
			dir := t.TempDir()
			b.test(newScene(t, open(t, dir)), func(s *scene) *scene {
				if err := s.Close(); err != nil {
					s.Fatalf("closing the store: %v", err)
				}
				return s.reopened(open(t, dir))
			})
		})
	}
}

var reopenSuite = []struct {
	guarantee, name string
	test            func(s *scene, reopen func(*scene) *scene)
}{
	{"G1", "all that was committed is there again", committedIsThereAgain},
	{"G1", "a key is known again", keyIsKnownAgain},
	{"G1", "a kept key is known again", keptKeyIsKnownAgain},
	{"G12", "epochs go on rising", epochsGoOnRising},
	{"G13", "cursors outlive a restart", cursorsOutliveARestart},
	{"G13", "numbers are not given twice after a purge", numbersAreNotGivenTwiceAfterAPurge},
	{"Liveness", "alerts outlive a restart", alertsOutliveARestart},
}

func committedIsThereAgain(s *scene, reopen func(*scene) *scene) {
	start := s.full(s.start("place-order", "acme", "ORD-1", `{"total":1}`))
	s.committed(start)
	s.committed(s.then(start))
	s.committed(s.anonymous())
	s.write(&store.Batch{Controls: []store.Control{{Scope: unwind.Scope{Kind: "forward", Name: "payments"}, Paused: true, By: "ada"}}})
	s.define("place-order", "A", "ada")
	s.define("place-order", "B", "bob")
	before := s.observe()
	s = reopen(s)
	s.is("what is stored", s.observe(), before)
	s.is("the older revision", s.definition("place-order", "A").By, "ada")
	s = reopen(s)
	s.is("what is stored after another restart", s.observe(), before)
}

func keyIsKnownAgain(s *scene, reopen func(*scene) *scene) {
	first := s.committed(s.start("place-order", "acme", "ORD-1", `{"total":1}`))
	s = reopen(s)
	s.join()
	s.is("the outcomes", s.commit(s.start("place-order", "acme", "ORD-1", `{"total":1}`), s.start("place-order", "acme", "ORD-1", `{"total":2}`)),
		[]store.Result{{Outcome: store.Duplicate, Saga: first.Saga}, {Outcome: store.KeyReused, Saga: first.Saga}})
}

func keptKeyIsKnownAgain(s *scene, reopen func(*scene) *scene) {
	by := s.kept("ORD-1")
	s = reopen(s)
	s.join()
	s.keyIsTaken("ORD-1", by)
	s.is("how many keys were freed", s.purgeKeys(by.UpdatedAt+1, 0), 1)
}

// A process that was taken for dead has its store open still.
func epochsGoOnRising(s *scene, reopen func(*scene) *scene) {
	start := s.purgeable()
	old := s.epoch
	s = reopen(s)
	s.join()
	if s.epoch <= old {
		s.Fatalf("after a restart came epoch %d, and %d before it; epochs rise", s.epoch, old)
	}
	s.refused(old, start)
}

func cursorsOutliveARestart(s *scene, reopen func(*scene) *scene) {
	var sagas []id.ID
	for range 6 {
		sagas = append([]id.ID{s.committed(s.full(s.anonymous())).Saga}, sagas...)
	}
	_, list := mustPage(s.List(s.Context(), store.Filter{Limit: 2}))(s)
	_, dead := mustPage(s.DeadLetters(s.Context(), store.DeadLetterFilter{Limit: 2}))(s)
	_, journal := mustPage(s.Journal(s.Context(), "", 2))(s)
	_, alerts := mustPage(s.Alerts(s.Context(), store.AlertFilter{Limit: 2}))(s)
	_, audit := mustPage(s.Audit(s.Context(), store.AuditFilter{Limit: 2}))(s)
	s = reopen(s)
	s.is("the list's rest", s.list(store.Filter{Cursor: list}), sagas[2:])
	s.is("how many dead letters are left", len(s.deadLetters(store.DeadLetterFilter{Cursor: dead})), 4)
	s.is("how many rows of journal are left", len(must(journalFrom(s.Context(), s.Store, journal, 2))(s)), 4)
	rest, _ := mustPage(s.Alerts(s.Context(), store.AlertFilter{Cursor: alerts}))(s)
	s.is("how many alerts are left", len(rest), 4)
	rows, _ := mustPage(s.Audit(s.Context(), store.AuditFilter{Cursor: audit}))(s)
	s.is("how many audit rows are left", len(rows), 4)
}

// All rows are gone before the restart; those that come after it must not be
// taken for them.
func numbersAreNotGivenTwiceAfterAPurge(s *scene, reopen func(*scene) *scene) {
	gone := s.rested(completed, "ORD-1")
	_, cursor := mustPage(s.Journal(s.Context(), "now", 0))(s)
	s.is("how many were purged", s.purge(s.now+1, 0), 1)
	s = reopen(s)
	s.join()
	if _, err := s.Load(s.Context(), gone.Saga); !errors.Is(err, store.ErrNotFound) {
		s.Errorf("loading the purged saga: %v", err)
	}
	t := s.committed(s.anonymous())
	s.is("what lies past the cursor", must(journalFrom(s.Context(), s.Store, cursor, 2))(s), []store.JournalRow{s.row(t, t)})
}
