package sim

// An agenda has what will happen, in the order of time and, at one time, of
// being noted.
type agenda struct {
	heap  []appointment
	noted uint64
}

type appointment struct {
	at    int64
	order uint64
	do    func()
}

func (a *appointment) before(b *appointment) bool {
	return a.at < b.at || a.at == b.at && a.order < b.order
}

func (a *agenda) add(at int64, do func()) {
	a.noted++
	a.heap = append(a.heap, appointment{at, a.noted, do})
	h := a.heap
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(&h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

// when is the time of the next; -1: there is none.
func (a *agenda) when() int64 {
	if len(a.heap) == 0 {
		return -1
	}
	return a.heap[0].at
}

// take removes the next and returns it.
func (a *agenda) take() func() {
	h := a.heap
	do := h[0].do
	last := len(h) - 1
	h[0] = h[last]
	h[last].do = nil
	h = h[:last]
	a.heap = h
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < last; c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if least == i {
			return do
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
