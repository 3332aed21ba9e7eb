package memory_test

import (
	"testing"

	"github.com/unwindhq/unwind/store"
	"github.com/unwindhq/unwind/store/memory"
	"github.com/unwindhq/unwind/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memory.New() })
}

// A clone is what the next process finds, so it stands in for a folder.
func reopening() func(*testing.T, string) store.Store {
	folders := map[string]*memory.Store{}
	return func(_ *testing.T, dir string) store.Store {
		s := memory.New()
		if before := folders[dir]; before != nil {
			s = before.Clone()
		}
		folders[dir] = s
		return s
	}
}

func TestCloneIsWhatARestartFinds(t *testing.T) { storetest.RunReopen(t, reopening()) }

func TestDifferentialAgainstItself(t *testing.T) {
	storetest.Differential(t, func(*testing.T) store.Store { return memory.New() }, reopening())
}
