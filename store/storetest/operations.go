package storetest

import (
	"errors"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/store"
)

// operation adds a running operation on the dead letters.
func (s *scene) operation(key string, letters ...store.DeadLetter) store.Operation {
	s.Helper()
	op := must(s.AddOperation(s.Context(), s.epoch, store.Operation{State: store.OperationRunning, Key: key, At: s.tick(), Body: []byte("{}")}))(s)
	var items []store.DeadLetterID
	for i := range letters {
		items = append(items, letters[i].DeadLetterID)
	}
	if err := s.AddItems(s.Context(), s.epoch, op.ID, items); err != nil {
		s.Fatal(err)
	}
	return op
}

func (s *scene) items(op store.Operation, outcome store.ItemOutcome) []int64 {
	s.Helper()
	var seqs []int64
	for _, it := range must(s.Items(s.Context(), op.ID, outcome, 0, 0))(s) {
		seqs = append(seqs, it.Seq)
	}
	return seqs
}

func (s *scene) counts(op store.Operation, upTo int64) []store.ItemCount {
	s.Helper()
	return must(s.CountItems(s.Context(), op.ID, upTo))(s)
}

func operationIsReadBackAsItWasChanged(s *scene) {
	ctx := s.Context()
	first := s.operation("k1")
	second := s.operation("")
	s.is("the first", must(s.Operation(ctx, first.ID))(s), first)
	s.is("the one of the key", must(s.OperationByKey(ctx, "k1"))(s), first)
	changed := first
	changed.State, changed.Body, changed.At = store.OperationPaused, []byte("paused"), s.tick()
	changed = must(s.ChangeOperation(ctx, s.epoch, changed, &store.Audit{At: 1, Actor: "ada", Action: "pause"}))(s)
	s.is("whether revisions rise", first.Revision < second.Revision && second.Revision < changed.Revision, true)
	s.is("the first", must(s.Operation(ctx, first.ID))(s), changed)
	s.is("what has changed", must(s.ChangedOperations(ctx, first.Revision, 0))(s), []store.Operation{second, changed})
	s.is("the last revision", must(s.LastRevision(ctx))(s), changed.Revision)
	s.is("what has changed first", must(s.ChangedOperations(ctx, 0, 1))(s), []store.Operation{second})
	rows, _ := mustPage(s.Audit(ctx, store.AuditFilter{}))(s)
	s.is("how many audit rows there are", len(rows), 1)
}

func operationChangesOnlyAsItWasRead(s *scene) {
	ctx := s.Context()
	first, other := s.operation("k1"), s.operation("k2")
	must(s.ChangeOperation(ctx, s.epoch, first, nil))(s)
	_, stale := s.ChangeOperation(ctx, s.epoch, first, &store.Audit{})
	other.Key = "k1"
	_, taken := s.ChangeOperation(ctx, s.epoch, other, &store.Audit{})
	_, again := s.AddOperation(ctx, s.epoch, store.Operation{Key: "k1"})
	_, none := s.ChangeOperation(ctx, s.epoch, store.Operation{ID: 99}, &store.Audit{})
	_, noKey := s.OperationByKey(ctx, "")
	_, noID := s.Operation(ctx, 99)
	for _, c := range []struct {
		what      string
		got, want error
	}{
		{"a change of what changed meanwhile", stale, store.ErrStale}, {"a change to another's key", taken, store.ErrTaken},
		{"another of the same key", again, store.ErrTaken}, {"a change of none", none, store.ErrNotFound},
		{"the one of no key", noKey, store.ErrNotFound}, {"the one of an unknown id", noID, store.ErrNotFound},
	} {
		if !errors.Is(c.got, c.want) {
			s.Errorf("%s: %v; want %v", c.what, c.got, c.want)
		}
	}
	rows, _ := mustPage(s.Audit(ctx, store.AuditFilter{}))(s)
	s.is("how many audit rows there are", len(rows), 0)
}

func operationsArePagedNewestFirst(s *scene) {
	var want []store.Operation
	for i := range 7 {
		op := s.operation("")
		if i == 3 {
			op.State = store.OperationFinished
			op = must(s.ChangeOperation(s.Context(), s.epoch, op, nil))(s)
		}
		want = append([]store.Operation{op}, want...)
	}
	list := func(states ...store.OperationState) func(string, int) ([]store.Operation, string, error) {
		return func(cursor string, limit int) ([]store.Operation, string, error) {
			return s.Operations(s.Context(), store.OperationFilter{States: states, Cursor: cursor, Limit: limit})
		}
	}
	s.is("all of them", pages(s, 2, list()), want)
	s.is("the finished", pages(s, 2, list(store.OperationFinished)), want[3:4])
	s.is("the finished and running", pages(s, 3, list(store.OperationFinished, store.OperationRunning)), want)
}

