package history

import (
	"cmp"
	"slices"
)

// A term is the first line under one epoch of a lease.
type term struct {
	lease string
	epoch int64
	first *Line
	// next is the earliest first line of any higher epoch.
	next *Line
}

// checkEpochs: once an epoch has written, no lower one does (G12); by number
// within a saga, by time across sagas.
func (c *checker) checkEpochs() {
	terms := c.terms()
	if len(terms) < 2 {
		return
	}
	for _, s := range c.sagas {
		c.checkSagaEpochs(s)
	}
	for i := range c.h.Engine {
		l := &c.h.Engine[i]
		if l.Event != Journal {
			continue
		}
		k, _ := slices.BinarySearchFunc(terms, term{lease: l.Lease, epoch: l.Epoch}, compareTerms)
		if next := terms[k].next; next != nil && l.T > next.T+c.skew {
			c.saga(G12, c.byID[l.Saga], []*Line{next, l}, "epoch %d wrote %s after epoch %d had begun", l.Epoch, span(l.T-next.T), next.Epoch)
		}
	}
}

func compareTerms(a, b term) int {
	return cmp.Or(cmp.Compare(a.lease, b.lease), cmp.Compare(a.epoch, b.epoch))
}

// terms returns the terms of the journal, sorted.
func (c *checker) terms() []term {
	var terms []term
	last := -1
	for i := range c.h.Engine {
		l := &c.h.Engine[i]
		if l.Event != Journal {
			continue
		}
		if last < 0 || terms[last].lease != l.Lease || terms[last].epoch != l.Epoch {
			k, found := slices.BinarySearchFunc(terms, term{lease: l.Lease, epoch: l.Epoch}, compareTerms)
			if !found {
				terms = slices.Insert(terms, k, term{lease: l.Lease, epoch: l.Epoch, first: l})
			}
			last = k
		}
		if l.T < terms[last].first.T {
			terms[last].first = l
		}
	}
	for k := len(terms) - 2; k >= 0; k-- {
		after := &terms[k+1]
		if after.lease != terms[k].lease {
			continue
		}
		terms[k].next = after.first
		if after.next != nil && after.next.T < after.first.T {
			terms[k].next = after.next
		}
	}
	return terms
}

func (c *checker) checkSagaEpochs(s *saga) {
	top := map[string]*Line{}
	for _, l := range s.journal {
		before := top[l.Lease]
		if before != nil && before.Epoch > l.Epoch {
			c.saga(G12, s, []*Line{before, l}, "epoch %d wrote entry %d after epoch %d had written entry %d", l.Epoch, l.Seq, before.Epoch, before.Seq)
			return
		}
		top[l.Lease] = l
	}
}
