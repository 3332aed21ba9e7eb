package memory

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// An ordered set is a sorted slice without its cost.
func TestOrderedIsASortedSlice(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		o := ordered[int]{compare: cmp.Compare[int]}
		var model []int
		value := rapid.IntRange(0, 3*chunkLength)
		insert := func(v int) {
			if at, found := slices.BinarySearch(model, v); !found {
				o.insert(v)
				model = slices.Insert(model, at, v)
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"insert": func(r *rapid.T) { insert(value.Draw(r, "value")) },
			"insert a run": func(r *rapid.T) {
				for v, n := value.Draw(r, "from"), value.Draw(r, "length"); n > 0; n-- {
					insert(v)
					v++
				}
			},
			"remove": func(r *rapid.T) {
				v := value.Draw(r, "value")
				o.remove(v)
				model = slices.DeleteFunc(model, func(m int) bool { return m == v })
			},
			"remove a run": func(r *rapid.T) {
				from, length := value.Draw(r, "from"), value.Draw(r, "length")
				for v := from; v < from+length; v++ {
					o.remove(v)
				}
				model = slices.DeleteFunc(model, func(m int) bool { return from <= m && m < from+length })
			},
			"": func(r *rapid.T) {
				v := value.Draw(r, "position")
				at, found := slices.BinarySearch(model, v)
				above := at
				if found {
					above++
				}
				below := slices.Clone(model[:at])
				slices.Reverse(below)
				backward := slices.Clone(model)
				slices.Reverse(backward)
				same(r, "all", slices.Collect(o.all()), model)
				same(r, "after", slices.Collect(o.after(v)), model[above:])
				same(r, "before", slices.Collect(o.before(&v)), below)
				same(r, "before the end", slices.Collect(o.before(nil)), backward)
				if o.empty() != (len(model) == 0) {
					r.Fatalf("empty is %t with %d values", o.empty(), len(model))
				}
				for _, c := range o.chunks {
					if len(c) == 0 || len(c) > chunkLength {
						r.Fatalf("a chunk holds %d values", len(c))
					}
				}
			},
		})
	})
}

func same(r *rapid.T, what string, got, want []int) {
	if !slices.Equal(got, want) {
		r.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func TestOrderedCloneIsItsOwn(t *testing.T) {
	o := ordered[int]{compare: cmp.Compare[int]}
	for v := range 3 * chunkLength {
		o.insert(2 * v)
	}
	before := slices.Collect(o.all())
	c := o.clone()
	for v := range 3 * chunkLength {
		c.insert(2*v + 1)
		c.remove(2 * v)
	}
	if after := slices.Collect(o.all()); !slices.Equal(after, before) {
		t.Errorf("changing a clone changed the original: %d values became %d", len(before), len(after))
	}
}
