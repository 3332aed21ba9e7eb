package memory

import (
	"bytes"
	"context"
	"slices"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

// Commit implements [store.Store].
func (s *Store) Commit(ctx context.Context, b *store.Batch) ([]store.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(ctx, b.Epoch); err != nil {
		return nil, err
	}
	// Nothing fails from here on.
	results, _ := b.Apply(func(t *store.Transition) (store.Result, error) {
		if planted.On(planted.AnswerInPart) && len(b.Transitions) > 2 && t == &b.Transitions[len(b.Transitions)-1] {
			return store.Result{}, nil
		}
		return s.apply(b, t), nil
	})
	s.alerts.add(b.Alerts)
	for i := range b.Audit {
		s.addAudit(&b.Audit[i])
	}
	for i := range b.Controls {
		s.setControl(b.Controls[i])
	}
	for i := range b.Flow {
		s.setFlow(b.Flow[i])
	}
	return results, nil
}

// apply writes one transition, or answers why not.
func (s *Store) apply(b *store.Batch, t *store.Transition) store.Result {
	var to *saga
	if t.Start != nil {
		if t.Start.Key != "" {
			if was := s.keys[identityOf(t.Start)]; was != nil {
				return store.Result{Outcome: sameInput(was, t.Start), Saga: was.ID}
			}
		}
		if t.Version != 1 || s.sagas[t.Saga.Sequence()] != nil {
			return store.Result{Outcome: store.Conflicting}
		}
		to = s.begin(t)
	} else if to = s.find(t.Saga); to == nil || to.Damage != nil || to.Version != t.Version-1 && !planted.On(planted.SkipVersionCheck) {
		return store.Result{Outcome: store.Conflicting}
	}

	to.Version, to.Epoch, to.Phase, to.UpdatedAt = t.Version, b.Epoch, t.Phase, t.At
	to.State = append(to.State[:0], t.State...)
	if t.SetDue && !planted.On(planted.LoseDue) {
		s.setDue(to, t.Due)
	}
	s.addRow(to, b, t)
	for i := range t.Tasks {
		s.changeTask(to, b.Epoch, &t.Tasks[i])
	}
	for i := range t.DeadLetters {
		s.changeDeadLetter(to, &t.DeadLetters[i])
	}
	s.alerts.add(t.Alerts)
	if t.Audit != nil && !planted.On(planted.LoseAudit) {
		s.addAudit(t.Audit)
	}
	s.moveItem(t.Done, store.ItemQueued, store.ItemSucceeded)
	return store.Result{Outcome: store.Committed}
}

func sameInput(was *saga, start *store.Start) store.Outcome {
	if was.InputDigest == start.InputDigest || was.Damage != nil {
		return store.Duplicate
	}
	return store.KeyReused
}

// begin adds a saga that is due at once.
func (s *Store) begin(t *store.Transition) *saga {
	to := &saga{Saga: store.Saga{ID: t.Saga, Start: *t.Start, Due: store.Active, CreatedAt: t.At}}
	to.Input = bytes.Clone(t.Start.Input)
	sequence := t.Saga.Sequence()
	s.sagas[sequence] = to
	s.order.insert(sequence)
	s.due.insert(duePlace{store.Active, sequence})
	if to.Key != "" && !planted.On(planted.ForgetKey) {
		s.keys[identityOf(&to.Start)] = to
	}
	return to
}

func (s *Store) setDue(to *saga, due int64) {
	if to.Due == due {
		return
	}
	sequence := to.ID.Sequence()
	if to.Due != store.AtRest {
		s.due.remove(duePlace{to.Due, sequence})
	}
	if to.Due = due; due != store.AtRest {
		s.due.insert(duePlace{due, sequence})
	}
}

// changeTask puts a task into its queue or takes it out.
func (s *Store) changeTask(of *saga, epoch int64, change *store.TaskChange) {
	at := slices.IndexFunc(of.tasks, func(t *store.Task) bool { return t.Step == change.Step })
	if at >= 0 {
		s.dequeue(of.tasks[at])
		of.tasks = slices.Delete(of.tasks, at, at+1)
	}
	if change.Delete || at >= 0 && planted.On(planted.LoseTask) {
		return
	}
	task := change.Task
	task.Saga, task.Epoch = of.ID, epoch
	of.tasks = append(of.tasks, &task)
	s.enqueue(&task)
}

// changeDeadLetter opens or moves a dead letter.
func (s *Store) changeDeadLetter(of *saga, change *store.DeadLetterChange) {
	if open := change.Open; open != nil {
		letter := *open
		letter.Owner, letter.Replays, letter.Item = "", 0, store.ItemID{}
		if was := of.deadLetter(open.DeadLetterID); was != nil {
			letter.Owner, letter.Replays, letter.Item = was.Owner, was.Replays, was.Item
			s.moveItem(was.Item, store.ItemRunning, store.ItemFailed)
		}
		s.putDeadLetter(of, &letter)
	}
	if move := change.Move; move != nil {
		was := of.deadLetter(move.DeadLetterID)
		if was == nil {
			return
		}
		letter := *was
		letter.State, letter.UpdatedAt = move.State, move.At
		replace(&letter.By, move.By)
		replace(&letter.Reason, move.Reason)
		replace(&letter.Evidence, move.Evidence)
		switch move.State {
		case unwind.DeadLetterReplaying:
			letter.Replays++
			letter.Item = move.Item
			s.moveItem(move.Item, store.ItemQueued, store.ItemRunning)
		case unwind.DeadLetterReplayed:
			s.moveItem(letter.Item, store.ItemRunning, store.ItemSucceeded)
		}
		s.putDeadLetter(of, &letter)
	}
}

func replace(s *string, by string) {
	if by != "" {
		*s = by
	}
}

// putDeadLetter adds a dead letter in the place of the one of the same name.
func (s *Store) putDeadLetter(of *saga, letter *store.DeadLetter) {
	of.dead = slices.DeleteFunc(of.dead, func(was *store.DeadLetter) bool {
		if was.DeadLetterID != letter.DeadLetterID {
			return false
		}
		s.dead.remove(placeOf(was))
		return true
	})
	of.dead = append(of.dead, letter)
	s.dead.insert(placeOf(letter))
}
