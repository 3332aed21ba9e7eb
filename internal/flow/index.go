package flow

import "encoding/binary"

// index finds a node by its task's key. It is a hash table with linear probing, at most
// three quarters full: eight bytes for a task, and a look costs one miss of
// the cache where a map of the keys costs several, which is most of a decision. The zero
// value is empty.
type index struct {
	slots []slot // as many as a power of two
	n     int
}

type slot struct {
	hash uint32
	node int32 // plus one; 0: nothing
}

// hash mixes a key: saga ids differ mostly in their random part.
func (k *TaskKey) hash() uint32 {
	h := binary.LittleEndian.Uint64(k.Saga[:8])*0x9e3779b97f4a7c15 ^ binary.LittleEndian.Uint64(k.Saga[8:])*0xbf58476d1ce4e5b9
	h = (h ^ h>>29 ^ uint64(k.Step)<<8 ^ uint64(k.Lane)) * 0x94d049bb133111eb
	return uint32(h >> 32)
}

// find returns the node of a key, or none.
func (x *index) find(nodes []node, key *TaskKey) int32 {
	if x.n == 0 {
		return none
	}
	h, mask := key.hash(), uint32(len(x.slots)-1)
	for i := h & mask; x.slots[i].node != 0; i = (i + 1) & mask {
		if e := x.slots[i]; e.hash == h && nodes[e.node-1].key == *key {
			return e.node - 1
		}
	}
	return none
}

// add takes in the node of a key that is not there.
func (x *index) add(id int32, key *TaskKey) {
	if 4*(x.n+1) > 3*len(x.slots) {
		before := x.slots
		x.slots = make([]slot, max(64, 2*len(before)))
		for _, e := range before {
			if e.node != 0 {
				x.put(e)
			}
		}
	}
	x.put(slot{key.hash(), id + 1})
	x.n++
}

func (x *index) put(e slot) {
	mask := uint32(len(x.slots) - 1)
	i := e.hash & mask
	for x.slots[i].node != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = e
}

// remove takes a node out that is there, and closes the gap: what comes after it
// and was pushed on by it moves up.
func (x *index) remove(id int32, key *TaskKey) {
	mask := uint32(len(x.slots) - 1)
	gap := key.hash() & mask
	for x.slots[gap].node != id+1 {
		gap = (gap + 1) & mask
	}
	for i := (gap + 1) & mask; x.slots[i].node != 0; i = (i + 1) & mask {
		if home := x.slots[i].hash & mask; (i-home)&mask >= (i-gap)&mask {
			x.slots[gap], gap = x.slots[i], i
		}
	}
	x.slots[gap] = slot{}
	x.n--
}
