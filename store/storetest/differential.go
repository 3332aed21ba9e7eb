package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// Differential replays random operations against a model and a subject and
// compares every answer: commits of mixed transitions with conflicts and
// duplicates, joins, writers of old epochs, purges, restarts of the subject, and
// every read, also from cursors that were given long before. Cursors, epochs and
// ids that stores make are theirs to choose: what they lead to is compared.
//
// Each run opens stores of its own, the subject in a new folder, and closes
// them. A subject that is opened again in its folder holds what it held. The
// flags of rapid choose how many runs there are and how long: -rapid.checks,
// -rapid.steps, -rapid.seed. A failure prints the shortest stream that shows it.
func Differential(t *testing.T, model func(t *testing.T) store.Store, subject func(t *testing.T, dir string) store.Store) {
	rapid.Check(t, func(r *rapid.T) {
		dir := t.TempDir()
		d := &duel{ctx: t.Context(), now: begin, model: &side{Store: model(t)}, subject: &side{Store: subject(t, dir)}}
		d.ids = newIDs(func() int64 { return d.now })
		d.reopen = func() store.Store { return subject(t, dir) }
		defer d.close(r)
		d.join(r)
		r.Repeat(map[string]func(*rapid.T){
			"commit":        d.commit,
			"commit more":   d.commit,
			"join":          d.join,
			"restart":       d.restart,
			"fenced":        d.fenced,
			"deliver":       d.deliver,
			"sinks":         d.sinks,
			"purge alerts":  d.purgeAlerts,
			"purge keys":    d.purgeKeys,
			"define":        d.define,
			"operate":       d.operate,
			"note":          d.note,
			"purge":         d.purge,
			"look around":   d.lookAround,
			"claim":         d.claim,
			"open a list":   d.openList,
			"resume a list": d.resumeList,
			"look up":       d.lookUp,
		})
		d.lookAround(r)
	})
}

// A duel is two stores and what the generator knows about both.
type duel struct {
	ctx            context.Context
	model, subject *side
	reopen         func() store.Store
	ids            *id.Source
	now            int64
	written        int // numbers what is written, so that no two rows are alike
	sagas          []known
	held           []heldCursor
}

// A side is one store and how its own numbers translate.
type side struct {
	store.Store
	epochs []int64 // by join
}

// known is a saga as it stands, for the next transition to follow.
type known struct {
	id      id.ID
	version uint64
	start   store.Start
}

func (s *side) epoch() int64 { return s.epochs[len(s.epochs)-1] }

// join is the number of the join that gave the epoch.
func (s *side) join(epoch int64) int64 { return int64(slices.Index(s.epochs, epoch)) + 1 }

// same asks both stores and fails unless they answer alike.
func (d *duel) same(r *rapid.T, what string, ask func(s *side) (any, error)) {
	r.Helper()
	if diff := difference(answer(d.subject, ask), answer(d.model, ask)); diff != "" {
		r.Fatalf("%s: the subject answers another than the model (- subject, + model):\n%s", what, diff)
	}
}

func answer(s *side, ask func(s *side) (any, error)) string {
	v, err := ask(s)
	if err != nil {
		return kindOf(err)
	}
	return render(v)
}

// kindOf is what callers can tell errors apart by.
func kindOf(err error) string {
	var coded *unwind.Error
	switch {
	case err == nil:
		return "no error"
	case errors.Is(err, store.ErrFenced):
		return "fenced"
	case errors.Is(err, store.ErrNotFound):
		return "not found"
	case errors.Is(err, store.ErrStale):
		return "stale"
	case errors.Is(err, store.ErrTaken):
		return "taken"
	case errors.As(err, &coded):
		return string(coded.Code)
	}
	return fmt.Sprintf("another error: %v", err)
}

func (d *duel) join(r *rapid.T) {
	for _, s := range []*side{d.model, d.subject} {
		epoch, err := s.Join(d.ctx, "node-a")
		if err != nil {
			r.Fatalf("joining: %v", err)
		}
		if len(s.epochs) > 0 && epoch <= s.epoch() {
			r.Fatalf("after epoch %d came %d", s.epoch(), epoch)
		}
		s.epochs = append(s.epochs, epoch)
	}
}

func (d *duel) restart(r *rapid.T) {
	if err := d.subject.Close(); err != nil {
		r.Fatalf("closing the subject: %v", err)
	}
	d.subject.Store = d.reopen()
	d.join(r)
}

func (d *duel) close(r *rapid.T) {
	for _, s := range []*side{d.model, d.subject} {
		if err := s.Close(); err != nil {
			r.Errorf("closing a store: %v", err)
		}
	}
}

// commit writes a random batch.
func (d *duel) commit(r *rapid.T) {
	b := d.drawBatch(r)
	var results []store.Result
	d.same(r, "Commit", func(s *side) (any, error) {
		mine := *b
		mine.Epoch = s.epoch()
		var err error
		results, err = s.Commit(d.ctx, &mine)
		return results, err
	})
	for i := range b.Transitions {
		if results[i].Outcome == store.Committed {
			d.committed(&b.Transitions[i])
		}
	}
}

