package machine

import (
	"maps"
	"slices"
)

type names map[string]int

func named(m names) (first string) {
	for k := range m { // want "a range over a map in ./internal/machine"
		return k
	}
	return ""
}

func generic[M ~map[K]V, K comparable, V any](m M) {
	for range m { // want "a range over a map in ./internal/machine"
	}
}

func iterated(m names) []string {
	return slices.Collect(maps.Keys(m)) // want "maps.Keys in ./internal/machine: a map yields"
}

func compared(m names) []int {
	return slices.SortedFunc(maps.Values(m), func(int, int) int { return 0 }) // want "maps.Values in"
}

func withoutReason(m names) {
	// want "a range over a map in" "//pure:ok in ./internal/machine: an exemption without a reason"
	for range m { //pure:ok
	}
}

func withoutNeed(list []int) {
	// want "//pure:ok in ./internal/machine: it exempts nothing"
	for range list { //pure:ok a slice has an order
	}
}

func exemptsOnlyOrder(m names) {
	// want "a channel in ./internal/machine" "it exempts nothing"
	var _ chan int //pure:ok the reason does not matter, this is no map
}

func sum(m names) (total int) {
	for _, n := range m { //pure:ok addition does not care about order
		total += n
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		total += len(k)
	}
	return total
}
