package sqlite

import (
	"encoding/binary"
	"math"

	"github.com/unwindhq/unwind/internal/id"
	"github.com/unwindhq/unwind/store"
)

// A row of the table saga holds, beside what SQL asks for, two blobs. hot is
// rewritten by every transition; it is padded, so that most transitions leave the
// row's length alone and SQLite overwrites it where it lies. fixed never changes.
type hot struct {
	updated int64
	epoch   int64
	head    int64 // the journal row that holds the last entry
	state   []byte
}

type fixed struct {
	id      id.ID
	created int64
	first   int64 // the journal row that holds the first entry, and the start
	def     int64
	tenant  string
	key     string
}

const padTo = 32

func (h *hot) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(h.updated))
	b = binary.AppendUvarint(b, uint64(h.epoch))
	b = binary.AppendUvarint(b, uint64(h.head))
	b = binary.AppendUvarint(b, uint64(len(h.state)))
	b = append(b, h.state...)
	for len(b)%padTo != 0 {
		b = append(b, 0)
	}
	return b
}

// decodeHot reads a hot blob; its state is part of b.
func decodeHot(b []byte) (h hot, err error) {
	r := scanner{b: b}
	h.updated = r.int64()
	h.epoch = r.number()
	h.head = r.number()
	h.state = r.bytes()
	if r.bad || len(r.b) >= padTo {
		return hot{}, store.ErrDamaged
	}
	return h, nil
}

func (f *fixed) append(b []byte) []byte {
	b = append(b, f.id[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(f.created))
	b = binary.AppendUvarint(b, uint64(f.first))
	b = binary.AppendUvarint(b, uint64(f.def))
	b = binary.AppendUvarint(b, uint64(len(f.tenant)))
	b = append(b, f.tenant...)
	return append(b, f.key...)
}

func decodeFixed(b []byte) (f fixed, err error) {
	r := scanner{b: b}
	copy(f.id[:], r.take(len(f.id)))
	f.created = r.int64()
	f.first = r.number()
	f.def = r.number()
	f.tenant = string(r.bytes())
	if r.bad {
		return fixed{}, store.ErrDamaged
	}
	f.key = string(r.b)
	return f, nil
}

// A scanner takes values off the front of a blob; once bad, it gives zeros.
type scanner struct {
	b   []byte
	bad bool
}

func (r *scanner) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *scanner) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *scanner) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// number reads what fits a row number.
func (r *scanner) number() int64 {
	v := r.uvarint()
	if v > math.MaxInt64 {
		r.bad = true
		return 0
	}
	return int64(v)
}

func (r *scanner) int64() int64 {
	b := r.take(8)
	if b == nil {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(b))
}

func (r *scanner) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	return r.take(int(n))
}
