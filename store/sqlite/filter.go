package sqlite

import "math/bits"

// A filter says in which columns (buckets of keys) a hash may be. It is a Bloom
// filter per column, laid out by bit: the words of one position hold that bit of
// 64 columns each, so that one probe looks at all columns at once. With 16 bits
// per key and 8 probes a column answers wrongly once in 1,700.
type filter struct {
	mask  uint64 // positions - 1
	words int    // per position
	bits  []uint64
}

const (
	filterBits   = 16 // per key
	filterProbes = 8
)

// grow makes room for columns of up to perColumn keys.
func (f *filter) grow(columns, perColumn int) {
	words := (columns + 63) / 64
	if words <= f.words {
		return
	}
	positions := 1 << bits.Len(uint(perColumn*filterBits-1))
	grown := make([]uint64, positions*words)
	for p := range positions {
		copy(grown[p*words:], f.bits[p*f.words:(p+1)*f.words])
	}
	f.mask, f.words, f.bits = uint64(positions-1), words, grown
}

// positions are where the bits of a hash lie: two halves of it, mixed.
func (f *filter) positions(hash uint64) (at [filterProbes]uint64) {
	step := hash>>32 | 1
	for i := range at {
		at[i] = (hash + uint64(i)*step*0x9e3779b97f4a7c15>>20) & f.mask
	}
	return at
}

func (f *filter) add(hash uint64, column int) {
	for _, at := range f.positions(hash) {
		f.bits[int(at)*f.words+column/64] |= 1 << (column % 64)
	}
}

// probe calls maybe with each column that the hash may be in.
func (f *filter) probe(hash uint64, maybe func(column int)) {
	if f.words == 0 {
		return
	}
	at := f.positions(hash)
	for w := range f.words {
		in := ^uint64(0)
		for _, p := range at {
			if in &= f.bits[int(p)*f.words+w]; in == 0 {
				break
			}
		}
		for ; in != 0; in &= in - 1 {
			maybe(w*64 + bits.TrailingZeros64(in))
		}
	}
}

// clear empties a column.
func (f *filter) clear(column int) {
	for i := column / 64; i < len(f.bits); i += f.words {
		f.bits[i] &^= 1 << (column % 64)
	}
}