// Whatever becomes of a dead letter becomes of its item, in one transaction.
func itemFollowsItsDeadLetter(s *scene) {
	a, b, c, d := s.died(nil), s.died(nil), s.died(nil), s.died(nil)
	op := s.operation("", a, b, c, d)
	s.is("what is queued", s.items(op, store.ItemQueued), []int64{1, 2, 3, 4})
	take := func(l store.DeadLetter, seq int64) {
		s.move(l.DeadLetterID, unwind.DeadLetterReplaying, store.ItemID{Operation: op.ID, Seq: seq})
	}
	take(a, 1)
	take(b, 2)
	take(c, 3)
	s.is("what is running", s.items(op, store.ItemRunning), []int64{1, 2, 3})
	s.is("what the dead letter was replayed for", s.deadLetter(b.DeadLetterID).Item, store.ItemID{Operation: op.ID, Seq: 2})
	s.move(a.DeadLetterID, unwind.DeadLetterReplayed, store.ItemID{})
	b.DeadAt = s.now
	s.change(b.DeadLetterID, store.DeadLetterChange{Open: &b})
	s.is("the counts", s.counts(op, 0), []store.ItemCount{single(store.ItemQueued, ""), single(store.ItemRunning, ""), single(store.ItemSucceeded, ""), single(store.ItemFailed, "")})
	s.is("the counts of the first two", s.counts(op, 2), []store.ItemCount{single(store.ItemSucceeded, ""), single(store.ItemFailed, "")})
	// What happens later to a settled item's dead letter is not the operation's.
	s.move(b.DeadLetterID, unwind.DeadLetterReplaying, store.ItemID{})
	s.move(b.DeadLetterID, unwind.DeadLetterReplayed, store.ItemID{})
	s.move(a.DeadLetterID, unwind.DeadLetterOpen, store.ItemID{})
	s.is("the counts of the first two later", s.counts(op, 2), []store.ItemCount{single(store.ItemSucceeded, ""), single(store.ItemFailed, "")})
	s.is("how often b was replayed", s.deadLetter(b.DeadLetterID).Replays, int64(2))
}

func conflictTakesUpNoItem(s *scene) {
	a := s.died(nil)
	op := s.operation("", a)
	saga := s.load(a.Saga)
	stale := store.Transition{Saga: saga.ID, Version: saga.Version + 2, At: s.now, Done: store.ItemID{Operation: op.ID, Seq: 1}, DeadLetters: []store.DeadLetterChange{{
		Move: &store.DeadLetterMove{DeadLetterID: a.DeadLetterID, State: unwind.DeadLetterReplaying, Item: store.ItemID{Operation: op.ID, Seq: 1}},
	}}}
	s.is("the outcome", s.commit(stale)[0], store.Result{Outcome: store.Conflicting})
	s.is("what is queued", s.items(op, store.ItemQueued), []int64{1})
	none := a.DeadLetterID
	none.Step++
	s.move(none, unwind.DeadLetterReplaying, store.ItemID{Operation: op.ID, Seq: 1})
	s.is("what is queued once a dead letter is moved that is not there", s.items(op, store.ItemQueued), []int64{1})
}

func transitionSettlesAnItem(s *scene) {
	t := s.committed(s.anonymous())
	op := s.operation("")
	saga := store.DeadLetterID{Saga: t.Saga, Step: -1, Direction: unwind.Action}
	if err := s.AddItems(s.Context(), s.epoch, op.ID, []store.DeadLetterID{saga}); err != nil {
		s.Fatal(err)
	}
	s.is("the item", must(s.Items(s.Context(), op.ID, store.ItemQueued, 0, 0))(s), []store.Item{{Seq: 1, DeadLetterID: saga}})
	cancel := s.then(t)
	cancel.Done = store.ItemID{Operation: op.ID, Seq: 1}
	s.committed(cancel)
	s.is("the counts", s.counts(op, 0), []store.ItemCount{single(store.ItemSucceeded, "")})
}

func itemIsSkippedOnlyWhileItIsQueued(s *scene) {
	a, b, c := s.died(nil), s.died(nil), s.died(nil)
	op := s.operation("", a, b, c)
	s.move(a.DeadLetterID, unwind.DeadLetterReplaying, store.ItemID{Operation: op.ID, Seq: 1})
	skips := []store.Skip{skipped(1, "late"), skipped(2, "resolved"), skipped(3, "gone"), skipped(4, "there is none")}
	for range 2 {
		if err := s.SkipItems(s.Context(), s.epoch, op.ID, skips); err != nil {
			s.Fatal(err)
		}
		skips[1].Why = "another reason"
	}
	s.is("the counts", s.counts(op, 0), []store.ItemCount{single(store.ItemRunning, ""), single(store.ItemSkipped, "gone"), single(store.ItemSkipped, "resolved")})
	s.move(b.DeadLetterID, unwind.DeadLetterReplaying, store.ItemID{Operation: op.ID, Seq: 2})
	s.is("what is running", s.items(op, store.ItemRunning), []int64{1})
}

func operationIsDroppedWithItsItems(s *scene) {
	a := s.died(nil)
	op, other := s.operation("k", a, a, a), s.operation("", a)
	for range 2 {
		if err := s.DropOperation(s.Context(), s.epoch, op.ID); err != nil {
			s.Fatal(err)
		}
	}
	ops, _ := mustPage(s.Operations(s.Context(), store.OperationFilter{}))(s)
	s.is("what is left", ops, []store.Operation{other})
	s.is("the items of the dropped one", s.counts(op, 0), []store.ItemCount(nil))
	next := s.operation("k")
	s.is("whether ids and revisions go on rising", next.ID > other.ID && next.Revision > other.Revision, true)
}

func skipped(seq int64, why string) store.Skip { return store.Skip{Seq: seq, Why: why} }

func single(outcome store.ItemOutcome, why string) store.ItemCount {
	return store.ItemCount{Outcome: outcome, Why: why, Items: 1}
}
