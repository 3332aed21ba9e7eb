//go:build planted

package sqlite

import (
	"errors"
	"testing"

	"github.com/unwindhq/unwind/internal/planted"
	"github.com/unwindhq/unwind/store"
)

func plant(b planted.Bug) { planted.Plant(b) }

// TestPlanted plants one bug after another; the check that watches for it must
// find it, and must find nothing when it is gone.
func TestPlanted(t *testing.T) {
	for _, c := range []struct {
		bug   planted.Bug
		check func(t *testing.T) error
	}{
		{planted.DropFence, fenceHolds},
		{planted.SkipVersionCheck, versionsHold},
		{planted.SkipFsync, func(t *testing.T) error { return crashImagesHold(t, 50) }},
		{planted.AcknowledgeEarly, func(t *testing.T) error { return crashImagesHold(t, 50) }},
		{planted.AcknowledgeEarly, func(t *testing.T) error { return killsHold(t, 60, planted.AcknowledgeEarly) }},
	} {
		t.Run(string(c.bug), func(t *testing.T) {
			defer plant("")
			plant(c.bug)
			err := c.check(t)
			if err == nil {
				t.Fatal("nobody found it")
			}
			t.Logf("found: %v", err)
		})
	}
	for name, check := range map[string]func(t *testing.T) error{"fence": fenceHolds, "versions": versionsHold} {
		if err := check(t); err != nil {
			t.Errorf("%s, with no bug planted: %v", name, err)
		}
	}
}

// fenceHolds: a writer of an old epoch changes nothing (G12).
func fenceHolds(t *testing.T) error {
	s := opened(t, t.TempDir())
	defer closed(t, s)
	w := joined(t, s)
	if _, err := s.Join(t.Context(), "node-b"); err != nil {
		return err
	}
	if _, err := s.Commit(t.Context(), w.batch(1)); !errors.Is(err, store.ErrFenced) {
		return errors.Join(errors.New("a writer of an old epoch was let through"), err)
	}
	return nil
}

// versionsHold: of two writers at one version, one conflicts.
func versionsHold(t *testing.T) error {
	s := opened(t, t.TempDir())
	defer closed(t, s)
	w := joined(t, s)
	b := w.batch(1)
	if _, err := s.Commit(t.Context(), b); err != nil {
		return err
	}
	next := store.Transition{Saga: b.Transitions[0].Saga, Version: 2}
	results, err := s.Commit(t.Context(), &store.Batch{Epoch: w.epoch, Transitions: []store.Transition{next, next}})
	if err != nil {
		return err
	}
	if results[1].Outcome != store.Conflicting {
		return errors.New("two transitions to one version were committed")
	}
	return nil
}
