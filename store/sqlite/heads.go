package sqlite

import "github.com/unwindhq/unwind/internal/id"

// A head is what the writer must know of a saga's row to write the next: reading
// it costs as much as writing it.
type head struct {
	version uint64
	seq     int64 // the journal row of the last entry
	due     int64
	phase   uint8
}

// heads remembers the sagas that moved last. It is exact, because nobody else
// writes while the epoch is current; it is bounded by keeping two generations.
type heads struct {
	recent, older map[id.ID]head
	limit         int // of one generation
}

func (c *heads) clear() { c.recent, c.older = map[id.ID]head{}, nil }

func (c *heads) get(saga id.ID) (h head, ok bool) {
	if h, ok = c.recent[saga]; ok {
		return h, true
	}
	h, ok = c.older[saga]
	return h, ok
}

func (c *heads) put(saga id.ID, h head) {
	if len(c.recent) >= c.limit {
		c.older, c.recent = c.recent, make(map[id.ID]head, c.limit)
	}
	c.recent[saga] = h
}

func (c *heads) forget(saga id.ID) {
	delete(c.recent, saga)
	delete(c.older, saga)
}