func (d *duel) committed(t *store.Transition) {
	if t.Start != nil {
		d.sagas = append(d.sagas, known{t.Saga, 1, *t.Start})
		return
	}
	at := slices.IndexFunc(d.sagas, func(k known) bool { return k.id == t.Saga })
	d.sagas[at].version = t.Version
}

// fenced tries a write with an epoch that is not current.
func (d *duel) fenced(r *rapid.T) {
	b := d.drawBatch(r)
	back := rapid.IntRange(0, len(d.model.epochs)-1).Draw(r, "joins back")
	d.same(r, "a fenced writer", func(s *side) (any, error) {
		mine := *b
		mine.Epoch = s.epoch() + 1
		if back > 0 {
			mine.Epoch = s.epochs[len(s.epochs)-1-back]
		}
		_, commit := s.Commit(d.ctx, &mine)
		_, purge := s.Purge(d.ctx, mine.Epoch, d.now, d.now, 1)
		_, keys := s.PurgeKeys(d.ctx, mine.Epoch, d.now, 1)
		_, put := s.PutDefinition(d.ctx, mine.Epoch, store.Definition{Name: "fenced"}, store.Audit{})
		return []string{kindOf(commit), kindOf(purge), kindOf(keys), kindOf(put), kindOf(s.AlertsDelivered(d.ctx, mine.Epoch, "pager", 1)), kindOf(s.AlertSinks(d.ctx, mine.Epoch, nil))}, nil
	})
}

// deliver acknowledges some of what a sink lacks.
func (d *duel) deliver(r *rapid.T) {
	sink, which := draw(r, "sink", "pager", "chat"), rapid.IntRange(0, 9).Draw(r, "pending alert")
	d.same(r, "AlertsDelivered", func(s *side) (any, error) {
		pending, err := s.PendingAlerts(d.ctx, sink, 10)
		if err != nil || which >= len(pending) {
			return len(pending), err
		}
		return len(pending), s.AlertsDelivered(d.ctx, s.epoch(), sink, pending[which].ID)
	})
}

// sinks names the sinks of alerts anew.
func (d *duel) sinks(r *rapid.T) {
	names := draw(r, "sinks", []string{"pager", "chat"}, []string{"pager", "chat"}, []string{"chat"}, nil)
	d.same(r, "AlertSinks", func(s *side) (any, error) { return nil, s.AlertSinks(d.ctx, s.epoch(), names) })
}

func (d *duel) purgeAlerts(r *rapid.T) {
	before, limit := d.now-draw(r, "rest", int64(-1), 5*second), draw(r, "limit", 1, 3, 0)
	d.same(r, "PurgeAlerts", func(s *side) (any, error) { return s.PurgeAlerts(d.ctx, s.epoch(), before, limit) })
}

func (d *duel) define(r *rapid.T) {
	revision := store.Definition{
		Name: draw(r, "name", names...), Version: draw(r, "version", "A", "B", "C"), Body: d.text("definition"), CreatedAt: d.now, By: "ada",
	}
	d.same(r, "PutDefinition", func(s *side) (any, error) {
		return s.PutDefinition(d.ctx, s.epoch(), revision, store.Audit{At: d.now, Actor: "ada", Action: "put", Target: revision.Name})
	})
}

// purge runs to its end: which sagas go first is a store's to choose.
func (d *duel) purge(r *rapid.T) {
	before, limit := d.now-draw(r, "rest", int64(-1), 5*second, 20*second), draw(r, "limit", 1, 3, 0)
	keys := before - draw(r, "rest of keys", int64(0), 5*second, 3600*second)
	d.same(r, "Purge", func(s *side) (any, error) {
		return toItsEnd(limit, func() (int, error) { return s.Purge(d.ctx, s.epoch(), before, keys, limit) })
	})
	d.sagas = slices.DeleteFunc(d.sagas, func(k known) bool {
		_, err := d.model.Load(d.ctx, k.id)
		return err != nil
	})
}

// purgeKeys too runs to its end.
func (d *duel) purgeKeys(r *rapid.T) {
	before, limit := d.now-draw(r, "rest", int64(-1), 5*second, 20*second), draw(r, "limit", 1, 3, 0)
	d.same(r, "PurgeKeys", func(s *side) (any, error) {
		return toItsEnd(limit, func() (int, error) { return s.PurgeKeys(d.ctx, s.epoch(), before, limit) })
	})
}

// toItsEnd calls until there is nothing left, and counts what was deleted.
func toItsEnd(limit int, purge func() (int, error)) (any, error) {
	for total := 0; ; {
		n, err := purge()
		if total += n; err != nil || n == 0 {
			return total, err
		}
		if limit > 0 && n > limit {
			return nil, fmt.Errorf("of at most %d it took %d", limit, n)
		}
	}
}
