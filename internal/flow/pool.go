package flow

// spares is how many objects that were given back a pool keeps.
const spares = 1024

// pool hands out objects under small ids. Of those that came back it keeps some, so
// that steady work allocates nothing, and leaves the others to the garbage
// collector, so that a crowd that was here once leaves nothing behind.
type pool[T any] struct {
	all  []*T // by id; nil where nothing is kept
	free []int32
}

// take returns a zero object and its id.
func (p *pool[T]) take() (object *T, id int32) {
	if last := len(p.free) - 1; last >= 0 {
		id = p.free[last]
		p.free = p.free[:last]
	} else {
		id = int32(len(p.all))
		p.all = append(p.all, nil)
	}
	if p.all[id] == nil {
		p.all[id] = new(T)
	}
	return p.all[id], id
}

// give takes an object back that nothing points to any more.
func (p *pool[T]) give(id int32) {
	var zero T
	*p.all[id] = zero
	if len(p.free) >= spares {
		p.all[id] = nil
	}
	p.free = append(p.free, id)
}

// used is how many objects are out.
func (p *pool[T]) used() int { return len(p.all) - len(p.free) }
