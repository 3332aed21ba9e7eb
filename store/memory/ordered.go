package memory

import (
	"iter"
	"slices"
	"sort"
)

// An ordered keeps distinct values in order, in chunks that are each short
// enough to be shifted by one: an insertion costs about the square root of what
// a slice's would, and a small set is one slice.
type ordered[T any] struct {
	compare func(a, b T) int
	chunks  [][]T // none is empty
}

const chunkLength = 256

// place returns where v stands or would stand: the chunk and the index in it,
// and whether it is there. Past all values the chunk is len(o.chunks).
func (o *ordered[T]) place(v T) (chunk, index int, found bool) {
	if len(o.chunks) == 1 {
		chunk = 0
	} else {
		chunk = sort.Search(len(o.chunks), func(i int) bool {
			c := o.chunks[i]
			return o.compare(c[len(c)-1], v) >= 0
		})
	}
	if chunk == len(o.chunks) {
		return chunk, 0, false
	}
	index, found = slices.BinarySearchFunc(o.chunks[chunk], v, o.compare)
	return chunk, index, found
}

// insert adds v, which is not there.
func (o *ordered[T]) insert(v T) {
	if len(o.chunks) == 0 {
		o.chunks = append(o.chunks, []T{v})
		return
	}
	chunk, index, _ := o.place(v)
	if chunk == len(o.chunks) {
		chunk, index = chunk-1, len(o.chunks[chunk-1])
	}
	c := o.chunks[chunk]
	if len(c) < chunkLength {
		o.chunks[chunk] = slices.Insert(c, index, v)
		return
	}
	// Values mostly come in order, so the last chunk stays full when the next begins.
	cut := len(c) / 2
	if chunk == len(o.chunks)-1 && index == len(c) {
		cut = len(c)
	}
	left, right := c[:cut:cut], slices.Clone(c[cut:])
	if index <= cut && cut < len(c) {
		left = slices.Insert(left, index, v)
	} else {
		right = slices.Insert(right, index-cut, v)
	}
	o.chunks[chunk] = left
	o.chunks = slices.Insert(o.chunks, chunk+1, right)
}

// remove takes v out, if it is there.
func (o *ordered[T]) remove(v T) {
	chunk, index, found := o.place(v)
	if !found {
		return
	}
	if len(o.chunks[chunk]) == 1 {
		o.chunks = slices.Delete(o.chunks, chunk, chunk+1)
		return
	}
	o.chunks[chunk] = slices.Delete(o.chunks[chunk], index, index+1)
}

// all yields the values in order.
func (o *ordered[T]) all() iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, c := range o.chunks {
			for _, v := range c {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// after yields the values above v, in order.
func (o *ordered[T]) after(v T) iter.Seq[T] {
	return func(yield func(T) bool) {
		chunk, index, found := o.place(v)
		if found {
			index++
		}
		for ; chunk < len(o.chunks); chunk, index = chunk+1, 0 {
			for _, v := range o.chunks[chunk][index:] {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// before yields the values below *v, the last first; nil means all.
func (o *ordered[T]) before(v *T) iter.Seq[T] {
	return func(yield func(T) bool) {
		chunk, index := len(o.chunks), 0
		if v != nil {
			chunk, index, _ = o.place(*v)
		}
		for {
			if index == 0 {
				if chunk--; chunk < 0 {
					return
				}
				index = len(o.chunks[chunk])
				continue
			}
			index--
			if !yield(o.chunks[chunk][index]) {
				return
			}
		}
	}
}

func (o *ordered[T]) empty() bool { return len(o.chunks) == 0 }

func (o *ordered[T]) clone() ordered[T] {
	c := ordered[T]{compare: o.compare, chunks: make([][]T, len(o.chunks))}
	for i := range o.chunks {
		c.chunks[i] = slices.Clone(o.chunks[i])
	}
	return c
}
