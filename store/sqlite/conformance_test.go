package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
	"github.com/unwindhq/unwind/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return opened(t, t.TempDir()) })
}

func TestReopen(t *testing.T) {
	t.Parallel()
	storetest.RunReopen(t, func(t *testing.T, dir string) store.Store { return opened(t, dir) })
}

// The reference model answers every operation of a random stream the same.
func TestDifferential(t *testing.T) {
	t.Parallel()
	storetest.Differential(t,
		func(*testing.T) store.Store { return memory.New() },
		func(t *testing.T, dir string) store.Store {
			s, err := open(t.Context(), tightConfig(dir), tightBuckets)
			if err != nil {
				t.Fatal(err)
			}
			return s
		})
}

// opened returns the store in a folder; who asks closes it.
func opened(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Path: filepath.Join(dir, "unwind.db")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
