package sqlite

import (
	"errors"
	"testing"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/internal/machine"
	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/storetest"
)

// Whatever of a saga can't be read: the others can.
func TestDamagedRows(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"what it began with":   "UPDATE saga SET fixed = x'01' WHERE rid = ?",
		"whose row it is":      "UPDATE saga SET fixed = zeroblob(60) WHERE rid = ?",
		"where it stands":      "UPDATE saga SET hot = x'ffffffff' WHERE rid = ?",
		"its phase":            "UPDATE saga SET phase = 9 WHERE rid = ?",
		"its journal":          "UPDATE journal SET body = x'05ff' WHERE seq = (SELECT count(*) FROM saga WHERE rid <= ?)",
		"its journal, cut off": "UPDATE journal SET body = substr(body, 1, 20) WHERE seq = (SELECT count(*) FROM saga WHERE rid <= ?)",
	} {
		t.Run(name, func(t *testing.T) {
			storetest.RunDamage(t, func(t *testing.T) (store.Store, func(id.ID)) {
				s := opened(t, t.TempDir())
				return s, func(saga id.ID) {
					err := s.write(t.Context(), s.writer.epoch, func(w *writer) error {
						w.heads.forget(saga)
						return each(w.conn, change, nil, saga.Sequence())
					})
					if err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}

// G1: what is left of a purged saga can't be read; its key begins no other all the same.
func TestADamagedKeptKeyStaysTaken(t *testing.T) {
	for name, change := range map[string]string{
		"what it began with": "UPDATE kept_key SET fixed = x'01'",
		"whose row it is":    "UPDATE kept_key SET fixed = zeroblob(60)",
		"its phase":          "UPDATE kept_key SET phase = 9",
	} {
		t.Run(name, func(t *testing.T) {
			s := opened(t, t.TempDir())
			defer closed(t, s)
			w := joined(t, s)
			b := w.batch(1)
			begun := &b.Transitions[0]
			begun.Phase, begun.SetDue, begun.Due = uint8(machine.Completed), true, store.AtRest
			_, err := s.Commit(t.Context(), b)
			if err == nil {
				_, err = s.Purge(t.Context(), w.epoch, begun.At+1, 0, 0)
			}
			if err == nil {
				err = s.write(t.Context(), w.epoch, func(w *writer) error { return each(w.conn, change, nil) })
			}
			if err != nil {
				t.Fatal(err)
			}
			if key, err := s.FindKey(t.Context(), "", "place-order", begun.Start.Key); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("finding the key: %+v, %v", key, err)
			}
			begun.Saga = w.ids.New(0)
			if results, err := s.Commit(t.Context(), b); err != nil || results[0].Outcome != store.Duplicate {
				t.Errorf("starting it again: %+v, %v", results, err)
			}
		})
	}
}

// A saga that can't be read does not hold up those that can, however small the batch.
func TestDamagedSagasHoldUpNoPurge(t *testing.T) {
	s := opened(t, t.TempDir())
	defer closed(t, s)
	w := joined(t, s)
	var at int64
	for i := range 7 {
		w.live = nil
		b := w.batch(1)
		begun := &b.Transitions[0]
		begun.Phase, begun.SetDue, begun.Due = uint8(machine.Completed), true, store.AtRest
		at = begun.At
		if _, err := s.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if i >= 4 {
			continue
		}
		err := s.write(t.Context(), w.epoch, func(w *writer) error {
			w.heads.forget(begun.Saga)
			return each(w.conn, "UPDATE saga SET fixed = x'01' WHERE rid = ?", nil, begun.Saga.Sequence())
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{2, 1, 0} {
		if n, err := s.Purge(t.Context(), w.epoch, at+1, at+1, 2); n != want || err != nil {
			t.Errorf("%d are deleted, %v; want %d", n, err, want)
		}
	}
}
