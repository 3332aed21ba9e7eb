package flow

import (
	"testing"

	"pgregory.net/rapid"
)

// The index holds what a map would, whatever comes and goes.
func TestTheIndexIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x index
		nodes := make([]node, 300)
		held := map[TaskKey]int32{}
		for range rapid.IntRange(1, 600).Draw(t, "steps") {
			n := int32(rapid.IntRange(0, len(nodes)-1).Draw(t, "node"))
			// Few bits that differ, so that many keys share their places.
			key := sagaKey(uint64(n/4), Lane(n%2))
			key.Step = uint16(n % 4 / 2)
			if _, ok := held[key]; ok {
				x.remove(n, &key)
				delete(held, key)
			} else {
				nodes[n].key, held[key] = key, n
				x.add(n, &key)
			}
			for id := range nodes {
				key := nodes[id].key
				want, ok := held[key]
				if !ok {
					want = none
				}
				if got := x.find(nodes, &key); got != want {
					t.Fatalf("node %d for key %d, want %d", got, id, want)
				}
			}
			if x.n != len(held) {
				t.Fatalf("%d in the index, want %d", x.n, len(held))
			}
		}
	})
}
