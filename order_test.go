package unwind_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/unwindhq/unwind"
)

func steps(after map[string][]string, names ...string) unwind.Definition {
	var d unwind.Definition
	for _, name := range names {
		d.Steps = append(d.Steps, unwind.Step{Name: name, After: after[name]})
	}
	return d
}

func TestStepsFollowTheListUnlessAfterSaysOtherwise(t *testing.T) {
	d := steps(map[string][]string{"c": {}, "d": {"b", "c"}}, "a", "b", "c", "d", "e")
	want := [][]int{nil, {0}, nil, {1, 2}, {3}}
	for i := range d.Steps {
		if got := d.Predecessors(i); !slices.Equal(got, want[i]) {
			t.Errorf("step %d waits for %v, want %v", i, got, want[i])
		}
	}
	order, cycle := d.Order()
	if cycle != nil {
		t.Fatal(cycle)
	}
	for j, ancestors := range [][]int{{}, {0}, {}, {0, 1, 2}, {0, 1, 2, 3}} {
		for i := range d.Steps {
			if got, want := order.Descends(j, i), slices.Contains(ancestors, i); got != want {
				t.Errorf("step %d descends from %d: %v", j, i, got)
			}
		}
	}
}

func TestACycleIsNamedFromEndToEnd(t *testing.T) {
	for _, c := range []struct {
		def  unwind.Definition
		want []string
	}{
		{steps(map[string][]string{"a": {"c"}}, "a", "b", "c"), []string{"a", "c", "b", "a"}},
		{steps(map[string][]string{"b": {"b"}}, "a", "b"), []string{"b", "b"}},
		{steps(map[string][]string{"b": {"d"}, "c": {"b"}, "e": {"a"}}, "a", "b", "c", "d", "e"), []string{"b", "d", "c", "b"}},
	} {
		if order, cycle := c.def.Order(); order != nil || !slices.Equal(cycle, c.want) {
			t.Errorf("got %v, %v; want %v", order, cycle, c.want)
		}
	}
}

// For any graph: either there is no cycle and the ancestors are exactly what
// following the edges reaches, or each step of the cycle waits for the next.
func TestOrderOfAnyGraph(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 80).Draw(t, "steps")
		var d unwind.Definition
		for i := range n {
			s := unwind.Step{Name: fmt.Sprint("s", i)}
			if rapid.Bool().Draw(t, "listed") {
				last := i - 1 // mostly forward edges, so that both outcomes are met
				if rapid.IntRange(0, 60).Draw(t, "backwards") == 0 {
					last = n - 1
				}
				s.After = []string{}
				for range rapid.IntRange(0, min(3, last+1)).Draw(t, "edges") {
					s.After = append(s.After, fmt.Sprint("s", rapid.IntRange(0, last).Draw(t, "to")))
				}
			}
			d.Steps = append(d.Steps, s)
		}
		order, cycle := d.Order()
		if cycle != nil {
			if len(cycle) < 2 || cycle[0] != cycle[len(cycle)-1] {
				t.Fatalf("not a cycle: %v", cycle)
			}
			for k := range len(cycle) - 1 {
				i := slices.IndexFunc(d.Steps, func(s unwind.Step) bool { return s.Name == cycle[k] })
				next := slices.IndexFunc(d.Steps, func(s unwind.Step) bool { return s.Name == cycle[k+1] })
				if !slices.Contains(d.Predecessors(i), next) {
					t.Fatalf("%s does not wait for %s", cycle[k], cycle[k+1])
				}
			}
			return
		}
		for j := range n {
			reached := map[int]bool{}
			for todo := d.Predecessors(j); len(todo) > 0; todo = todo[1:] {
				if !reached[todo[0]] {
					reached[todo[0]] = true
					todo = append(todo, d.Predecessors(todo[0])...)
				}
			}
			for i := range n {
				if order.Descends(j, i) != reached[i] {
					t.Fatalf("step %d descends from %d: %v", j, i, order.Descends(j, i))
				}
			}
			if reached[j] {
				t.Fatalf("step %d descends from itself and no cycle is reported", j)
			}
		}
	})
}

func TestSetsHoldEveryStep(t *testing.T) {
	var a, b unwind.Set
	for i := range unwind.MaxSteps {
		if a.Has(i) {
			t.Fatalf("%d is in the empty set", i)
		}
		if i%2 == 0 {
			a.Add(i)
		} else {
			b.Add(i)
		}
	}
	if reflect.DeepEqual(a, b) {
		t.Fatal("sets of different steps are equal")
	}
	a.Union(b)
	for i := range unwind.MaxSteps {
		if !a.Has(i) {
			t.Errorf("%d is not in the union", i)
		}
	}
}
