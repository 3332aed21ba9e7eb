package sqlite

import (
	"encoding/binary"

	"github.com/unwindhq/unwind/store"
)

// A segment is one row of the table journal: the entries of several transitions
// of one commit, as many as fit a page. Writing 25 entries as one row costs a
// tenth of 25 rows.
type segment struct {
	seq   int64
	epoch int64
	node  int64
	at    int64
	body  []byte
}

// An entry is the journal of one transition:
//
//	uvarint  length of what follows
//	8 bytes  rid
//	uvarint  index in the segment, which stays when others are purged
//	uvarint  version of the saga
//	uvarint  how many rows back the saga's previous entry is
//	varint   at, as the distance from the segment's
//	1 byte   1 where the start follows, else 0
//	start    8 bytes key hash, 32 bytes digest, uvarint length, input
//	rest     body
type entry struct {
	rid     int64
	index   int64
	version uint64
	back    int64
	at      int64
	start   *entryStart
	body    []byte
	raw     []byte // the whole, with its length
}

type entryStart struct {
	hash   uint64
	digest [32]byte
	input  []byte
}

const (
	entryOverhead = 64 // more than the fields before start and body take
	startOverhead = 8 + 32 + 10
)

// entryRoom returns at most how many bytes the entry of a transition takes.
func entryRoom(t *store.Transition) int {
	n := entryOverhead + len(t.Journal)
	if t.Start != nil {
		n += startOverhead + len(t.Start.Input)
	}
	return n
}

// appendEntry appends the entry of a transition. It uses scratch, and returns it.
func appendEntry(b, scratch []byte, index int, back, segmentAt int64, t *store.Transition) (_, _ []byte) {
	head := binary.LittleEndian.AppendUint64(scratch[:0], uint64(t.Saga.Sequence()))
	head = binary.AppendUvarint(head, uint64(index))
	head = binary.AppendUvarint(head, t.Version)
	head = binary.AppendUvarint(head, uint64(back))
	head = binary.AppendVarint(head, t.At-segmentAt)
	n := len(t.Journal)
	if t.Start == nil {
		head = append(head, 0)
	} else {
		head = append(head, 1)
		head = binary.LittleEndian.AppendUint64(head, t.Start.KeyHash)
		head = append(head, t.Start.InputDigest[:]...)
		head = binary.AppendUvarint(head, uint64(len(t.Start.Input)))
		n += len(t.Start.Input)
	}
	b = binary.AppendUvarint(b, uint64(n+len(head)))
	b = append(b, head...)
	if t.Start != nil {
		b = append(b, t.Start.Input...)
	}
	return append(b, t.Journal...), head
}

// next takes the first entry off b. What it returns is part of b.
func (s *segment) next(b []byte) (e entry, rest []byte, err error) {
	all := scanner{b: b}
	r := scanner{b: all.bytes(), bad: all.bad}
	e.rid = r.int64()
	e.index = r.number()
	e.version = r.uvarint()
	e.back = r.number()
	e.at = s.at + r.varint()
	switch flag := r.take(1); {
	case r.bad || flag[0] > 1:
		return entry{}, nil, store.ErrDamaged
	case flag[0] == 1:
		start := &entryStart{hash: uint64(r.int64())}
		copy(start.digest[:], r.take(len(start.digest)))
		start.input = r.bytes()
		e.start = start
	}
	if r.bad {
		return entry{}, nil, store.ErrDamaged
	}
	e.body = r.b
	e.raw = b[:len(b)-len(all.b)]
	return e, all.b, nil
}

// find returns the entry of a saga's version.
func (s *segment) find(rid int64, version uint64) (entry, error) {
	for b := s.body; len(b) > 0; {
		all := scanner{b: b}
		r := scanner{b: all.bytes(), bad: all.bad}
		if r.int64() == rid {
			r.uvarint()
			if r.uvarint() == version {
				e, _, err := s.next(b)
				return e, err
			}
		}
		if r.bad {
			break
		}
		b = all.b
	}
	return entry{}, store.ErrDamaged
}

// without appends to b the entries of s that are not of the given sagas.
func (s *segment) without(b []byte, gone map[int64]bool) ([]byte, error) {
	for rest := s.body; len(rest) > 0; {
		e, after, err := s.next(rest)
		if err != nil {
			return nil, err
		}
		if !gone[e.rid] {
			b = append(b, e.raw...)
		}
		rest = after
	}
	return b, nil
}
