package unwind

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// An Order holds, for each step, the set of steps that come before it.
type Order []Set

// A Set is a set of step indexes below [MaxSteps].
type Set [MaxSteps / 64]uint64

// Has reports whether i is in the set.
func (s *Set) Has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// Add puts i into the set.
func (s *Set) Add(i int) { s[i/64] |= 1 << (i % 64) }

// Union puts all of o into the set.
func (s *Set) Union(o Set) {
	for w := range s {
		s[w] |= o[w]
	}
}

// Descends reports whether step j comes, directly or not, after step i.
func (o Order) Descends(j, i int) bool { return o[j].Has(i) }

// Predecessors returns the steps that step i waits for directly.
func (d *Definition) Predecessors(i int) []int {
	if d.Steps[i].After == nil {
		if i == 0 {
			return nil
		}
		return []int{i - 1}
	}
	var before []int
	for _, name := range d.Steps[i].After {
		for k := range d.Steps {
			if d.Steps[k].Name == name {
				before = append(before, k)
			}
		}
	}
	return before
}

// Order returns the ancestors of each step, or the names of steps that wait for
// each other in a cycle.
func (d *Definition) Order() (Order, []string) {
	order := make(Order, len(d.Steps))
	state := make([]int, len(d.Steps)) // 0 new, 1 on the path, 2 done
	var path, cycle []string
	var visit func(i int) bool
	visit = func(i int) bool {
		path = append(path, d.Steps[i].Name)
		defer func() { path = path[:len(path)-1] }()
		if state[i] == 1 {
			cycle = append(cycle, path[slices.Index(path, d.Steps[i].Name):]...)
			return false
		}
		if state[i] == 2 {
			return true
		}
		state[i] = 1
		for _, p := range d.Predecessors(i) {
			if !visit(p) {
				return false
			}
			order[i].Add(p)
			order[i].Union(order[p])
		}
		state[i] = 2
		return true
	}
	for i := range d.Steps {
		if !visit(i) {
			return nil, cycle
		}
	}
	return order, nil
}

// Digest names the definition's content: "sha256:" and 64 hexadecimal digits.
// Definitions that behave alike and are written alike have one digest.
func (d *Definition) Digest() string {
	b, err := json.Marshal(d)
	if err != nil {
		panic("unwind: definition of " + d.Name + " does not marshal: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
