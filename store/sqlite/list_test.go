package sqlite

import (
	"slices"
	"testing"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// A page of large inputs must fit into memory, whatever the limit: it ends early,
// and its cursor goes on.
func TestAPageOfLargeInputsEndsEarly(t *testing.T) {
	s := opened(t, t.TempDir())
	defer closed(t, s)
	l := newLoad(t, s)
	l.input = slices.Repeat([]byte("i"), 256<<10)
	for range 16 {
		l.step(32)
	}
	seen, pages := map[id.ID]bool{}, 0
	for f := (store.Filter{Limit: 1000}); ; pages++ {
		found, next, err := s.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for i := range found {
			if seen[found[i].ID] {
				t.Errorf("saga %s is on two pages", found[i].ID)
			}
			seen[found[i].ID] = true
			size += len(found[i].Input)
		}
		if most := pageBytes + pageRows*len(l.input); size > most {
			t.Errorf("page %d holds %d bytes of inputs, and the most is %d", pages, size, most)
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	counts, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, n := range counts.Sagas {
		total += int(n)
	}
	if len(seen) != total || pages == 0 {
		t.Errorf("%d of %d sagas in %d further pages", len(seen), total, pages)
	}
}
