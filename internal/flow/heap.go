package flow

// heap is a binary min-heap of small integers, each at most once, each under
// a time and a tie-breaker. The zero value is empty.
type heap struct {
	entries []entry
	pos     []int32 // by id: index in entries plus one; 0 when absent
}

type entry struct {
	at  int64
	tie uint64
	id  int32
}

func (e entry) before(o entry) bool {
	return e.at < o.at || e.at == o.at && e.tie < o.tie
}

func (h *heap) len() int { return len(h.entries) }

func (h *heap) has(id int32) bool { return int(id) < len(h.pos) && h.pos[id] != 0 }

// top returns the least entry; its time is Never when the heap is empty.
func (h *heap) top() entry {
	if len(h.entries) == 0 {
		return entry{at: Never, id: -1}
	}
	return h.entries[0]
}

// set inserts id, or moves it.
func (h *heap) set(id int32, at int64, tie uint64) {
	for int(id) >= len(h.pos) {
		h.pos = append(h.pos, 0)
	}
	e := entry{at, tie, id}
	i := int(h.pos[id]) - 1
	if i < 0 {
		i = len(h.entries)
		h.entries = append(h.entries, e)
	}
	h.place(i, e)
}

// remove takes id out, if it is in.
func (h *heap) remove(id int32) {
	if !h.has(id) {
		return
	}
	i := int(h.pos[id]) - 1
	h.pos[id] = 0
	last := len(h.entries) - 1
	e := h.entries[last]
	h.entries = h.entries[:last]
	if i != last {
		h.place(i, e)
	}
}

// place puts e where it belongs, beginning at the hole i.
func (h *heap) place(i int, e entry) {
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(h.entries[parent]) {
			break
		}
		h.put(i, h.entries[parent])
		i = parent
	}
	for {
		child := 2*i + 1
		if child >= len(h.entries) {
			break
		}
		if r := child + 1; r < len(h.entries) && h.entries[r].before(h.entries[child]) {
			child = r
		}
		if !h.entries[child].before(e) {
			break
		}
		h.put(i, h.entries[child])
		i = child
	}
	h.put(i, e)
}

func (h *heap) put(i int, e entry) {
	h.entries[i] = e
	h.pos[e.id] = int32(i + 1)
}
